"""It never ends."""


def total(matrix):
    while matrix is not None:
        pass
    return 0.0
