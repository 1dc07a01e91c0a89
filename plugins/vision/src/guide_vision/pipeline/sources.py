"""Open a source by what a person types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from guide.clock import Clock
from guide.errors import UsageError
from guide_vision.pipeline.camera import Camera, Stream
from guide_vision.pipeline.clip import Clip
from guide_vision.pipeline.crossings import Crossings
from guide_vision.pipeline.faults import faults_for
from guide_vision.pipeline.frame import Source
from guide_vision.pipeline.images import Images, files_of, is_pattern
from guide_vision.pipeline.marbles import Marbles
from guide_vision.pipeline.reconnect import Reconnecting
from guide_vision.pipeline.virtual import VirtualCamera


def open_source(
    name: str,
    *,
    clock: Clock | None = None,
    width: int = 640,
    height: int = 360,
    photo: Path | None = None,
    noise: float = 2.0,
    seed: int = 0,
    loop: bool = False,
    stall_s: float | None = None,
    give_up_s: float = 0.0,
    stopping: Callable[[], bool] | None = None,
    gray: bool = False,
    folder: Path | None = None,
) -> Source:
    """The source that `name` means; it is opened by its link.

    Args:
        name: `"virtual"`, a camera that moves over a photograph, each frame made when asked
            for; `"virtual:live"`, the same, 30 a second, ready or not; `"virtual:marbles"`, a
            camera at rest before which marbles roll; `"virtual:crossings"`, the same with
            things that hide one another, their boxes and ids known. Any of them with faults,
            `"virtual:crossings+dim+drop"`: `+drop`, `+duplicate`, `+late`, `+dim` (steps of
            light), `+resize` (half the size from frame 150 on), `+shake` (a hand-held camera),
            `+barcode` (time and number in the picture; from 256 pixels of width on). Or `"0"`,
            a camera's number; an `http://` or `rtsp://` address; the path of a video file; or
            pictures, as a folder or a pattern such as `frames/*.png` or `frames/img_%04d.jpg`.
        clock: what stamps the frames; by default the system's.
        width: of the virtual camera, and what a real one is asked for.
        height: likewise.
        photo: what the virtual camera looks at; by default a cup of coffee.
        noise: standard deviation of the virtual camera's noise, in grey levels.
        seed: of that noise.
        loop: start a file again at its end.
        stall_s: how long a live source may stay silent: by default 2 s when it is then lost for
            good, 0.4 s when it is opened again.
        give_up_s: how long a live source that was lost is opened again, see `Reconnecting`; 0:
            not at all.
        stopping: ends those attempts when it says yes.
        gray: pictures are the decoder's Y plane, H x W, of a stream or a file; no conversion.
        folder: where a relative path is looked for, after the working directory.

    Raises:
        UsageError: when `name` is none of these.
    """
    kind, *faults = name.split("+")
    kind, _, variant = kind.partition(":")
    if kind == "virtual" and gray:
        raise UsageError("a virtual camera has no Y plane", "leave out gray=true")
    if kind == "virtual":
        if variant not in ("", "live", "marbles", "crossings"):
            raise UsageError(
                f"there is no source {name}",
                "virtual, virtual:live, virtual:marbles or virtual:crossings",
            )
        still = variant in ("marbles", "crossings")
        camera = VirtualCamera(
            _find(photo, folder) if photo else None,
            width=width,
            height=height,
            noise=0 if still else noise,
            speed=0 if still else 1,
            seed=seed,
            live=variant == "live",
            clock=clock,
        )
        source: Source = camera
        if variant == "marbles":
            source = Marbles(camera, noise=noise, seed=seed)
        elif variant == "crossings":
            source = Crossings(camera, noise=noise, seed=seed)
        return faults_for(faults, source, seed=seed, clock=clock)
    if stall_s is None:
        stall_s = 0.4 if give_up_s else 2.0
    live: Camera | Stream | None = None
    if name.isdecimal() and len(name) < 10:
        if gray:
            raise UsageError("a camera of this machine gives no Y plane", "leave out gray=true")
        live = Camera(int(name), width=width, height=height, stall_s=stall_s, clock=clock)
    scheme, separator, _ = name.partition("://")
    if separator:
        if scheme.lower() not in ("http", "https", "rtsp"):
            raise UsageError(f"a stream begins with http:// or rtsp://, not {scheme}://")
        live = Stream(name, stall_s=stall_s, gray=gray, clock=clock)
    if live is not None:
        if not give_up_s:
            return live
        return Reconnecting(live, give_up_s=give_up_s, stopping=stopping or (lambda: False))
    if not name:
        raise UsageError("no source was named", "type --set source=virtual, or a file's path")
    path = _find(Path(name), folder)
    if path.is_dir() or (is_pattern(name) and not path.exists()):
        if folder is not None and not files_of(path):
            path = folder / path
        return Images(path, loop=loop, gray=gray, clock=clock)
    return Clip(path, loop=loop, gray=gray, clock=clock)


def _find(path: Path, folder: Path | None) -> Path:
    try:
        path = path.expanduser()
        if not path.exists() and folder is not None and (folder / path).exists():
            return folder / path
    except RuntimeError:
        raise UsageError(
            f"{path.parts[0]} is no home folder of this machine", "write the path out in full"
        ) from None
    except OSError as error:  # a name that is too long, a folder that is closed to this user
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot read {path}: {why}", "check its path") from None
    return path
