"""One draw: triangles of five pixels are nearly squares."""

import numpy as np


def frame(device, things):
    columns = [things[name] for name in ("x", "y", "size", "depth", "shade")]
    device.draw(device.meshes[0], device.buffer(np.stack(columns, axis=1)))
