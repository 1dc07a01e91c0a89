"""One track in an empty environment: it installs alone, and its project is tested and runs."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# what a track must not bring: the heavy parts of the others
FOREIGN = {
    "deep-learning": {"moderngl", "glfw", "opencv-python", "numba"},
    "graphics": {"torch", "opencv-python"},
    "vision": {"torch", "moderngl", "numba"},
}


@pytest.mark.parametrize("track", sorted(FOREIGN))
def test_one_track_alone(track, tmp_path):
    venv.create(tmp_path / "env", with_pip=False)
    scripts = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    env["PATH"] = f"{scripts}{os.pathsep}{env['PATH']}"

    def call(*command: str, cwd: Path = tmp_path) -> str:
        program = str(scripts / command[0])  # an absolute path stays what it is
        done = subprocess.run(
            [program, *command[1:]], cwd=cwd, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def pip(*command: str) -> str:
        own = ["-m", "pip", "--python", str(tmp_path / "env"), "--disable-pip-version-check"]
        return call(sys.executable, *own, *command)

    # Compiled is what is imported, as it is imported: a small part of what a track brings.
    install = ["install", "-q", "--no-compile", "-c", str(ROOT / "constraints.txt")]
    pip(*install, f"{ROOT}[{track},test]")

    installed = {row["name"] for row in json.loads(pip("list", "--format=json"))}
    assert {"guide-core", f"guide-{track}"} <= installed
    assert not installed & FOREIGN[track]
    tracks = json.loads(call("guide", "tracks", "--json"))
    assert [row["name"] for row in tracks["tracks"]] == [track]
    assert tracks["troubles"] == []

    call("guide", "new-project", track, "my_project")
    project = tmp_path / "my_project"
    call("python", "-m", "pytest", "-q", cwd=project)
    call("guide", "run", "--ticks", "5", cwd=project)
    (run,) = (project / "runs").iterdir()
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    assert (run / "report.html").is_file()
    assert json.loads((run / "trace.json").read_text())["traceEvents"]
