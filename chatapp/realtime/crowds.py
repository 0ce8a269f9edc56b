"""Many people who come to a room, leave it, or react in it, at once: their rows go out together.

A row of somebody who joined, left or reacted is not worth a frame to everybody for each of a thousand. The first few of
a room go out at once; after that all that came within `APART` are one frame, in which a message that changed many times
is as it was last. A message that was said is never held: it takes along what waits before it. Algorithm: GCRA, as in
`limits.py`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from chatapp.clock import Clock
from chatapp.domain.commands import Message
from chatapp.limits import Limits, Rate

KINDS: Final = frozenset({"joined", "left"})
APART: Final = 2.0  # seconds
AT_ONCE: Final = 3  # frames
ROWS_MOST: Final = 500  # that wait for one room; with so many they go out
CHARACTERS_MOST: Final = 32 * 1024  # of what people wrote in them
ROOMS_MOST: Final = 2_000  # remembered; the one where nobody came for longest is forgotten then

# A room, the number before the first change, and the rows as they were last, oldest change first.
Send = Callable[[int, int, list[Message]], None]


@dataclass(slots=True)
class _Waiting:
    """`start`: the number before the first change. `rows` by place, in the order of their last change."""

    start: int
    last: int
    rows: dict[int, Message] = field(default_factory=dict)

    def add(self, rows: list[Message]) -> None:
        for row in rows:
            self.rows.pop(row.seq, None)
            self.rows[row.seq] = row
        self.last = rows[-1].changed_seq

    @property
    def is_full(self) -> bool:
        size = sum(len(row.body) + len(row.reactions or "") for row in self.rows.values())
        return len(self.rows) >= ROWS_MOST or size >= CHARACTERS_MOST


class Crowds:
    """MUSTs
    1. Each change goes out once, in order; what `send` gets has no gap in its numbers.
    2. No row waits longer than `APART`.
    """

    def __init__(self, clock: Clock) -> None:
        self._waiting: dict[int, _Waiting] = {}
        self._turns = Limits(clock, capacity=ROOMS_MOST)
        self._rate = Rate("crowd", AT_ONCE, AT_ONCE * APART)

    def last(self, room_id: int) -> int:
        """The number of the last row that waits; 0 when none does."""
        waiting = self._waiting.get(room_id)
        return waiting.last if waiting else 0

    def put(self, room_id: int, rows: list[Message], send: Send, *, patient: bool = False) -> None:
        """Sends rows of one commit now, or within a moment if they are patient. Never waits."""
        before = rows[0].changed_seq - 1
        waiting = self._waiting.pop(room_id, None)
        if waiting and waiting.last != before:
            self._send(room_id, waiting, send)  # another process stored something in between
            waiting = None
        is_crowd = patient or all(row.kind in KINDS for row in rows)
        wait = self._turns.wait(self._rate, room_id) if is_crowd and not waiting else 0.0
        together = waiting or _Waiting(before, before)
        together.add(rows)
        if not is_crowd or together.is_full or (not waiting and not wait):
            self._send(room_id, together, send)
            return
        self._waiting[room_id] = together
        if not waiting:
            asyncio.get_running_loop().call_later(wait, self._end, room_id, together, send)

    def _end(self, room_id: int, which: _Waiting, send: Send) -> None:
        if self._waiting.get(room_id) is which:  # else they went out with something else
            del self._waiting[room_id]
            self._turns.wait(self._rate, room_id)
            self._send(room_id, which, send)

    @staticmethod
    def _send(room_id: int, waiting: _Waiting, send: Send) -> None:
        send(room_id, waiting.start, list(waiting.rows.values()))
