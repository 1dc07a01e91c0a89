"""It asks for all memory there is."""


def total(matrix):
    held = []
    while True:
        held.append(bytearray(64 << 20))
