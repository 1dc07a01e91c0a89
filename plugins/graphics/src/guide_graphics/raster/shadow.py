"""What the light sees: the matrix under which a shadow map is drawn and looked up."""

from __future__ import annotations

import numpy as np

from guide_graphics.raster.scene import F32, Light, Shadow


def light_matrix(shadow: Shadow, light: Light) -> F32:
    """World to the clip space of the shadow map: (4, 4) float32, without perspective.

    The light looks at the sphere's centre. The sphere's diameter fills x and y from -1 to 1, and z
    from -1, nearest to the light, to 1. Up in the map is the world's y, or its z where the light
    stands within 8 degrees of straight above or below (|y| of its direction above 0.99).

    Drawn with this matrix, a mesh's depth is 0 to 1 over the diameter. A point p of the world is
    looked up at q = (light_matrix @ p) * 0.5 + 0.5: texel q.x, q.y, depth q.z.
    """
    back = np.asarray(light.direction, np.float64) / np.linalg.norm(light.direction)
    up = (0.0, 1.0, 0.0) if abs(back[1]) <= 0.99 else (0.0, 0.0, 1.0)
    right = np.cross(up, back)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(back, right), -back]) / shadow.radius
    matrix[:3, 3] = -matrix[:3, :3] @ np.asarray(shadow.centre)
    return matrix.astype(np.float32)
