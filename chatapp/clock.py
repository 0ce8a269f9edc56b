"""Clocks as values, so that tests can hold time still.

`Clock` gives seconds: `monotonic` for durations, `wall` (Unix time) for labels and expiry.
"""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """What the rest of the code asks for the time. Both in seconds."""

    def monotonic(self) -> float: ...

    def wall(self) -> float: ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()


@dataclass
class HeldClock:
    """A clock that moves only when told to: the in-memory twin for tests."""

    now: float = 1_700_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
