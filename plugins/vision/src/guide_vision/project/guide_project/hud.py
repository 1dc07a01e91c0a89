"""The text on the picture, and the numbers that go to the report."""

from guide.run import Run
from guide_vision.pipeline import Facts, Frame, Observation
from guide_vision.pipeline.motion import describe


def lines(facts: Facts, seen: Observation, latency_ms: float) -> list[str]:
    """What stands in the corner of the picture; the first line is the title. ASCII only."""
    rows = [f"{facts.name}   {facts.size}"]
    if seen.boxes is not None:
        rows.append(f"{seen.count} moving")
    elif seen.count:
        rows.append(f"{seen.count} points   {seen.support:.0%} move as one")
    if seen.motion is not None:
        dx, dy, turn, zoom = describe(seen.motion, facts.width, facts.height)
        rows.append(f"shift {dx:+.1f} {dy:+.1f} px   turn {turn:+.2f} deg   zoom {zoom:.3f}")
    if seen.error_px is not None:
        rows.append(f"error {seen.error_px:.3f} px against the truth")
    rows.append(f"latency {latency_ms:.1f} ms")
    return rows


def log(run: Run, frame: Frame, seen: Observation, latency_ms: float) -> None:
    """Record the numbers of one frame."""
    run.log("latency", latency_ms, "ms")
    run.check("seen", seen.points)  # a replay stops at the first frame that comes out otherwise
    run.log("objects" if seen.boxes is not None else "points", seen.count)
    if seen.error_px is not None:
        run.log("error", seen.error_px, "px")
    if seen.point_error_px is not None:
        run.log("error.points", seen.point_error_px, "px")
