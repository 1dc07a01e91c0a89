"""From what a trace knows of a function to the line to look at."""

import json
import textwrap
from pathlib import Path

import pytest

import guide.loop
from guide.explain.reading import read_trace
from guide.explain.source import (
    candidates,
    innermost_python,
    own_python,
    program_calls,
    span_places,
)

PROGRAM = """\
import time
import torch
from torch.utils.data import DataLoader


def step(model, batch, losses):
    keep = batch > 0
    loss = model(batch[keep])
    losses.append(loss.item())
    if len(losses) % 10 == 0:
        print("loss", losses[-1])
    small = batch[batch < 1, :]
    picked = batch[~keep & (batch != 3)]
    first = batch[0]

    def later():
        return loss.item()

    return (
        small
        .cpu()
        .numpy()
    )


class Trainer:
    @torch.no_grad()
    def step(self, x):
        time.sleep(0.1)
        with torch.autograd.set_detect_anomaly(True):
            return [float(each.item()) for each in x]


def main():
    loader = torch.utils.data.DataLoader(range(3))
    for batch in loader:
        Trainer().step(batch)


main()
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "src" / "train.py"
    file.parent.mkdir()
    file.write_text(PROGRAM)
    return file


def lines(name, *constructs, roots=()):
    return [place.line for place in candidates(name, constructs, roots)]


@pytest.mark.parametrize(
    ("construct", "expected"),
    [
        (".item", [9]),
        ("print", [11]),
        ("[mask]", [8, 12, 13]),
        (".cpu", [21]),
        (".numpy", [22]),
        ("len", [10]),
    ],
)
def test_the_line_that_does_it_is_found_in_the_function(program, construct, expected):
    assert lines("src/train.py(6): step", construct) == expected


def test_the_likeliest_construct_comes_first_with_the_lines_text(program):
    first, second = candidates("src/train.py(6): step", ["print", ".item"])
    assert (str(first), first.text) == ("src/train.py:11", 'print("loss", losses[-1])')
    assert second.text == "losses.append(loss.item())"


def test_of_two_functions_of_one_name_it_is_the_one_at_that_line(program):
    # A decorated one begins with its decorator, for Python
    assert lines("src/train.py(27): step", ".item") == [31]
    assert lines("src/train.py(27): step", "time.sleep", "set_detect_anomaly") == [29, 30]


def test_a_function_that_ran_when_the_trace_began_is_named_by_a_line_within(program):
    assert lines("src/train.py(37): main", "DataLoader", "for") == [35, 36]
    assert lines("src/train.py(40): <module>", "main") == [40]


def test_a_function_that_moved_is_found_by_its_name(program):
    program.write_text("# a new line\n# and another\n" + PROGRAM)
    assert lines("src/train.py(6): step", ".item") == [11]


def test_a_function_that_does_none_of_it_is_a_place_itself(program):
    place = candidates("src/train.py(34): main", [".nonzero"])[0]
    assert (str(place), place.text) == ("src/train.py:34", "def main():")


@pytest.mark.parametrize(
    "name",
    [
        "train.py(6): step",
        "/home/somebody/elsewhere/src/train.py(6): step",
        "C:\\x\\train.py(6): step",
    ],
)
def test_a_path_that_was_cut_or_is_another_machines_is_found_below_the_folder(program, name):
    assert [str(place) for place in candidates(name, [".item"])] == ["src/train.py:9"]


def test_given_roots_come_before_the_working_folder(program, tmp_path):
    other = tmp_path / "other" / "src"
    other.mkdir(parents=True)
    (other / "train.py").write_text("def step():\n    x.item()\n")
    name = "src/train.py(1): step"
    assert [str(p) for p in candidates(name, [".item"], [tmp_path / "other"])] == [
        "other/src/train.py:2"
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"def step(: no",
        b"# \xff\xfe\ndef step(): x.item()",
        b"x = 1\n",
        b"\0",
        b"(" * 100_000,
        None,
    ],
    ids=["no Python", "not UTF-8", "not in it", "bytes", "deep", "absent"],
)
def test_a_file_that_cannot_be_used_gives_the_function_as_the_trace_names_it(program, content):
    if content is None:
        program.unlink()
    else:
        program.write_bytes(content)
    found = candidates("src/train.py(6): step", [".item"])
    assert [(str(place), place.text) for place in found] == [("src/train.py:6", "step")]


def test_what_is_no_function_of_a_file_gives_no_place():
    assert candidates("<built-in method item of Tensor object at 0x7f>", [".item"]) == ()
    assert candidates("nn.Module: Linear_0", [".item"]) == ()


def test_a_name_that_no_file_can_have_is_no_trouble(program):
    for file in ("a" * 900, "/", "..", "a\0b.py", "\udc80.py"):
        name = f"{file}(3): step"
        assert [place.line for place in candidates(name, [".item"])] == [3]
        assert own_python(name) in (True, False)


def test_a_persons_own_code_is_told_from_libraries_and_from_pythons(program):
    own = ["src/train.py(6): step", "my_model/net.py(3): forward", "/home/me/x.py(1): <module>"]
    others = [
        "torch/nn/modules/module.py(1): _call_impl",
        "threading.py(973): _bootstrap",
        "/usr/lib/python3.11/json/decoder.py(1): f",
        "/opt/venv/lib/python3.12/site-packages/lib/x.py(1): f",
        "click/core.py(1): main",
        "<string>(1): <module>",
        "<frozen importlib._bootstrap>(241): _call",
        "<built-in method print>",
    ]
    assert [name for name in [*own, *others] if own_python(name)] == own


def test_an_engine_of_ours_is_a_library_wherever_it_lies_but_for_who_works_on_it(
    tmp_path, monkeypatch
):
    name = f"{guide.loop.__file__}(1): run"
    monkeypatch.chdir(tmp_path)
    assert not own_python(name)
    monkeypatch.chdir(Path(guide.loop.__file__).parent.parent)
    assert own_python(name)


def test_a_comprehension_is_a_loop(program):
    program.write_text("def decoded(raw):\n    scale = 255\n    return [b / scale for b in raw]\n")
    assert lines("src/train.py(1): decoded", "for") == [3]


def test_what_was_called_before_the_trace_began_is_found_in_the_files_it_names(program):
    (program.parent / "set_up.py").write_text("import torch\nmodel = torch.Net()\n")
    (program.parent / "other.py").write_text("torch.optim.AdamW(2)\n")
    program.write_text("torch.optim.AdamW(1)\ndef step():\n    pass\n")
    ran = ["src/train.py(2): step", "torch/x.py(1): y"]
    (here,) = program_calls(ran, ["AdamW"])
    assert (str(here), here.text) == ("src/train.py:1", "torch.optim.AdamW(1)")
    (elsewhere,) = program_calls(ran, ["Net"], [program.parent])
    assert str(elsewhere) == "src/set_up.py:2"
    assert program_calls(ran, ["Missing"], [program.parent]) == ()


def test_the_innermost_function_of_ones_own_is_found_around_an_event_and_at_a_moment(tmp_path):
    def x(name, ts, dur, cat="python_function", tid=1):
        return {"ph": "X", "cat": cat, "name": name, "pid": 1, "tid": tid, "ts": ts, "dur": dur}

    events = [
        x("train.py(30): main", 0, 1000),
        x("train.py(6): step", 100, 200),
        x("torch/_tensor.py(5): wrapped", 110, 100),
        x("aten::item", 120, 50, "cpu_op"),
        x("train.py(50): log", 500, 100),
        x("other.py(1): worker", 0, 1000, tid=2),
    ]
    file = tmp_path / "trace.json"
    file.write_text(json.dumps({"traceEvents": events}))
    trace = read_trace(file)
    item = int(trace.events.named("aten::item")[0])
    assert innermost_python(trace, item) == "train.py(6): step"
    track = int(trace.events.track[item])
    moments = {130_000: "step", 350_000: "main", 520_000: "log", 1_000_000: None, -5: None}
    for t_ns, expected in moments.items():
        found = innermost_python(trace, t_ns=t_ns, track=track)
        assert (found and found.rpartition(" ")[2]) == expected
    assert innermost_python(trace, t_ns=130_000, track=99) is None


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))


def test_a_span_is_found_where_it_is_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path,
        task="""\
            # with tick.span("detect"): a comment is no code
            def step(tick, timeline):
                with tick.span("detect"):
                    pass
                timeline.add("copy", 0, 1)
                run(thing, span="upload")
                ready = timeline.lap("forward")
        """,
        stages="""\
            class Stage:
                name = "blur"
                text = "detect"

            def turn():
                names = ("sort", "draw", "swap")
                phase = "sort"
        """,
    )
    (tmp_path / "tests").mkdir()
    write(tmp_path / "tests", test_task='with tick.span("detect"): pass\n')
    found = {
        name: [str(place) for place in span_places(tmp_path, name)]
        for name in ("detect", "copy", "upload", "forward", "blur", "sort", "nowhere at all")
    }
    assert found == {
        "detect": ["task.py:3"],
        "copy": ["task.py:5"],
        "upload": ["task.py:6"],
        "forward": ["task.py:7"],
        "blur": ["stages.py:2"],
        "sort": ["stages.py:7"],
        "nowhere at all": [],
    }
    assert span_places(tmp_path, "detect")[0].text == 'with tick.span("detect"):'


def test_the_line_of_the_project_comes_before_those_of_the_engine(tmp_path):
    stage = 'import guide_vision\nclass Draw:\n    name = "draw"\n'
    write(tmp_path, stages=stage)  # the engine has stages of that name, too
    (found,) = span_places(tmp_path, "draw")
    assert found.file.endswith("stages.py")
    assert found.line == 3


def test_the_method_that_does_a_stages_work_stands_for_the_stage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stages = """\
        class Blur:
            name = "blur"

            def __init__(self, size):
                self.size = size

            def grow(self):
                self.size += 1

            def process(self, frame):
                return frame

        class Sort:
            name = "sort"

            def run(self):
                pass
    """
    write(tmp_path, stages=stages)
    found = [str(place) for name in ("blur", "sort") for place in span_places(tmp_path, name)]
    assert found == ["stages.py:10", "stages.py:16"]


def test_a_span_of_the_engine_is_found_in_the_engine(tmp_path):
    write(tmp_path, task="import guide_graphics.raster\n")
    found = span_places(tmp_path, "render/shade")
    assert found
    assert all("guide_graphics" in place.file for place in found)
    assert all("render/shade" in place.text for place in found)


def test_of_a_module_that_does_none_of_it_its_loop_is_named_and_no_comment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("# by hand\nimport time\nwhile True:\n    time.sleep(1)\n")
    (tmp_path / "flat.py").write_text("# by hand\nimport time\n")
    assert [place.line for place in candidates("train.py(1): <module>", (".item",))] == [3]
    assert [str(place) for place in candidates("flat.py(1): <module>")] == ["flat.py"]
