"""What a run uses: meters, their readings, and the sampler that reads them beside the loop."""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Callable, Sequence
from typing import Any, overload

from guide.meter import Meter, Reading, Unavailable, Usage
from guide.process import ProcessMeter, ThreadStamps
from guide.timing import Timeline

__all__ = ["Meter", "ProcessMeter", "Reading", "Sampler", "ThreadStamps", "Unavailable", "Usage"]

Sample = tuple[int, tuple[Reading, ...]]
_Meaning = tuple[tuple[str, str, Any, str], ...]  # name, unit, kind, source


class Samples(Sequence[Sample]):
    """What was sampled: (ns, readings), oldest first. The readings are made when asked for.

    What is held are packed numbers, half a kilobyte a sample. Objects would be three times as
    large, and a garbage collection would walk through all of them while a tick waits: 70 ms
    after a quarter of an hour.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[int, _Meaning, bytes]] = []
        self._meanings: dict[_Meaning, _Meaning] = {}  # each held once

    def append(self, t_ns: int, readings: Sequence[Reading]) -> None:
        """Add a sample."""
        meaning = tuple((r.name, r.unit, r.kind, r.source) for r in readings)
        numbers = [n for r in readings for n in (r.value, r.low, r.high)]
        packed = array("d", (math.nan if n is None else n for n in numbers)).tobytes()
        self._rows.append((t_ns, self._meanings.setdefault(meaning, meaning), packed))

    def thin(self) -> None:
        """Drop every second sample; the first stays, and of an odd number the last."""
        self._rows = self._rows[::2]

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self._unpacked(*row) for row in self._rows[index]]
        return self._unpacked(*self._rows[index])

    def _unpacked(self, t_ns: int, meaning: _Meaning, packed: bytes) -> Sample:
        numbers = array("d", packed)
        bounds = [None if math.isnan(number) else number for number in numbers]
        each = zip(meaning, numbers[::3], bounds[1::3], bounds[2::3], strict=True)
        return t_ns, tuple(
            Reading(name, value, unit, kind, source, low, high)
            for (name, unit, kind, source), value, low, high in each
        )


class _Probe:
    """A meter, what it last said, and when it is to be read again."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.found: tuple[Reading, ...] = ()
        self.took_ns = self.due_ns = 0


class Sampler:
    """Reads all meters from a thread of its own, so that the loop never waits for one.

    A meter may take one hundredth of the time: one that took longer twice in a row is read less
    often, and in between its last readings stand. Memory is bounded: the record is thinned, never
    cut, when it holds 20 000 samples, half an hour at ten a second.

    Args:
        meters: started by `start`.
        now_ns: the clock that stamps the samples.
        every_s: time between two samples.
        on_sample: called after each sample, on the sampler's thread.

    Attributes:
        samples: the record.
        failed: a line for each meter that gave up, and for each thing a meter cannot read.
    """

    _FULL = 20_000
    _SHARE = 100

    def __init__(
        self,
        meters: Sequence[Meter],
        now_ns: Callable[[], int],
        every_s: float = 0.1,
        on_sample: Callable[[], None] | None = None,
    ) -> None:
        self._probes = [_Probe(meter) for meter in meters]
        self._now_ns = now_ns
        self._every_s = every_s
        self._on_sample = on_sample
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="guide-sampler", daemon=True)
        self._latest: tuple[Reading, ...] = ()
        self.samples = Samples()
        self.failed: list[str] = []

    def start(self) -> None:
        """Start the meters and the sampling. A meter that raises is left out, as in `sample`."""
        for probe in list(self._probes):
            try:
                probe.meter.start()
            except Exception as error:
                self._give_up(probe, error)
        self.sample()
        self._thread.start()

    def stop(self) -> None:
        """Take a last sample, of every meter, and end."""
        if self._thread.is_alive():
            self._done.set()
            self._thread.join()
            for probe in self._probes:
                probe.due_ns = 0
            self.sample()

    def latest(self) -> tuple[Reading, ...]:
        """The newest readings; empty before the first."""
        return self._latest

    def count_into(self, timeline: Timeline) -> None:
        """Put the levels that were sampled on a timeline, as counters."""
        for t_ns, readings in self.samples:
            for reading in readings:
                if reading.kind == "level":
                    timeline.counter(f"{reading.name}, {reading.unit}", reading.value, t_ns)

    def sample(self) -> None:
        """Read each meter whose turn it is. One that raises is left out, and said in `failed`."""
        # Stamped beside the first reading: at the end, a wait for the interpreter would lie between
        # what was read and when, and a rate would come out at 400 % of two cores.
        t_ns = self._now_ns()
        for probe in list(self._probes):
            before_ns = self._now_ns()
            if probe.due_ns > before_ns:
                continue
            try:
                found = tuple(probe.meter.read().readings)
                math.fsum(reading.value for reading in found)  # raises for what is no number
            except Exception as error:  # a stranger's meter must not end the run
                self._give_up(probe, error)
                continue
            took_ns = self._now_ns() - before_ns
            # Twice in a row: once may be the machine, which let the sampler wait.
            probe.due_ns = before_ns + self._SHARE * min(took_ns, probe.took_ns)
            probe.took_ns, probe.found = took_ns, found
            for line in getattr(probe.meter, "absent", ()):
                if line not in self.failed:
                    self.failed.append(line)
        self._latest = tuple(reading for probe in self._probes for reading in probe.found)
        self.samples.append(t_ns, self._latest)
        if len(self.samples) > self._FULL:
            self.samples.thin()
            self._every_s *= 2
        if self._on_sample is not None:
            self._on_sample()

    def _give_up(self, probe: _Probe, error: Exception) -> None:
        self._probes.remove(probe)
        self.failed.append(f"meter {type(probe.meter).__name__} stopped: {error}")

    def _run(self) -> None:
        while not self._done.wait(self._every_s):
            self.sample()
