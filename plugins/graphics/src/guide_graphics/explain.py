"""Rules that explain the run of a renderer: what its spans and facts have in common.

They read the spans of the engine, "render/vertices" to "render/shade" of the software renderer,
"render/draw" and "render/readback" of OpenGL's, and the facts that a `Viewer` states.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from guide.foundations.rules.seen import Seen, places
from guide.plugin import Verdict, Word
from guide.units import duration, percent

_WAITS = 0.3
"""The share of a frame that must be waiting for the device before it is called a stall."""

_CALLS = 100
"""Draw calls below which nobody has to count them: each costs some microseconds."""

_FEW_CALLS = 10
"""Draw calls that are left when meshes of one material are joined or instanced."""

_CALLING = 0.3
"""The share of a frame that calling must take."""

_FINE = 0.5
"""Triangles for each pixel of the picture from which most are too small to be seen."""

_ENOUGH = 0.1
"""Triangles for each pixel that are enough: ten pixels to one, at an outline fewer."""

_GEOMETRY = 0.3
"""The share of a frame that triangles must take: transforming, setting up and covering them."""

_COVERED = 0.5
"""The part of covering that goes with the triangles; the other half is pixels, which large ones
have to cover as well."""

_MOST = 0.4
"""The share of a frame that makes a stage the one that limits."""

_HELP = 0.1
"""The share of the loop's CPU time below which the other threads are of no use."""

_STAGES = {
    "render/shadow": "Take a smaller shadow map, or draw it anew only when something moved.",
    "render/vertices": "Take a mesh with fewer vertices.",
    "render/setup": "Take a mesh with fewer triangles, and leave out what faces away.",
    "render/raster": "Take fewer and larger triangles, and fewer layers behind one another.",
    "render/shade": "Draw fewer pixels (--set width=... --set height=...), with fewer lights.",
    "render/points": "Draw fewer points.",
    "render/draw": "Draw fewer pixels, or fewer triangles: the device takes its time for them.",
}
_GEOMETRIC = {"render/vertices": 1.0, "render/setup": 1.0, "render/raster": _COVERED}
_GEOMETRIC |= {"render/shadow": _COVERED}


