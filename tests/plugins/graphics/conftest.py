import pytest

from guide.timing import Timeline
from guide_graphics.raster import open_renderer
from guide_graphics.raster.ladder.renderer import LadderRenderer
from guide_graphics.raster.software.renderer import SoftwareRenderer


@pytest.fixture(scope="module")
def opened():
    """Open a renderer by name and size, or hand out the one that is: `opened("software", size)`."""
    kept = {}

    def get(kind, size, **options):
        key = kind, size, *sorted(options.items())
        if key not in kept:
            kept[key] = _open(kind, size, options)
        return kept[key]

    yield get
    for renderer in kept.values():
        renderer.close()


def _open(kind, size, options):
    if kind == "ladder":
        return LadderRenderer(size, Timeline(keep=10), options.get("threads", 1))
    if kind == "tiles":
        return SoftwareRenderer(size, Timeline(keep=10), **options)
    renderer = open_renderer(size, kind, **options)
    if kind == "opengl" and "llvmpipe" not in renderer.description:
        renderer.close()
        pytest.skip(f"the gates are for Mesa's llvmpipe, and here it is {renderer.description}")
    return renderer
