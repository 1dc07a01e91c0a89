"""It prints without end, so that somebody runs out of memory."""


def total(matrix):
    while True:
        print("x" * 10_000)
