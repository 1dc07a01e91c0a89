"""Scene a in the renderers that others use: the same triangles, texture and camera.

Each function sets one up and returns what draws frame n into a numpy array of (h, w, 3 or more)
uint8, its rows and channels in the order that the tool has them in. What stands here is the program
of the tool's own manual, with its own light: a picture like ours, not the same one.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.graphics.scenes import View, arrays
from benchmarks.rows import PEERS, with_peers
from guide_graphics.raster import U8, open_renderer

Draw = Callable[[int], U8]
LAVAPIPE = PEERS / "lavapipe" / "usr"  # where the Makefile unpacks Mesa's Vulkan on the CPU


def ours(view: View, size: tuple[int, int]) -> Draw:
    """The software renderer, with two threads."""
    renderer = open_renderer(size, "software", threads=2)
    return lambda n: renderer.render(view.scene, view.camera(n)).color


def panda3d(view: View, size: tuple[int, int]) -> Draw:
    """Panda3D's own software renderer, tinydisplay: one thread, light at the vertices."""
    with_peers()
    from panda3d import core

    core.load_prc_file_data(
        "",
        "load-display p3tinydisplay\nwindow-type offscreen\naudio-library-name null\n"
        f"win-size {size[0]} {size[1]}\nnotify-level-display error\nsync-video false\n",
    )
    from direct.showbase.ShowBase import ShowBase

    mesh, texels = arrays(view)
    base = ShowBase()
    base.win.set_clear_color((*view.scene.background[0], 1))
    node = base.render.attach_new_node(_panda_mesh(core, mesh))
    image = core.Texture()
    image.setup_2d_texture(texels.shape[1], texels.shape[0], core.Texture.T_unsigned_byte,
                           core.Texture.F_rgb)  # fmt: skip
    image.set_ram_image(np.ascontiguousarray(texels[..., ::-1]).tobytes())
    node.set_texture(image)
    lamp = core.DirectionalLight("lamp")
    lamp.set_direction(tuple(-x for x in view.scene.lights[0].direction))
    node.set_light(base.render.attach_new_node(lamp))
    ambient = core.AmbientLight("ambient")
    ambient.set_color((*view.scene.ambient, 1))
    node.set_light(base.render.attach_new_node(ambient))
    picture = core.Texture()
    base.win.add_render_texture(picture, core.GraphicsOutput.RTM_copy_ram)

    def draw(n: int) -> U8:
        camera = view.camera(n)
        base.camLens.set_near_far(camera.near, camera.far)
        across = np.tan(np.radians(camera.fov_deg) / 2) * size[0] / size[1]
        base.camLens.set_fov(2 * np.degrees(np.arctan(across)), camera.fov_deg)
        base.camera.set_pos(*camera.eye)
        base.camera.look_at(core.Point3(*camera.target), core.Vec3(*camera.up))
        base.graphicsEngine.render_frame()
        data = picture.get_ram_image()
        return np.frombuffer(data, np.uint8).reshape(size[1], size[0], -1)

    return draw


def _panda_mesh(core: Any, mesh: Any) -> Any:
    vertices = core.GeomVertexData("mesh", core.GeomVertexFormat.get_v3n3t2(), core.Geom.UH_static)
    vertices.unclean_set_num_rows(len(mesh.positions))
    table = np.hstack([mesh.positions, mesh.normals, mesh.uv]).astype(np.float32)
    vertices.modify_array(0).modify_handle().copy_data_from(table.tobytes())
    triangles = core.GeomTriangles(core.Geom.UH_static)
    triangles.set_index_type(core.Geom.NT_uint32)
    index = triangles.modify_vertices()
    index.unclean_set_num_rows(mesh.triangles.size)
    index.modify_handle().copy_data_from(mesh.triangles.astype(np.uint32).tobytes())
    geom = core.Geom(vertices)
    geom.add_primitive(triangles)
    node = core.GeomNode("mesh")
    node.add_geom(geom)
    return node


def vtk(view: View, size: tuple[int, int]) -> Draw:
    """VTK through EGL, which here is llvmpipe: Phong at every pixel."""
    with_peers()
    import vtkmodules.vtkRenderingOpenGL2  # noqa: F401 - it registers what draws
    from vtkmodules import vtkCommonCore, vtkCommonDataModel, vtkRenderingCore
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
    from vtkmodules.vtkRenderingOpenGL2 import vtkEGLRenderWindow

    mesh, texels = arrays(view)
    points = vtkCommonCore.vtkPoints()
    points.SetData(numpy_to_vtk(mesh.positions))
    cells = vtkCommonDataModel.vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(mesh.triangles.astype(np.int64).ravel(), deep=1))
    data = vtkCommonDataModel.vtkPolyData()
    data.SetPoints(points)
    data.SetPolys(cells)
    data.GetPointData().SetNormals(numpy_to_vtk(mesh.normals))
    data.GetPointData().SetTCoords(numpy_to_vtk(mesh.uv))
    image = vtkCommonDataModel.vtkImageData()
    image.SetDimensions(texels.shape[1], texels.shape[0], 1)
    image.GetPointData().SetScalars(numpy_to_vtk(texels.reshape(-1, 3)))
    texture = vtkRenderingCore.vtkTexture()
    texture.SetInputData(image)
    texture.InterpolateOn()
    texture.RepeatOn()
    mapper = vtkRenderingCore.vtkPolyDataMapper()
    mapper.SetInputData(data)
    actor = vtkRenderingCore.vtkActor()
    actor.SetMapper(mapper)
    actor.SetTexture(texture)
    actor.GetProperty().BackfaceCullingOn()
    actor.GetProperty().SetInterpolationToPhong()
    actor.GetProperty().SetSpecular(view.material.specular)
    actor.GetProperty().SetSpecularPower(view.material.shininess)
    actor.GetProperty().SetAmbient(view.scene.ambient[0])
    renderer = vtkRenderingCore.vtkRenderer()
    renderer.SetBackground(*view.scene.background[0])
    renderer.AutomaticLightCreationOff()
    light = vtkRenderingCore.vtkLight()
    light.SetLightTypeToSceneLight()
    light.SetPosition(*view.scene.lights[0].direction)
    light.SetFocalPoint(0, 0, 0)
    renderer.AddLight(light)
    renderer.AddActor(actor)
    window = vtkEGLRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(*size)
    window.AddRenderer(renderer)
    pixels = vtkCommonCore.vtkUnsignedCharArray()

    def draw(n: int) -> U8:
        camera, theirs = view.camera(n), renderer.GetActiveCamera()
        theirs.SetPosition(*camera.eye)
        theirs.SetFocalPoint(*camera.target)
        theirs.SetViewUp(*camera.up)
        theirs.SetViewAngle(camera.fov_deg)
        theirs.SetClippingRange(camera.near, camera.far)
        window.Render()
        window.GetRGBACharPixelData(0, 0, size[0] - 1, size[1] - 1, 0, pixels)
        return vtk_to_numpy(pixels).reshape(size[1], size[0], 4)

    return draw