def device_waits(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether the CPU waits for the device, and the device then for the CPU, in every frame.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    facts = record.get("facts") or {}
    if not seen.tells or not seen.bound or facts.get("backend") != "opengl":
        return []
    waits = {n: ns for n, ns in seen.waits().items() if n in ("render/draw", "render/readback")}
    wait_ns = max(sum(waits.values()) - seen.delay_ns, 0.0)
    if wait_ns < _WAITS * seen.work_ns:
        return []
    span = max(waits, key=lambda n: waits[n])
    ours_ns = seen.work_ns - wait_ns
    device = seen.spans.get("gpu/draw")
    evidence = [
        *seen.evidence,
        *((f"waiting in {name}", duration(ns)) for name, ns in waits.items()),
        ("all else, on the CPU", duration(ours_ns)),
    ]
    if device:
        evidence.append(("the device draws, by its own clock", duration(device["mean_ns"])))
    given_ns = min(ours_ns, wait_ns)
    if "draws on the CPU" in str(facts.get("renderer")):
        given_ns = 0.0  # no device: its threads and ours share the processors
    given = "the shorter of the two: both then go on at once" if given_ns else "nothing: no device"
    evidence.append(("given back", given))
    return [
        Verdict(
            "waiting for the device",
            f"{span} waits {duration(wait_ns)} of {duration(seen.work_ns)} for the device to draw, "
            f"and the device waits while the CPU prepares the next frame.",
            round(given_ns),
            why="To read a picture at once, everything before it has to be finished. Copied into "
            "a pixel buffer and fetched a frame later, nobody waits.",
            remedy="Open GlRenderer with latency=1: the picture is one frame older.",
            check="Run again: render/draw takes as long as its calls, and no longer.",
            sure="likely",
            where=places(record, [span]),
            evidence=tuple(evidence),
            word=Word("readback", "Copying a picture from the device to memory the CPU reads."),
            teaches=("m5/s13",),
        )
    ]


def draw_calls(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether saying what to draw takes longer than drawing.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    facts = record.get("facts") or {}
    calls = facts.get("draw calls")
    asked = (seen.used or {}).get("spans", {}).get("render/draw")
    if not seen.tells or not isinstance(calls, int) or calls < _CALLS or not asked:
        return []
    if facts.get("backend") != "opengl" or not (seen.bound or seen.missed_over("over budget")):
        return []
    calling_ns = asked["cpu_ns"] / max(asked["count"], 1)
    if calling_ns < _CALLING * seen.work_ns * seen.calm:
        return []
    return [
        Verdict(
            "too many draw calls",
            f"{calls:,} draw calls keep the CPU busy for {duration(calling_ns)}, "
            f"{percent(calling_ns, seen.work_ns)} of a frame.",
            round(calling_ns * (1 - _FEW_CALLS / calls)),
            why="Each call checks what it is given and hands it over; for a small mesh that takes "
            "longer than to draw it.",
            remedy="Join meshes of one material into one, or draw them as instances of it.",
            check="Run again: render/draw falls with the number of calls.",
            sure="likely",
            where=places(record, ["render/draw"]),
            evidence=(
                *seen.evidence,
                ("draw calls", f"{calls:,}"),
                ("a call", duration(calling_ns / calls)),
                ("given back", f"the time of all but {_FEW_CALLS} of them"),
            ),
            word=Word("draw call", "One order to draw one mesh with one state."),
            teaches=("m4/s14",),
        )
    ]


def fine_mesh(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether triangles are smaller than what anybody can see.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    facts = record.get("facts") or {}
    triangles, pixels = facts.get("triangles"), _pixels(facts)
    if not seen.tells or not seen.bound or not pixels or not isinstance(triangles, int):
        return []
    each = {n: seen.a_tick(s["total_ns"]) for n, s in seen.spans.items() if n in _GEOMETRIC}
    geometry_ns = sum(each.values())
    if triangles < _FINE * pixels or geometry_ns < _GEOMETRY * seen.work_ns:
        return []
    enough = max(round(_ENOUGH * pixels), 1)
    goes_ns = sum(ns * _GEOMETRIC[name] for name, ns in each.items()) * (1 - enough / triangles)
    goes_ns *= seen.calm
    return [
        Verdict(
            "triangles smaller than pixels",
            f"{triangles:,} triangles for {pixels:,} pixels: they take {duration(geometry_ns)}, "
            f"{percent(geometry_ns, seen.work_ns)} of a frame, and most cover no pixel.",
            round(goes_ns),
            why="Each is transformed, tested and sorted whether it is seen or not.",
            remedy=f"Draw a coarser mesh, {enough:,} triangles are enough for this picture: "
            f"--set triangles={enough}",
            check="Run again: render/setup and render/raster fall with the triangles.",
            sure="likely",
            where=places(record, ["render/setup"]),
            evidence=(
                *seen.evidence,
                ("triangles a pixel", f"{triangles / pixels:.2g}"),
                *((name, duration(ns)) for name, ns in each.items()),
                ("given back", "transforming and setup, half of covering, for what is too many"),
            ),
            word=Word(
                "level of detail", "How fine a mesh is; far away a coarse one looks the same."
            ),
            teaches=("m1/s3", "m2/s13"),
        )
    ]


def limiting_stage(record: Mapping[str, Any]) -> list[Verdict]:
    """The stage that takes most of a frame, where frames follow one another without a pause.

    That is no fault: it gives nothing back, and says where to look.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    stages = {n: s for n, s in seen.inside.items() if n in _STAGES}
    if not seen.tells or not seen.bound or not stages or fine_mesh(record):
        return []
    name = max(stages, key=lambda n: stages[n]["total_ns"])
    each_ns = seen.a_tick(stages[name]["total_ns"])
    if each_ns < _MOST * seen.work_ns:
        return []
    return [
        Verdict(
            f"{name.removeprefix('render/')} limits",
            f"{name} takes {duration(each_ns)}, {percent(each_ns, seen.work_ns)} of a frame: what "
            "makes another stage quicker changes little.",
            remedy=_STAGES[name],
            sure="sure",
            evidence=(
                *seen.evidence,
                *((n, duration(seen.a_tick(s["total_ns"]))) for n, s in stages.items()),
            ),
            word=Word("limiting stage", "The one that takes most: only what it saves is saved."),
            teaches=("m2/s13", "m2/s0"),
        )
    ]


def idle_threads(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether the threads of the software renderer have nothing to do.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    said = re.search(r"numba, (\d+) threads", str((record.get("facts") or {}).get("renderer")))
    if not seen.tells or not seen.bound or said is None or seen.used is None:
        return []
    threads = int(said[1])
    if seen.used["others_ns"] > _HELP * seen.used["cpu_ns"]:
        return []
    return [
        Verdict(
            "threads that do not pay",
            f"The renderer has {threads} threads, and those beside the loop did "
            f"{percent(seen.used['others_ns'], seen.used['cpu_ns'])} of what it did itself.",
            remedy="Where frames are this small one thread is as quick: threads=1.",
            sure="likely",
            evidence=(
                *seen.evidence,
                ("CPU, the loop, a frame", duration(seen.a_tick(seen.used["cpu_ns"]))),
                ("CPU, all others, a frame", duration(seen.a_tick(seen.used["others_ns"]))),
            ),
            word=Word("fork and join", "Handing parts of a job to threads, and waiting for all."),
            teaches=("m2/s0", "m2/s13"),
        )
    ]


def _pixels(facts: Mapping[str, Any]) -> int:
    size = re.fullmatch(r"(\d+)\s*x\s*(\d+)", str(facts.get("size", "")))
    return int(size[1]) * int(size[2]) if size else 0
