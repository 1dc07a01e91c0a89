"""What guide relies on: ids, files, exercises that only their solution passes, a running project.

Tests of your own stand beside this file.
"""

from guide.testing import PluginConformance


class TestConformance(PluginConformance):
    plugin = "guide_example_track.plugin"
