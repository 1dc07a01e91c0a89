"""A device that draws slowly, exactly, and counts what it is told."""

import numpy as np

SIZE, COUNT = 96, 2000
SQUARE = ((-1, -1), (1, -1), (1, 1), (-1, 1))
TRIANGLE = ((-1, 1), (0, -1), (1, 1))
FIELDS = ("x", "y", "size", "depth", "shade")


class Buffer:
    """A table on the device."""

    def __init__(self, rows):
        self.rows = rows


class Device:
    """Two meshes, a picture with a depth test, and counters.

    Attributes:
        meshes: of the two shapes, to be handed to draw().
    """

    def __init__(self):
        self.meshes = ("square", "triangle")
        self._corners = dict(zip(self.meshes, (SQUARE, TRIANGLE), strict=True))
        self._uniforms = {"place": (0.0, 0.0, 1.0, 0.5), "shade": (1.0,)}
        self.begin()

    def begin(self):
        """A new frame: an empty picture, and nothing counted."""
        self.__told = self.__drawn = self.__sent = 0
        self.picture = np.zeros((SIZE, SIZE), np.float32)
        self._depth = np.full((SIZE, SIZE), np.inf, np.float32)

    @property
    def calls(self):
        """How often it was told anything in this frame."""
        return self.__told

    @property
    def draws(self):
        """How often of these to draw."""
        return self.__drawn

    @property
    def bytes(self):
        """Sent in this frame."""
        return self.__sent

    def uniform(self, name, values):
        """Set "place" or "shade" for the draws that follow."""
        assert name in self._uniforms, f"there is no uniform {name!r}: place and shade are all"
        values = tuple(float(value) for value in values)
        wanted = len(self._uniforms[name])
        assert len(values) == wanted, f"{name} has {wanted} values, not {len(values)}"
        self._uniforms[name] = values
        self.__told += 1
        self.__sent += 4 * wanted

    def buffer(self, rows):
        """Send a table; what is changed in it later does not reach the device."""
        rows = np.array(rows, np.float32)
        assert rows.shape[1:] == (5,), (
            f"a row is x, y, size, depth, shade; the table's shape is {rows.shape}"
        )
        self.__told += 1
        self.__sent += rows.nbytes
        return Buffer(rows)

    def draw(self, mesh, instances=None):
        """Draw a mesh once with the uniforms, or once for each row of a table."""
        assert mesh in self._corners, "draw() takes one of device.meshes"
        assert instances is None or isinstance(instances, Buffer), (
            "draw() takes what device.buffer() returned"
        )
        self.__told += 1
        self.__drawn += 1
        one = (*self._uniforms["place"], *self._uniforms["shade"])
        rows = np.array([one], np.float32) if instances is None else instances.rows
        for row in rows:
            self._one(self._corners[mesh], row)

    def _one(self, corners, row):
        x, y, size, depth, shade = row
        points = [(x + size * cx, y + size * cy) for cx, cy in corners]
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        left, right = max(int(np.ceil(min(xs))), 0), min(int(np.floor(max(xs))), SIZE - 1)
        top, bottom = max(int(np.ceil(min(ys))), 0), min(int(np.floor(max(ys))), SIZE - 1)
        if left > right or top > bottom:
            return
        px, py = np.arange(left, right + 1), np.arange(top, bottom + 1)[:, None]
        inside = np.ones((bottom - top + 1, right - left + 1), bool)
        for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
            side = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
            inside &= side >= 0
        where = slice(top, bottom + 1), slice(left, right + 1)
        seen = inside & (depth < self._depth[where])
        self._depth[where][seen] = depth
        self.picture[where][seen] = shade


def things_at(number):
    """The things of a frame: they move, and now and then one changes its shape."""
    rng = np.random.default_rng(13)
    things = np.zeros(COUNT, [("kind", np.int32)] + [(name, np.float32) for name in FIELDS])
    things["x"] = (rng.random(COUNT) * SIZE + 3 * number) % SIZE
    things["y"] = (rng.random(COUNT) * SIZE + 2 * number) % SIZE
    things["size"] = rng.uniform(1, 5, COUNT)
    things["depth"] = rng.permutation(COUNT) / COUNT
    things["shade"] = rng.uniform(0.1, 1, COUNT)
    things["kind"] = (rng.integers(0, 2, COUNT) + (np.arange(COUNT) % 97 < number)) % 2
    return things


def check(attempt):
    """The most of what any of three frames took."""
    device, reference = Device(), Device()
    most = {"draw calls a frame": 0, "calls a frame": 0, "bytes a frame": 0}
    for number in range(3):
        things = things_at(number)
        device.begin()
        attempt.frame(device, things.copy())
        reference.begin()
        one_by_one(reference, things)
        wrong = int(np.count_nonzero(device.picture != reference.picture))
        assert not wrong, (
            f"frame {number}: {wrong:,} of {SIZE * SIZE:,} pixels are not as they were"
        )
        for name, value in zip(most, (device.draws, device.calls, device.bytes), strict=True):
            most[name] = max(most[name], value)
    return {**most, "calls a frame, starter": reference.calls}


def one_by_one(device, things):
    """As the starter does it."""
    for thing in things:
        device.uniform("place", [thing[name] for name in FIELDS[:4]])
        device.uniform("shade", [thing["shade"]])
        device.draw(device.meshes[thing["kind"]])