def pyrender(view: View, size: tuple[int, int]) -> Draw:
    """Pyrender through EGL, which here is llvmpipe: physically based shading."""
    os.environ["PYOPENGL_PLATFORM"] = "egl"
    np.infty = np.inf  # type: ignore[attr-defined]  # it was made for numpy 1
    window = types.ModuleType("pyrender.viewer")  # and its window for pyglet 1
    window.Viewer = None  # type: ignore[attr-defined]
    sys.modules[window.__name__] = window
    with_peers()
    import pyrender
    from PIL import Image

    mesh, texels = arrays(view)
    material = pyrender.MetallicRoughnessMaterial(
        baseColorTexture=pyrender.Texture(
            source=Image.fromarray(texels[::-1]), source_channels="RGB"
        ),
        metallicFactor=0.0,
        roughnessFactor=0.5,
    )
    primitive = pyrender.Primitive(
        positions=mesh.positions,
        normals=mesh.normals,
        texcoord_0=mesh.uv,
        indices=mesh.triangles,
        material=material,
    )
    scene = pyrender.Scene(bg_color=view.scene.background[0], ambient_light=view.scene.ambient)
    scene.add(pyrender.Mesh([primitive]))
    scene.add(
        pyrender.DirectionalLight(intensity=3.0),
        pose=np.linalg.inv(_looking(view.scene.lights[0].direction)),
    )
    first = view.camera(0)
    eye = scene.add(
        pyrender.PerspectiveCamera(yfov=np.radians(first.fov_deg), znear=first.near, zfar=first.far)
    )
    renderer = pyrender.OffscreenRenderer(*size)

    def draw(n: int) -> U8:
        scene.set_pose(eye, np.linalg.inv(view.camera(n).view))
        return renderer.render(scene)[0]  # type: ignore[no-any-return]

    return draw


def _looking(direction: Any) -> Any:
    from guide_graphics.raster import Camera

    return Camera(eye=direction).view


def pygfx(view: View, size: tuple[int, int]) -> Draw:
    """Pygfx on lavapipe, Mesa's Vulkan on the CPU: Phong at every pixel."""
    _prepare_lavapipe()
    with_peers()
    import pygfx
    from rendercanvas.offscreen import RenderCanvas

    mesh, texels = arrays(view)
    canvas = RenderCanvas(size=size, pixel_ratio=1)
    renderer = pygfx.renderers.WgpuRenderer(canvas)
    geometry = pygfx.Geometry(
        positions=mesh.positions, normals=mesh.normals, texcoords=mesh.uv, indices=mesh.triangles
    )
    alpha = np.full((*texels.shape[:2], 1), 255, np.uint8)
    image = pygfx.Texture(np.concatenate([texels, alpha], axis=2), dim=2)
    material = pygfx.MeshPhongMaterial(
        map=pygfx.TextureMap(image, wrap="repeat"), shininess=view.material.shininess, side="front"
    )
    scene = pygfx.Scene()
    scene.add(pygfx.Background.from_color(view.scene.background[0]))
    scene.add(pygfx.Mesh(geometry, material), pygfx.AmbientLight(intensity=0.3))
    light = pygfx.DirectionalLight(intensity=2)
    light.local.position = view.scene.lights[0].direction
    scene.add(light)
    first, aspect = view.camera(0), size[0] / size[1]
    # Its angle is that of the mean of height and width
    mean = np.tan(np.radians(first.fov_deg) / 2) * (1 + aspect) / 2
    camera = pygfx.PerspectiveCamera(
        2 * np.degrees(np.arctan(mean)), aspect, depth_range=(first.near, first.far)
    )
    canvas.request_draw(lambda: renderer.render(scene, camera))

    def draw(n: int) -> U8:
        camera.local.matrix = np.linalg.inv(view.camera(n).view)
        return np.asarray(canvas.draw())

    return draw


def _prepare_lavapipe() -> None:
    """Point Vulkan's loader at the driver that was unpacked in build/peers, if it is there."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    found = list(LAVAPIPE.glob("lib/*/libvulkan_lvp.so"))
    if found:
        manifest = Path(tempfile.mkdtemp()) / "lavapipe.json"
        driver = {"library_path": str(found[0]), "api_version": "1.3.0"}
        manifest.write_text(json.dumps({"file_format_version": "1.0.0", "ICD": driver}))
        os.environ["VK_ICD_FILENAMES"] = str(manifest)
