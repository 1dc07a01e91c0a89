"""The grid of a paced loop: when ticks are due, and what becomes of slots that passed.

The k-th slot is at `origin + k * period`, computed from k each time, never by adding a rounded
period to the last wake-up: that sum is where loops drift (1 to 17 % slow at 60 to 1000 Hz, by
`make bench-core`). Nothing here reads a clock: the grid is told the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from guide.units import exact

if TYPE_CHECKING:
    from fractions import Fraction

Overrun = Literal["skip", "catch-up", "slip"]


class Grid:
    """Slots at a fixed period, and the slot that is next.

    Args:
        period_ns: exact, so that 59.94 Hz is 59.94 Hz.
        overrun: as for `Loop`.
        max_catch_up: slots behind that "catch-up" still makes up for.
        max_behind_ns: how long "catch-up" may go on being behind before it gives up the rest.
        origin_ns: the first slot.
    """

    def __init__(
        self,
        period_ns: Fraction,
        overrun: Overrun,
        max_catch_up: int,
        max_behind_ns: int,
        origin_ns: int,
    ) -> None:
        # As two integers: arithmetic of fractions takes ten times as long.
        self._num, self._den = period_ns.numerator, period_ns.denominator
        self._overrun = overrun
        self._max_catch_up = max_catch_up if overrun == "catch-up" else 0
        self._max_behind_ns = max_behind_ns
        self._origin_ns, self._slot = origin_ns, 0
        self._behind_since_ns: int | None = None
        self.due_ns = origin_ns  # when the next tick is due
        self.skipped = 0  # slots given up just before it

    def next(self, now_ns: int) -> None:
        """The tick that was due is done: find the slot of the next."""
        self._slot, self.skipped = self._slot + 1, 0
        self._place()
        if now_ns <= self.due_ns:
            self._behind_since_ns = None
        elif self._overrun == "slip":
            self._origin_ns, self._slot, self.due_ns = now_ns, 0, now_ns
        else:
            if self._behind_since_ns is None:
                self._behind_since_ns = now_ns
            spent_ns = now_ns - self._behind_since_ns
            allowed = self._max_catch_up if spent_ns < self._max_behind_ns else 0
            self.skipped = max(self.passed(now_ns) - allowed, 0)
            self._slot += self.skipped
            self._place()
            if self.due_ns >= now_ns:
                self._behind_since_ns = None

    def passed(self, now_ns: int) -> int:
        """How many slots have fallen due and passed since the one that is next, it included."""
        return -(-max(now_ns - self.due_ns, 0) * self._den // self._num)

    def skipped_before(self, t_ns: int) -> int:
        """How many of the slots just given up were due before `t_ns`."""
        first_due_ns = self._due_ns(self._slot - self.skipped)
        return min(self.skipped, -(-max(t_ns - first_due_ns, 0) * self._den // self._num))

    def give_up(self, slots: int) -> None:
        """Leave out so many slots: time in which nobody could have run them."""
        self._slot += slots
        self._place()

    def shift(self, ns: int) -> None:
        """Move all slots to come by `ns`: the time a pause took."""
        self._origin_ns += ns
        self._place()

    def _place(self) -> None:
        self.due_ns = self._due_ns(self._slot)

    def _due_ns(self, slot: int) -> int:
        return self._origin_ns + slot * self._num // self._den


class FixedStep:
    """A simulation at a rate of its own under a loop of any other: whole steps, and a remainder.

        physics = FixedStep(240)
        for tick in Loop(60):
            for _ in physics.steps(tick.t_ns):
                world.step(1 / 240)
            draw(world, physics.alpha)

    Step k is taken once time has reached k periods, so that the same times give the same steps on
    any machine. `alpha` says how far time has gone from the last step to the next, 0 up to 1: draw
    the state in between, for what is drawn else trembles. The idea is Glenn Fiedler's
    (https://gafferongames.com/post/fix_your_timestep/).

    Args:
        rate_hz: steps a second.
        max_steps: most steps at once. A simulation slower than time itself would else need ever
            more of them; steps beyond are given up and counted in `dropped`.
    """

    def __init__(self, rate_hz: float, max_steps: int = 8) -> None:
        if not rate_hz > 0 or max_steps < 1:
            raise ValueError(f"rate_hz and max_steps must be above 0, not {rate_hz}, {max_steps}")
        self._period_ns = 10**9 / exact(rate_hz)
        self._max_steps = max_steps
        self.done = 0  # steps taken or given up
        self.dropped = 0
        self.alpha = 0.0

    def steps(self, t_ns: int) -> range:
        """The steps to take now that time has reached `t_ns`, by their numbers from 0."""
        reached = int(t_ns // self._period_ns)
        first = max(self.done, reached - self._max_steps)
        self.dropped += first - self.done
        self.done = max(self.done, reached)
        # Below 1 also where the nearest double of the quotient is 1 itself.
        self.alpha = min(float(t_ns / self._period_ns - reached), 1 - 2**-53)
        return range(first, self.done)
