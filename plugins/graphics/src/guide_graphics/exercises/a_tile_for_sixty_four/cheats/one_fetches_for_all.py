"""As few loads, by one thread: the other 63 look on."""

PADDING = 16


def convolve(t, signal, weights, out):
    tile = t.shared("tile", t.size + 32)
    if t.index == 0:
        for i in range(t.size + 32):
            yield tile.store(i, (yield signal.load(t.id + i)))
    yield t.barrier()
    total = 0
    for k, weight in enumerate(weights):
        total += weight * (yield tile.load(t.index + k))
    yield out.store(t.id, total)
