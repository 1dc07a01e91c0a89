from guide_graphics import plugin
from guide_graphics.raster.scene import Scene
from guide_graphics.raster.traffic import count, default_scene, table


def test_the_section_says_what_is_counted():
    scene, camera, size = default_scene()
    alone = count(Scene(scene.meshes[:1], scene.materials), camera, size)
    counted = table({"teapot": alone, "with ground": count(scene, camera, size)})
    text = plugin.guide_sections("graphics")[0].file.read_text(encoding="utf-8")
    assert counted in text
