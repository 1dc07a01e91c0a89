from guide.testing import PluginConformance


class TestGraphics(PluginConformance):
    plugin = "guide_graphics.plugin"
