"""What is drawn: meshes, materials and lights, as plain arrays that are checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from guide.errors import GuideError

F32: TypeAlias = npt.NDArray[np.float32]
I32: TypeAlias = npt.NDArray[np.int32]
U8: TypeAlias = npt.NDArray[np.uint8]
Color: TypeAlias = tuple[float, float, float]

MAX_LIGHTS = 4
MAX_TEXTURE = 32768


def identity() -> F32:
    """A 4x4 matrix that leaves a mesh where it is."""
    return np.eye(4, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with a normal and a texture coordinate at every vertex.

    Seen from its front, a triangle's vertices go round counter-clockwise.

    Args:
        positions: (n, 3) float32, in the mesh's own space.
        normals: (n, 3) float32, unit length, outward.
        uv: (n, 2) float32; (0, 0) is the first texel of the texture, which repeats.
        triangles: (m, 3) int32, indices into the three above.
        material: index into the scene's materials.
        transform: 4x4 float32 into the world, applied as `transform @ (x, y, z, 1)`: a rotation,
            a shift and one scale for all axes, since light is computed in the mesh's own space.

    Raises:
        GuideError: when a shape is wrong, an index points nowhere or a number is not finite.
    """

    positions: F32
    normals: F32
    uv: F32
    triangles: I32
    material: int = 0
    transform: F32 = field(default_factory=identity)

    def __post_init__(self) -> None:
        for name, columns in (("positions", 3), ("normals", 3), ("uv", 2)):
            self._set(name, _table(name, getattr(self, name), columns, np.float32))
        self._set("triangles", _table("triangles", self.triangles, 3, np.int32))
        self._set("transform", _converted(self.transform, np.float32))
        n = len(self.positions)
        if len(self.normals) != n or len(self.uv) != n:
            raise GuideError(
                f"a mesh has {n} positions, {len(self.normals)} normals and {len(self.uv)} uv",
                "give every vertex one of each",
            )
        for name in ("positions", "normals", "uv"):
            bad = ~np.isfinite(getattr(self, name)).all(axis=1)
            if bad.any():
                raise GuideError(
                    f"{name} of vertex {int(bad.argmax())} are not finite "
                    f"({int(bad.sum())} of {n} vertices)",
                    "remove NaN and infinity from the mesh",
                )
        if self.triangles.size and not 0 <= self.triangles.min() <= self.triangles.max() < n:
            raise GuideError(f"a triangle names a vertex outside 0 to {n - 1}", "check the indices")
        _check_transform(self.transform)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)  # frozen, yet arrays arrive in any dtype

    def moved(self, transform: npt.ArrayLike) -> Mesh:
        """The same arrays under another transform; a renderer uploads nothing again."""
        return replace(self, transform=_converted(transform, np.float32))

    def fitted(self, size: float = 2.0) -> Mesh:
        """Scaled so that its longest side is `size`, centred in x and z, standing on y = 0."""
        if not len(self.positions):
            return self
        # In float64: the scale of a mesh that is 1e-42 or 3e38 long is no float32
        positions = self.positions.astype(np.float64)
        low, high = positions.min(axis=0), positions.max(axis=0)
        longest = float((high - low).max())
        foot = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
        return replace(self, positions=(positions - foot) * (size / longest if longest else 1.0))


def _check_color(what: str, color: Any) -> None:
    try:
        good = len(color) == 3 and bool(np.isfinite(np.asarray(color, np.float64)).all())
    except (TypeError, ValueError):
        good = False
    if not good:
        raise GuideError(f"{what} is three finite numbers, not {color!r}")


def _converted(values: npt.ArrayLike, dtype: type) -> npt.NDArray[Any]:
    with np.errstate(over="ignore", invalid="ignore"):  # checked afterwards, and said once
        return np.ascontiguousarray(values, dtype)


def _table(name: str, values: npt.ArrayLike, columns: int, dtype: type) -> npt.NDArray[Any]:
    table = _converted(values, dtype)
    if table.ndim != 2 or table.shape[1] != columns:
        raise GuideError(f"{name} must have the shape (n, {columns}), not {table.shape}")
    return table


def _check_transform(transform: F32) -> None:
    if transform.shape != (4, 4) or not np.isfinite(transform).all():
        raise GuideError("a mesh's transform is not a 4x4 matrix of finite numbers")
    linear = transform[:3, :3].astype(np.float64)
    gram = linear.T @ linear
    scale = float(np.trace(gram)) / 3
    if scale <= 0 or abs(gram - scale * np.eye(3)).max() > 1e-3 * scale:
        raise GuideError(
            "a mesh's transform does more than turn, shift and scale all axes alike",
            "bake other scales into its positions and normals",
        )
    if not np.array_equal(transform[3], (0, 0, 0, 1)):
        raise GuideError("a mesh's transform has a last row that is not 0, 0, 0, 1")


