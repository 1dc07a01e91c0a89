"""From a scaffold to an answer about its run, to the promise that a later run is held to."""

import json
import subprocess
import sys


def guide(*arguments, cwd):
    command = [sys.executable, "-m", "guide", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_of_a_scaffold_is_explained_and_drawn_and_the_next_is_held_against_it(tmp_path):
    guide("new-project", "vision", "seen", cwd=tmp_path)
    project = tmp_path / "seen"
    guide("run", "--ticks", "60", cwd=project)
    said = guide("explain", cwd=project)
    assert said.startswith("A tick takes")
    assert "explain.html" in said
    first = next(project.glob("runs/*"))
    page = (first / "explain.html").read_text(encoding="utf-8")
    assert "One typical tick" in page
    for span in ("capture", "track"):  # the scaffold's own, drawn with their times
        assert f"<title>{span}, " in page
    kept = json.loads((first / "explain.json").read_text(encoding="utf-8"))
    assert kept["healthy"] == ("Nothing is wrong" in said)

    # Somebody mended something that was promised to win back a third
    fault = {"title": "a fault of old", "recoverable_ns": kept["step_ns"] // 3, "share": 0.333}
    texts = dict.fromkeys(("says", "why", "remedy", "check"), "") | {"sure": "sure", "word": None}
    lists = {name: [] for name in ("where", "evidence", "teaches", "pins")}
    kept |= {"verdicts": [fault | texts | lists], "healthy": False}
    (first / "explain.json").write_text(json.dumps(kept), encoding="utf-8")
    guide("run", "--ticks", "60", cwd=project)
    said = " ".join(guide("explain", cwd=project).split())
    assert "Last time: 33 % less was predicted for a fault of old; measured" in said
    assert "ticks" not in said.partition("; measured")[2][:60].partition(".")[0]
    assert guide("explain", *sorted(r.name for r in project.glob("runs/*")), cwd=project)
