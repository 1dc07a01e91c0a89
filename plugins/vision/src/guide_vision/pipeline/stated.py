"""What a run's record says of its pipeline, for the rules that explain it: see `explain.py`."""

from __future__ import annotations

from guide.run import Run
from guide_vision.pipeline.pipeline import Pipeline


def state(run: Run, pipeline: Pipeline) -> None:
    """State how a pipeline was set and what became of its frames, as facts. After its `close`."""
    books = pipeline.books
    run.fact("link", pipeline.link if isinstance(pipeline.link, str) else "sample")
    run.fact("live", int(pipeline.live))
    run.fact("workers", pipeline.workers)
    run.fact("OpenCV threads", pipeline.cv_threads)
    if parallel := [stage.name for stage in pipeline.stages if getattr(stage, "parallel", False)]:
        run.fact("parallel stages", ", ".join(parallel))
    run.fact("frames captured", books.captured)
    run.fact("frames replaced", books.dropped["replaced"])
