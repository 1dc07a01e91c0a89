"""A small rasterizer: one scene, drawn on the CPU or through OpenGL, the same to the pixel.

>>> from guide_graphics.raster import Material, Scene, open_renderer, orbit, teapot
>>> scene = Scene([teapot(2_000)], [Material(double_sided=True)])
>>> renderer = open_renderer((320, 180), "software")
>>> renderer.render(scene, orbit(30, 20, 4)).rgb.shape
(180, 320, 3)
"""

from guide_graphics.raster.camera import Camera, orbit
from guide_graphics.raster.meshes.load import load_mesh
from guide_graphics.raster.meshes.order import ordered
from guide_graphics.raster.meshes.shapes import crate_field, disc, grid, icosphere, torus_knot
from guide_graphics.raster.meshes.teapot import teapot
from guide_graphics.raster.renderer import Backend, Frame, Renderer, open_renderer
from guide_graphics.raster.scene import U8, Light, Material, Mesh, Scene, Shadow
from guide_graphics.raster.textures import checker, marble

__all__ = [
    "U8",
    "Backend",
    "Camera",
    "Frame",
    "Light",
    "Material",
    "Mesh",
    "Renderer",
    "Scene",
    "Shadow",
    "checker",
    "crate_field",
    "disc",
    "grid",
    "icosphere",
    "load_mesh",
    "marble",
    "open_renderer",
    "orbit",
    "ordered",
    "teapot",
    "torus_knot",
]
