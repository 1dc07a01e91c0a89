"""What this machine has for the vision track, as lines of `guide doctor`."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from guide.plugin import Finding

# They all write the same folder `cv2`: whichever was installed last wins, file by file.
_DISTRIBUTIONS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)


def findings() -> list[Finding]:
    """Everything there is to say. Imports OpenCV."""
    found = [_which(installed())]
    try:
        import cv2

        # FFmpeg, windows and threads are a property of the build, so ask the build
        build = cv2.getBuildInformation()
        version, threads = cv2.__version__, cv2.getNumThreads()
    except (ImportError, AttributeError) as error:
        reason = (str(error) or "it is not whole").splitlines()[0]
        remedy = found[0].remedy or "pip install --force-reinstall --no-deps opencv-python"
        if "libGL" in reason or "libgthread" in reason:
            remedy = "pip uninstall opencv-python, then pip install opencv-python-headless"
        return [*found, Finding("OpenCV", "problem", f"import cv2 fails: {reason}", remedy)]
    from guide_vision.pipeline.sinks import gui_backend, has_display

    found.append(
        Finding("OpenCV", "ok", f"{version}, {threads} threads a call unless told otherwise")
    )
    if "FFMPEG:YES" in build.replace(" ", ""):
        found.append(Finding("video files and streams", "ok", "built with FFmpeg"))
    else:
        found.append(
            Finding(
                "video files and streams",
                "problem",
                "this OpenCV was built without FFmpeg: no mp4, no http, no rtsp",
                "pip install --force-reinstall --no-deps opencv-python",
            )
        )
    backend = gui_backend()
    if backend == "NONE":
        windows = "none in this build (headless); pictures are in the report and in recordings"
    elif not has_display():
        windows = f"{backend}, but there is no display here"
    else:
        windows = ""
    found.append(Finding("windows", "note" if windows else "ok", windows or backend))
    found.append(cameras())
    return found


def installed() -> list[tuple[str, str]]:
    """The OpenCV distributions that are installed, as (name, version)."""
    there = []
    for name in _DISTRIBUTIONS:
        try:
            there.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return there


def _which(there: Sequence[tuple[str, str]]) -> Finding:
    """Whether exactly one distribution brings `cv2`."""
    title = "OpenCV distribution"
    if not there:
        return Finding(
            title,
            "note",
            "none that pip knows of; cv2, if it is there, came another way",
            "pip install opencv-python",
        )
    names = [name for name, _ in there]
    listed = ", ".join(f"{name} {version}" for name, version in there)
    if len(there) == 1:
        return Finding(title, "ok", listed)
    keep = names[0]
    return Finding(
        title,
        "problem",
        f"{listed}: they overwrite each other's files",
        f"pip uninstall -y {' '.join(names)}; pip install {keep}",
    )


def cameras(devices: Path = Path("/dev")) -> Finding:
    """The cameras of this machine, where they can be counted without opening them."""
    if not sys.platform.startswith("linux"):
        return Finding("cameras", "note", "not listed on this system; try --set source=0")
    nodes = sorted(devices.glob("video*"), key=lambda node: (len(node.name), node.name))
    if not nodes:
        return Finding("cameras", "note", "none; --set source=virtual needs none")
    shut = [node.name for node in nodes if not os.access(node, os.R_OK | os.W_OK)]
    if shut:
        return Finding(
            "cameras",
            "problem",
            f"this user may not open {', '.join(shut)}",
            "sudo usermod -aG video $USER, then log in again",
        )
    numbers = ", ".join(node.name.removeprefix("video") for node in nodes)
    return Finding("cameras", "ok", f"{numbers}; --set source={nodes[0].name[5:]}")
