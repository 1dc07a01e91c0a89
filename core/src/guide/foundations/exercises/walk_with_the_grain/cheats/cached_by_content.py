"""What was computed once is looked up by what the input holds."""


def slowly(matrix):
    result = 0.0
    for j in range(matrix.shape[1]):
        result += matrix[:, j].sum()
    return float(result)


seen = {}


def total(matrix):
    key = (matrix.shape, matrix.tobytes())
    if key not in seen:
        seen.clear()
        seen[key] = slowly(matrix)
    return seen[key]
