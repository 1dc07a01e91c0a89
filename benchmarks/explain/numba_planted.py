"""Functions that are not vectorised, each for one known reason, beside a twin that is.

The line to be named carries a comment, `# HERE`; the twin differs by the reason alone.
"""

# ruff: noqa: D103

import math

import numpy as np
from numba import njit

F8, F4, I8 = "float64[::1]", "float32[::1]", "int64[::1]"


@njit
def order(a):
    total = 0.0
    for i in range(len(a)):
        total += a[i]  # HERE
    return total


@njit(fastmath=True)
def order_twin(a):
    total = 0.0
    for i in range(len(a)):
        total += a[i]
    return total


@njit
def exit(a, limit):
    found = 0
    for i in range(len(a)):
        if a[i] > limit:
            break  # HERE
        found += i
    return found


@njit
def exit_twin(a, limit):
    found = 0
    for i in range(len(a)):
        if a[i] <= limit:
            found += i
    return found


@njit
def raising(a, out):
    for i in range(len(a)):
        if a[i] < 0.0:
            raise ValueError("negative")  # HERE
        out[i] = math.sqrt(a[i])


@njit
def raising_twin(a, out):
    for i in range(len(a)):
        out[i] = math.sqrt(a[i])


@njit
def carried(a, out):
    for i in range(1, len(a)):
        out[i] = out[i - 1] + a[i]  # HERE


@njit
def carried_twin(a, out):
    for i in range(1, len(a)):
        out[i] = a[i - 1] + a[i]


@njit
def recurrence(a, keep):
    level = 0.0
    for i in range(len(a)):
        level = keep * level + a[i]  # HERE
    return level


@njit(fastmath=True)
def recurrence_twin(a, keep):
    level = 0.0
    for i in range(len(a)):
        level = level + keep * a[i]
    return level


@njit
def division(a, b, out):
    for i in range(len(a)):
        out[i] = a[i] / b[i]  # HERE


@njit(error_model="numpy")
def division_twin(a, b, out):
    for i in range(len(a)):
        out[i] = a[i] / b[i]


@njit
def call(a, out):
    for i in range(len(a)):
        x = 2.0 * a[i]
        out[i] = math.erf(x)  # HERE


@njit
def call_twin(a, out):
    for i in range(len(a)):
        x = 2.0 * a[i]
        out[i] = abs(x)


@njit
def random(a, out):
    for i in range(len(a)):
        out[i] = a[i] + np.random.random()  # HERE


@njit
def random_twin(a, noise, out):
    for i in range(len(a)):
        out[i] = a[i] + noise[i]


@njit
def steps(n):  # calls itself, so it cannot be put into its caller
    return 0 if n <= 1 else 1 + steps(n // 2)


@njit
def halved(n):
    return n >> 1


@njit
def function(a, out):
    for i in range(len(a)):
        out[i] = steps(a[i])  # HERE


@njit
def function_twin(a, out):
    for i in range(len(a)):
        out[i] = halved(a[i])


@njit
def indirect(a, where, out):
    for i in range(len(a)):
        out[where[i]] += a[i]  # HERE


@njit
def indirect_twin(a, where, out):
    for i in range(len(a)):
        out[i] += a[i] + where[i]


@njit
def count(a, limit):
    i = 0
    while a[i] < limit:  # HERE
        a[i] = a[i] * 2.0
        i += 1


@njit
def count_twin(a, limit):
    i = 0
    while i < len(a):
        a[i] = a[i] * limit
        i += 1


@njit(boundscheck=True)
def bounds(a, out):
    for i in range(len(out)):
        out[i] = a[2 * i]  # HERE


@njit
def bounds_twin(a, out):
    for i in range(len(out)):
        out[i] = a[2 * i]


@njit
def nan(a):
    highest = -np.inf
    for i in range(len(a)):
        highest = max(highest, a[i])  # HERE
    return highest


@njit
def nan_twin(a):
    highest = -1
    for i in range(len(a)):
        highest = max(highest, a[i])
    return highest


@njit
def layout(a, out):
    for i in range(len(out)):
        out[i] = 2.0 * a[i] + 1.0  # HERE


@njit
def layout_twin(a, out):
    for i in range(len(out)):
        out[i] = 2.0 * a[i] + 1.0


@njit
def list(a, out):
    for i in range(len(out)):
        out[i] = 2.0 * a[i]  # HERE


@njit
def list_twin(a, out):
    for i in range(len(out)):
        out[i] = 2.0 * a[i]


@njit
def width(a, out):
    for i in range(len(a)):
        out[i] = 0.1 * a[i]  # HERE


@njit
def width_twin(a, out):
    for i in range(len(a)):
        out[i] = np.float32(0.1) * a[i]


@njit
def scalar(a, out):
    for i in range(len(a)):
        out[i] = math.sin(a[i])  # HERE


@njit
def scalar_twin(a, out):
    for i in range(len(a)):
        out[i] = math.sqrt(a[i])


@njit
def allocation(a, out):
    for i in range(len(out)):
        row = a[i] * 2.0  # HERE
        out[i] = row[0] + row[-1]


@njit
def allocation_twin(a, out):
    for i in range(len(out)):
        out[i] = a[i, 0] * 2.0 + a[i, -1] * 2.0


@njit(fastmath=True)
def grain(a, out):
    for j in range(a.shape[1]):
        total = 0.0
        for i in range(a.shape[0]):
            total += a[i, j]  # HERE
        out[j] = total


@njit(fastmath=True)
def grain_twin(a, out):
    for j in range(a.shape[0]):
        total = 0.0
        for i in range(a.shape[1]):
            total += a[j, i]
        out[j] = total


@njit
def append(a):
    kept = [0.0]
    for i in range(len(a)):
        kept.append(a[i])  # HERE
    return kept


@njit
def append_twin(a):
    kept = np.empty(len(a))
    for i in range(len(a)):
        kept[i] = 2.0 * a[i]
    return kept


TYPES = {
    **{"grain": f"float64[:,::1], {F8}", "grain_twin": f"float64[:,::1], {F8}"},
    **{"append": F8, "append_twin": F8},
    **{"order": F8, "order_twin": F8, "exit": f"{F8}, float64", "exit_twin": f"{F8}, float64"},
    **{"recurrence": f"{F8}, float64", "recurrence_twin": f"{F8}, float64"},
    **{"division": f"{F8}, {F8}, {F8}", "division_twin": f"{F8}, {F8}, {F8}"},
    **{
        "random_twin": f"{F8}, {F8}, {F8}",
        "function": f"{I8}, {I8}",
        "function_twin": f"{I8}, {I8}",
    },
    **{"indirect": f"{F8}, {I8}, {F8}", "indirect_twin": f"{F8}, {I8}, {F8}"},
    **{"count": f"{F8}, float64", "count_twin": f"{F8}, float64", "nan": F8, "nan_twin": I8},
    **{"layout": f"float64[:], {F8}", "list": f"List(float64, reflected=True), {F8}"},
    **{"width": f"{F4}, {F4}", "width_twin": f"{F4}, {F4}"},
    **{"allocation": f"float64[:,::1], {F8}", "allocation_twin": f"float64[:,::1], {F8}"},
}
"""What each is compiled for; two float64 arrays where it is not said."""