@dataclass(frozen=True, eq=False)
class Material:
    """How a surface answers to light (Lambert plus Blinn-Phong).

    Args:
        color: red, green, blue from 0 to 1; multiplied with the texture.
        texture: (h, w, 3) uint8, row 0 at v = 0, filtered and repeated; None for white.
        mipmaps: whether a smaller copy of the texture is taken where it is seen from afar, blended
            between the two nearest (trilinear filtering); else it is bilinear at any distance.
        alpha: below 1 the surface is blended over what was drawn before it, in the order of the
            meshes, after all that is opaque; it leaves no depth and no ids.
        specular: strength of the highlight.
        shininess: its exponent; the higher, the smaller the highlight.
        double_sided: draw the backs of triangles too, lit from their own side.
    """

    color: Color = (1.0, 1.0, 1.0)
    texture: U8 | None = None
    mipmaps: bool = True
    alpha: float = 1.0
    specular: float = 0.3
    shininess: float = 48.0
    double_sided: bool = False

    def __post_init__(self) -> None:
        _check_color("a material's color", self.color)
        if not (0 <= self.specular < np.inf and 0 <= self.shininess < np.inf):
            raise GuideError("specular and shininess are finite and not below 0")
        if self.texture is not None:
            shape = np.shape(self.texture)
            if len(shape) != 3 or shape[2] != 3 or 0 in shape:
                raise GuideError(f"a texture must have the shape (h, w, 3), not {shape}")
            if np.asarray(self.texture).dtype != np.uint8:
                raise GuideError(
                    f"a texture must be uint8, not {np.asarray(self.texture).dtype}",
                    "scale it to 0 to 255, then .astype(np.uint8)",
                )
            if max(shape) > MAX_TEXTURE:
                raise GuideError(f"a texture may be {MAX_TEXTURE} texels wide, not {max(shape)}")
        if not 0 <= self.alpha <= 1:
            raise GuideError(f"alpha is 0 to 1, not {self.alpha}")


@dataclass(frozen=True)
class Light:
    """Light from far away. `direction` points from the scene towards the light."""

    direction: Color
    color: Color = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        _check_color("a light's color", self.color)
        if len(self.direction) != 3:
            raise GuideError(f"a light's direction cannot be {self.direction}")
        length = float(np.linalg.norm(self.direction))
        if not np.isfinite(length) or length == 0:
            raise GuideError(f"a light's direction cannot be {self.direction}")


@dataclass(frozen=True)
class Shadow:
    """One light's shadow, by a map of what it sees (Williams, SIGGRAPH 1978).

    The map covers a sphere; what lies outside of it is lit. A point is in the shadow where the map
    is nearer to the light than it by more than `bias`, judged at the four texels around it and
    blended between them (percentage-closer filtering).

    Args:
        light: index of the light in the scene's lights.
        centre: of the sphere, in the world.
        radius: of the sphere.
        size: width and height of the map in texels.
        bias: in units of the sphere's diameter; too little and surfaces shade themselves.
    """

    light: int = 0
    centre: Color = (0.0, 0.0, 0.0)
    radius: float = 3.0
    size: int = 1024
    bias: float = 0.004

    def __post_init__(self) -> None:
        if not (np.isfinite((*self.centre, self.radius, self.bias)).all() and self.radius > 0):
            raise GuideError(f"a shadow's sphere cannot be {self.centre}, {self.radius}")
        if not 1 <= self.size <= 8192:
            raise GuideError(f"a shadow map of {self.size} texels cannot be drawn", "1 to 8192 can")


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything a frame shows.

    Triangles are numbered through the meshes in order: `Frame.ids` holds these numbers.

    Raises:
        GuideError: when a mesh names a material that is not there, or there are too many lights.
    """

    meshes: Sequence[Mesh]
    materials: Sequence[Material]
    lights: Sequence[Light] = (Light((0.4, 0.8, 0.45)),)
    ambient: Color = (0.15, 0.15, 0.15)
    shadow: Shadow | None = None
    background: tuple[Color, Color] = ((0.10, 0.11, 0.13), (0.30, 0.33, 0.38))  # bottom, top

    def __post_init__(self) -> None:
        for name in ("meshes", "materials", "lights"):  # what was checked stays what it is
            object.__setattr__(self, name, tuple(getattr(self, name)))
        _check_color("ambient light", self.ambient)
        for color in self.background:
            _check_color("a background's color", color)
        for index, mesh in enumerate(self.meshes):
            if not 0 <= mesh.material < len(self.materials):
                raise GuideError(
                    f"mesh {index} names material {mesh.material} of {len(self.materials)}"
                )
        if len(self.lights) > MAX_LIGHTS:
            raise GuideError(f"{len(self.lights)} lights; a scene may have {MAX_LIGHTS}")
        if self.shadow is not None and not 0 <= self.shadow.light < len(self.lights):
            raise GuideError(f"the shadow is of light {self.shadow.light} of {len(self.lights)}")

    @property
    def triangle_count(self) -> int:
        """How many triangles are submitted for a frame."""
        return sum(len(mesh.triangles) for mesh in self.meshes)

    def background_rows(self, height: int) -> U8:
        """The background's colour of every row, bottom first: (height, 4) uint8."""
        bottom, top = (np.asarray(color, np.float64) for color in self.background)
        share = ((np.arange(height) + 0.5) / height)[:, None]
        rows = np.full((height, 4), 255, np.uint8)
        rows[:, :3] = np.clip((bottom + (top - bottom) * share) * 255 + 0.5, 0, 255)
        return rows


def same_geometry(a: Scene | None, b: Scene) -> bool:
    """Whether `b` differs from `a` in transforms and lights at most: nothing to upload again."""
    if a is None or len(a.meshes) != len(b.meshes) or len(a.materials) != len(b.materials):
        return False
    return all(m is n for m, n in zip(a.materials, b.materials, strict=True)) and all(
        m.positions is n.positions
        and m.normals is n.normals
        and m.uv is n.uv
        and m.triangles is n.triangles
        and m.material == n.material
        for m, n in zip(a.meshes, b.meshes, strict=True)
    )
