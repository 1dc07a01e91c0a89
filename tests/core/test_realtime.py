"""The requests are made to the real kernel and read back; nothing is mocked but absence."""

import gc
import json
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from guide import realtime as module
from guide.realtime import Grants, realtime

linux = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for what only Linux grants")
root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may drop to another user"
)


def slack_ns() -> int:
    return module._libc().prctl(module._PR_GET_TIMERSLACK, 0, 0, 0, 0)


def state() -> dict[str, object]:
    """All that realtime() may change, as the kernel and Python tell it."""
    status = Path("/proc/self/status").read_text()
    return {
        "policy": os.sched_getscheduler(0),
        "priority": os.sched_getparam(0).sched_priority,
        "slice": module._get_attr()[module._RUNTIME],
        "slack": slack_ns(),
        "locked": next(x for x in status.splitlines() if x.startswith("VmLck")).split()[1] != "0",
        "awake": any(
            link.is_symlink() and os.readlink(link) == str(module._CPU_DMA_LATENCY)  # noqa: PTH115
            for link in Path("/proc/self/fd").iterdir()
        ),
        "gc": gc.isenabled(),
        "frozen": gc.get_freeze_count() > 0,
        "switch": sys.getswitchinterval(),
    }


def names(grants: Grants) -> list[str]:
    return [what for what, _ in grants.refused]


@linux
def test_what_it_says_it_got_is_what_the_kernel_reads_back():
    with realtime() as grants:
        now = state()
    got = "; ".join(grants.granted)
    assert ("SCHED_FIFO 49" in got) == (now["policy"] == os.SCHED_FIFO | os.SCHED_RESET_ON_FORK)
    assert ("locked memory" in got) == now["locked"]
    assert ("cpu_dma_latency 0" in got) == now["awake"]
    assert ("EEVDF slice" in got) == (now["slice"] == 100_000)
    assert "timer slack 1 ns" in got
    if "SCHED_FIFO" in got:
        assert now["priority"] == 49
    else:
        assert now["slack"] == 1  # a real-time thread has none, and the kernel says 0
    assert "frozen gc" in got
    assert not now["gc"]
    assert now["frozen"]


@linux
def test_everything_is_given_back():
    before = state()
    with realtime():
        assert state() != before
    assert state() == before


@linux
def test_everything_is_given_back_after_an_exception():
    before = state()
    with pytest.raises(RuntimeError, match="of the loop"), realtime():
        raise RuntimeError("of the loop")
    assert state() == before


@linux
def test_a_refusal_half_way_keeps_what_was_granted_before(monkeypatch):
    before = state()

    def refuse(given):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(module, "_go_first", refuse)
    with realtime() as grants:
        now = state()
    assert "SCHED_FIFO" in names(grants)
    assert now["slack"] == 1
    assert state() == before


@linux
def test_threads_and_processes_begun_inside_are_ordinary():
    policies = []
    with realtime():
        thread = threading.Thread(target=lambda: policies.append(os.sched_getscheduler(0)))
        thread.start()
        thread.join()
        child = subprocess.run(
            [sys.executable, "-c", "import os; print(os.sched_getscheduler(0))"],
            capture_output=True,
            text=True,
            check=True,
        )
    assert policies == [os.SCHED_OTHER]
    assert child.stdout.strip() == str(os.SCHED_OTHER)


@linux
def test_a_machine_without_the_device_is_one_refusal_with_its_price(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_CPU_DMA_LATENCY", tmp_path / "none")
    with realtime() as grants:
        pass
    assert dict(grants.refused)["cpu_dma_latency 0"] == (
        "no such file or directory: idle cores wake 30 to 60 us later"
    )


@linux
def test_an_unknown_processor_is_refused_the_slice_only(monkeypatch):
    def refuse(given):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(module, "_go_first", refuse)
    monkeypatch.setattr(module, "_SCHED_SETATTR", {})
    with realtime() as grants:
        pass
    assert "not known how" in dict(grants.refused)["EEVDF slice"]


def test_a_gc_that_was_off_stays_off():
    gc.disable()
    try:
        with realtime() as grants:
            pass
        assert not gc.isenabled()
        assert not grants.collect_between
    finally:
        gc.enable()


def test_the_loop_is_told_to_collect_for_itself():
    with realtime() as grants:
        assert grants.collect_between
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.mark.parametrize(("platform", "name"), [("darwin", "macOS"), ("win32", "Windows")])
def test_elsewhere_it_says_in_one_line_that_nothing_is_granted(monkeypatch, platform, name):
    monkeypatch.setattr(sys, "platform", platform)
    with realtime() as grants:
        line = grants.line
    assert line == (
        "granted frozen gc, GIL turns of 0.1 ms; refused all else "
        f"({name} offers no more: under load ticks wake ms late)"
    )


def test_the_line_says_what_was_got_and_what_a_refusal_costs():
    grants = Grants(("a", "b"), (("c", "no such file: 5 us"),), False)
    assert grants.line == "granted a, b; refused c (no such file: 5 us)"
    assert Grants((), (), False).line == "granted nothing"


@root
def test_an_ordinary_user_gets_the_rest_and_gives_it_back():
    """In a process of its own, as nobody; nobody may not read this Python, so all is imported."""
    program = textwrap.dedent("""
        import json, os, resource, sys
        from guide import realtime as m
        with m.realtime():
            pass
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 20, 1 << 20))
        resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        def state():
            slack = m._libc().prctl(m._PR_GET_TIMERSLACK, 0, 0, 0, 0)
            return [os.sched_getscheduler(0), m._get_attr()[m._RUNTIME], slack]
        before = state()
        with m.realtime() as grants:
            during = state()
        after = state()
        print(json.dumps([before, during, after, grants.granted, grants.refused, grants.line]))
    """)
    child = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    before, during, after, granted, refused, line = json.loads(child.stdout)
    assert [what for what, _ in refused][:3] == ["locked memory", "cpu_dma_latency 0", "SCHED_FIFO"]
    assert "timer slack 1 ns" in granted
    assert during[0] == os.SCHED_OTHER
    assert during[2] == 1
    assert ("EEVDF slice 100 us" in granted) == (during[1] == 100_000)
    assert after == before
    assert "\n" not in line


@root
def test_who_loses_the_privilege_inside_can_still_give_it_back():
    program = textwrap.dedent("""
        import os
        from guide.realtime import realtime
        with realtime():
            os.setuid(65534)
        print(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK)
    """)
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert child.stdout.strip() == str(os.SCHED_OTHER), child.stderr
