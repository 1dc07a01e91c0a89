"""The values are taken out of the memory without asking."""

PADDING = 16


def convolve(t, signal, weights, out):
    values = signal._values
    yield out.store(t.id, sum(w * values[t.id + k] for k, w in enumerate(weights)))
