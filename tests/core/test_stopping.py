"""What a second signal does ends the process, so processes it is done to."""

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from guide.stopping import stop_signals

CODE = """
import signal, sys, time
from guide.stopping import stop_signals
first = {first}
with stop_signals(first):
    print("ready", flush=True)
    {body}
print("done", flush=True)
"""


STUCK = "c.pthread_mutex_lock(m)"


def until_delivered(process):
    """Wait until no signal is pending: two that are would be delivered as one."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        time.sleep(0.2)
        return
    while "ShdPnd:\t0000000000000000" not in status.read_text():
        time.sleep(0.001)


def until_asleep(process):
    """Wait until the main thread waits for the lock; until then a handler could still run."""
    while ") S " not in Path(f"/proc/{process.pid}/stat").read_text():
        time.sleep(0.001)


def start(body, first="lambda: print('first', flush=True)"):
    code = CODE.format(body=body, first=first)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_calls_and_the_block_goes_on(number):
    process = start("time.sleep(60)")
    process.send_signal(number)
    assert process.stdout.readline() == "first\n"
    process.kill()
    process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="a mutex of zeros is one on Linux alone")
@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (signal.SIGINT, signal.SIGINT, 130),
        (signal.SIGINT, signal.SIGTERM, 143),
        (signal.SIGTERM, signal.SIGINT, 130),
    ],
)
def test_the_second_signal_ends_the_process_even_inside_a_c_call(first, second, code):
    # A lock taken twice waits for ever, and no signal makes the call return.
    lock = "import ctypes; c, m = ctypes.CDLL(None), ctypes.create_string_buffer(64)"
    process = start(f"{lock}; c.pthread_mutex_lock(m); print('in', flush=True); {STUCK}")
    assert process.stdout.readline() == "in\n"
    until_asleep(process)
    process.send_signal(first)
    until_delivered(process)
    process.send_signal(second)
    assert process.wait(timeout=30) == code
    assert process.communicate()[0] == ""


def test_the_second_signal_ends_a_python_sleep():
    process = start("time.sleep(60); time.sleep(60)")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "first\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    process.communicate()


def test_what_the_first_signal_raises_leaves_the_block():
    def interrupt():
        raise KeyboardInterrupt

    def body():
        with stop_signals(interrupt):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        body()


def test_handlers_are_put_back_and_nothing_is_left_open():
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with stop_signals(lambda: None):
        assert signal.getsignal(signal.SIGINT) is not before[0]
        watcher = next(t for t in threading.enumerate() if t.name == "guide-signals")
    watcher.join(timeout=30)
    assert not watcher.is_alive()
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_other_signals_do_not_count():
    process = start("[time.sleep(0.01) for _ in range(5)]; print('still here', flush=True)")
    for _ in range(3):
        process.send_signal(signal.SIGWINCH)
    out, _ = process.communicate(timeout=30)
    assert out == "still here\ndone\n"
    assert process.returncode == 0


def test_outside_the_main_thread_it_stands_aside():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def body():
        with stop_signals(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [before]


def test_blocks_can_follow_each_other_without_using_up_sockets():
    with socket.socket() as probe:
        before = probe.fileno()
    for _ in range(50):
        with stop_signals(lambda: None):
            pass
    for thread in [t for t in threading.enumerate() if t.name == "guide-signals"]:
        thread.join(timeout=30)
    with socket.socket() as probe:
        assert probe.fileno() <= before + 2
