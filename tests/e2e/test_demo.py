"""The main job of the README, shortened: one second for each project."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_demo_ends_with_a_page_that_links_three_reports(tmp_path):
    command = [sys.executable, str(ROOT / "projects" / "demo.py"), str(tmp_path / "demo"), "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    page = Path(done.stdout.splitlines()[-1])
    text = page.read_text(encoding="utf-8")
    reports = set(re.findall(r"href='([^']*report\.html)'", text))
    assert len(reports) == 3
    for report in reports:
        assert "<svg" in (page.parent / report).read_text(encoding="utf-8")
    assert text.count("<img") + text.count("<figure") == 3  # a picture each
    assert not re.search(r"(src|href)=.?https?:", text)  # opens offline
