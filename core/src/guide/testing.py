"""Run tasks and check plugins in tests.

`run_task` drives a task without a terminal or a report. `PluginConformance` is the conformance
kit: subclass it in a plugin's tests, and pytest checks that core can rely on the plugin.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from guide import hookspecs
from guide.clock import Clock, VirtualClock
from guide.errors import GuideError
from guide.judge.manifest import read_manifest
from guide.learn import exercises
from guide.learn.contents import all_sections
from guide.learn.pages import check as check_section
from guide.loop import Loop, Overrun
from guide.plugin import (
    GUIDE_API,
    Diagnosis,
    Exercise,
    MeterSpec,
    Profiler,
    Scaffold,
    Section,
    Track,
    WarmUp,
    load,
)
from guide.plugins import Plugins
from guide.project import read_project
from guide.run import Failure, Run, Task, drive
from guide.scaffold import PLACEHOLDER, copy_package, new_project
from guide.timing import Summary

if TYPE_CHECKING:
    from guide.judge.nurseries import Nurseries

__all__ = ["PluginConformance", "RunRecord", "VirtualClock", "run_task"]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a task left behind."""

    run: Run

    @property
    def status(self) -> str:
        """`"finished"` or `"failed"`."""
        return "failed" if self.run.failure else "finished"

    @property
    def error(self) -> Failure | None:
        """Why it failed."""
        return self.run.failure

    @property
    def ended(self) -> str:
        """Why the loop ended: "ticks", "seconds", or what the task gave `run.stop`."""
        return self.run.loop.ended

    @property
    def ticks(self) -> int:
        """How many ticks ran."""
        return self.run.loop.log.count

    @property
    def series(self) -> dict[str, list[tuple[int, float]]]:
        """Values that were logged, as (tick, value)."""
        return {
            name: list(zip(s.ticks, s.values, strict=True)) for name, s in self.run.series.items()
        }

    @property
    def facts(self) -> dict[str, str | int | float]:
        """Facts that were stated."""
        return self.run.facts

    @property
    def notes(self) -> list[str]:
        """Notes that were made."""
        return self.run.notes

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Blocks of text, as (title, body)."""
        return self.run.texts

    @property
    def spans(self) -> dict[str, Summary]:
        """Durations by span name."""
        return {name: Summary.of(h) for name, h in self.run.timeline.stats().items()}

    @property
    def image(self) -> Any:
        """The picture at the end, H x W x 3 uint8, or None."""
        return self.run.image


def run_task(
    task: Task,
    *,
    ticks: int | None = None,
    seconds: float | None = None,
    rate_hz: float | None = None,
    overrun: Overrun = "skip",
    options: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    project: Path | None = None,
    folder: Path | None = None,
    seed: int = 0,
) -> RunRecord:
    """Run `task` here and now and return what it left behind.

    Args:
        task: the task; it is started, stepped and closed.
        ticks: stop after so many. Give this or `seconds`, unless the task stops by itself.
        seconds: stop after so much time on `clock`.
        rate_hz: as for `Loop`; with a `VirtualClock` a paced run does not wait.
        overrun: as for `Loop`.
        options: what `[tool.guide.options]` and `--set` would give.
        clock: by default the machine's.
        project: the project's folder; by default the current one.
        folder: where the task may write; by default a temporary one, removed afterwards.
        seed: as for `Run`.
    """
    loop = Loop(rate_hz, overrun, ticks=ticks, seconds=seconds, clock=clock)
    with tempfile.TemporaryDirectory(prefix="guide-run-") as temporary:
        run = Run(
            loop,
            project=project or Path.cwd(),
            folder=folder or Path(temporary),
            options=options,
            seed=seed,
        )
        drive(task, run)
    return RunRecord(run)


_HEAVY = ("torch", "cv2", "numba", "moderngl", "glfw", "trimesh", "numpy", "scipy", "pandas")


def _environment() -> dict[str, str]:
    """For a process that finds what this one finds: a plugin can be tested before it is installed.

    Without this process's own path it would miss what pytest was told by `pythonpath`.
    """
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class PluginConformance:
    """What every plugin must keep to. Subclass it, and name the plugin's module.

        from guide.testing import PluginConformance

        class TestConformance(PluginConformance):
            plugin = "guide_audio.plugin"

    Attributes:
        plugin: name of the plugin's module.
        heavy: modules that importing it must not import.
        run_ticks: how many ticks each scaffold is run for.
    """

    plugin: str = ""
    heavy: tuple[str, ...] = _HEAVY
    run_ticks: int = 3

    def _module(self) -> ModuleType:
        assert self.plugin, "set `plugin` to the name of the plugin's module"
        return importlib.import_module(self.plugin)

    def _call(self, hook: str, *arguments: str) -> list[Any]:
        function = getattr(self._module(), hook, None)
        return [] if function is None else list(function(*arguments))

    def _tracks(self) -> list[Track]:
        return self._call("guide_tracks")

    def _each(self, hook: str) -> list[Any]:
        names = ["", *(track.name for track in self._tracks())]
        found = [item for name in names for item in self._call(hook, name)]
        return list(dict.fromkeys(found))

    def test_speaks_this_api(self) -> None:
        assert getattr(self._module(), "GUIDE_API", None) == GUIDE_API, (
            f"state GUIDE_API = {GUIDE_API} in {self.plugin}"
        )

    def test_core_loads_it(self) -> None:
        plugins = Plugins([EntryPoint("it", self.plugin, "guide")], disabled=[])
        for name in ["", *(track.name for track in self._tracks())]:
            plugins.sections(name)
            plugins.exercises(name)
            plugins.scaffolds(name)
            plugins.warm_ups(name)
        plugins.meters()
        plugins.diagnoses()
        plugins.profilers()
        plugins.findings()
        assert not plugins.troubles, plugins.troubles[0].line
        for name, value in vars(self._module()).items():
            marked = hasattr(value, "guide_impl") or not hasattr(hookspecs, name)
            assert marked or not name.startswith("guide_"), f"mark {name} with @hookimpl"

    def test_import_is_light(self) -> None:
        code = f"import sys, {self.plugin}; print(*sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", code], env=_environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        heavy = set(self.heavy) & set(done.stdout.split())
        assert not heavy, f"{self.plugin} imports {sorted(heavy)}: import it where it is used"

    def test_hooks_return_data(self) -> None:
        kinds = {
            "guide_sections": Section,
            "guide_exercises": Exercise,
            "guide_projects": Scaffold,
        }
        assert all(isinstance(track, Track) for track in self._tracks())
        for hook, kind in kinds.items():
            assert all(isinstance(item, kind) for item in self._each(hook)), hook
        for spec in self._call("guide_meters"):
            assert isinstance(spec, MeterSpec)
            assert callable(load(spec.factory)), spec
        for thing in self._each("guide_warm"):
            assert isinstance(thing, WarmUp)
            assert callable(load(thing.run)), thing
        for diagnosis in self._call("guide_diagnoses"):
            assert isinstance(diagnosis, Diagnosis)
            assert callable(load(diagnosis.rule)), diagnosis
        for profiler in self._call("guide_profilers"):
            assert isinstance(profiler, Profiler)
            assert callable(load(profiler.task)), profiler
            assert find_spec(profiler.program), profiler

    def test_ids_are_unique(self) -> None:
        for hook in ("guide_sections", "guide_exercises"):
            ids = [item.id for item in self._each(hook)]
            assert len(ids) == len(set(ids)), f"{hook}: {ids}"

    def test_sections_can_be_read(self) -> None:
        for section in self._each("guide_sections"):
            text = section.file.read_text(encoding="utf-8")
            assert text.startswith("# "), f"{section.file} begins with a title"
            assert len(text.split()) > 50, f"{section.file} says too little"

    def test_sections_show_whole(self) -> None:
        own = self._each("guide_sections")
        names = {section.id for section in own}
        others = [section for section in all_sections(Plugins()) if section.id not in names]
        for section in own:
            try:
                check_section(section, [*others, *own])
            except GuideError as error:
                raise AssertionError(str(error)) from None

    def test_exercises_are_passed_by_their_solution_alone(self) -> None:
        from guide.judge.nurseries import Nurseries

        with Nurseries() as nurseries:
            for exercise in self._each("guide_exercises"):
                self._is_passed_by_its_solution_alone(exercise, nurseries)

    def _is_passed_by_its_solution_alone(self, exercise: Exercise, nurseries: Nurseries) -> None:
        assert exercise.expected or exercise.invited, f"{exercise.id}: expected of whom?"
        assert (exercise.folder / "README.md").is_file(), exercise.folder
        manifest = read_manifest(exercise.folder)
        # Right or wrong is tested here. How fast depends on what else the machine does while
        # the tests run: that is for `guide dev check`.
        check = partial(exercises.check, exercise, nurseries=nurseries)
        solution = check(manifest.solution, speed=False)
        assert solution.passed, f"{exercise.id}: the solution fails: {solution.message}"
        if manifest.bars:
            naive = check(manifest.naive, speed=False)
            assert naive.passed, f"{exercise.id}: {manifest.naive.name} is wrong: {naive.message}"
            return
        assert not check(manifest.starter).passed, f"{exercise.id}: the starter passes already"

    def test_scaffolds_are_projects(self, tmp_path: Path) -> None:
        names = [(scaffold.track, scaffold.name) for scaffold in self._each("guide_projects")]
        assert len(names) == len(set(names)), f"templates of one name: {names}"
        for scaffold in self._each("guide_projects"):
            folder = copy_package(scaffold.layers, tmp_path / scaffold.track / scaffold.name, {})
            for name in ("pyproject.toml", "README.md", "LOG.md", f"{PLACEHOLDER}/__init__.py"):
                assert (folder / name).is_file(), f"{folder} lacks {name}"
            assert list(folder.glob("tests/test_*.py")), f"{folder} has no tests"
            head = (folder / "README.md").read_text(encoding="utf-8")[:600]
            assert "guide run" in head, f"{folder}/README.md begins with the next command"
            assert read_project(folder).track == scaffold.track
            empty = [f for f in folder.rglob("*") if f.is_file() and not f.stat().st_size]
            assert not empty, f"empty files: {empty}"

    def test_what_lies_over_another_scaffold_changes_it(self) -> None:
        for scaffold in self._each("guide_projects"):
            if scaffold.over is None:
                continue
            for file in scaffold.folder.rglob("*.*"):
                below = scaffold.over / file.relative_to(scaffold.folder)
                same = below.is_file() and below.read_bytes() == file.read_bytes()
                assert not same, f"{file} says what {below} says: leave it out"

    def test_a_scaffolded_project_tests_and_runs(self, tmp_path: Path) -> None:
        for scaffold in self._each("guide_projects"):
            name = f"my_{scaffold.track}_{scaffold.name}".replace("-", "_")
            project = new_project(scaffold, tmp_path / name)
            env = {**_environment(), "PYTHONDONTWRITEBYTECODE": "1"}
            for command in (
                ["-m", "pytest", "-q", "-p", "no:cacheprovider"],
                ["-m", "guide", "run", "--ticks", str(self.run_ticks)],
            ):
                done = subprocess.run(
                    [sys.executable, *command], cwd=project, env=env, capture_output=True, text=True
                )
                assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
            reports = list(project.glob("runs/*/report.html"))
            assert len(reports) == 1, f"one run, one report; found {reports}"
