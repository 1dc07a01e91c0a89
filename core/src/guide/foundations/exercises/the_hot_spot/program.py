"""A small program with a hot spot: it reads samples, smooths them and prints the peaks."""

import random


def clamp(value: float) -> float:
    """A value between 0 and 1."""
    return 0.0 if value < 0 else 1.0 if value > 1 else value


def generate(count: int) -> list[str]:
    """Lines as an instrument writes them."""
    rng = random.Random(1)
    return [f"{i};{rng.random():.6f};ok" for i in range(count)]


def parse(lines: list[str]) -> list[float]:
    """The values of the lines that are in order."""
    values = []
    for line in lines:
        parts = line.split(";")
        if len(parts) != 3:
            continue
        number, text, state = parts
        if not number.isdigit():
            continue
        if state != "ok":
            continue
        try:
            value = float(text)
        except ValueError:
            continue
        values.append(clamp(value))
    return values


def smooth(values: list[float], width: int) -> list[float]:
    """Each value as the mean of those around it."""
    result = []
    for i in range(len(values)):
        total = 0.0
        count = 0
        for j in range(max(i - width, 0), min(i + width + 1, len(values))):
            total += values[j]
            count += 1
        result.append(total / count)
    return result


def peaks(values: list[float]) -> list[int]:
    """Where a value is larger than both of its neighbours."""
    return [i for i in range(1, len(values) - 1) if values[i - 1] < values[i] > values[i + 1]]


def main() -> None:
    """Run it."""
    values = parse(generate(200_000))
    for _ in range(4):
        values = [clamp(value) for value in values]
    found = peaks(smooth(values, 60))
    print(len(found), "peaks")  # noqa: T201


if __name__ == "__main__":
    main()
