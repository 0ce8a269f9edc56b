"""Many people who come to a room, or leave it, at once: their rows go out together.

A row of somebody who joined or left is not worth a frame to everybody for each of a thousand. The first few of a room
go out at once; after that all that came within `APART` are one frame. A message is never held: it takes along what
waits before it. Algorithm: GCRA, as in `limits.py`.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from chatapp.clock import Clock
from chatapp.domain.commands import Message
from chatapp.limits import Limits, Rate

KINDS: Final = frozenset({"joined", "left"})
APART: Final = 2.0  # seconds
AT_ONCE: Final = 3  # frames
ROWS_MOST: Final = 500  # that wait for one room; with so many they go out
ROOMS_MOST: Final = 2_000  # remembered; the one where nobody came for longest is forgotten then

Send = Callable[[int, list[Message]], None]


class Crowds:
    """MUSTs
    1. Each row goes out once, in order; `send` gets rows whose numbers have no gap.
    2. No row waits longer than `APART`.
    """

    def __init__(self, clock: Clock) -> None:
        self._waiting: dict[int, list[Message]] = {}
        self._turns = Limits(clock, capacity=ROOMS_MOST)
        self._rate = Rate("crowd", AT_ONCE, AT_ONCE * APART)

    def last(self, room_id: int) -> int:
        """The number of the last row that waits; 0 when none does."""
        rows = self._waiting.get(room_id)
        return rows[-1].changed_seq if rows else 0

    def put(self, room_id: int, rows: list[Message], send: Send) -> None:
        """Sends rows of one commit now, or within a moment. Never waits."""
        waiting = self._waiting.pop(room_id, [])
        if waiting and waiting[-1].changed_seq + 1 != rows[0].changed_seq:
            send(room_id, waiting)  # another process stored something in between
            waiting = []
        is_crowd = all(row.kind in KINDS for row in rows)
        wait = self._turns.wait(self._rate, room_id) if is_crowd and not waiting else 0.0
        together = waiting + rows
        if not is_crowd or len(together) >= ROWS_MOST or (not waiting and not wait):
            send(room_id, together)
            return
        self._waiting[room_id] = together
        if not waiting:
            asyncio.get_running_loop().call_later(wait, self._end, room_id, rows[0], send)

    def _end(self, room_id: int, first: Message, send: Send) -> None:
        waiting = self._waiting.get(room_id)
        if waiting and waiting[0] is first:  # else they went out with something else
            del self._waiting[room_id]
            self._turns.wait(self._rate, room_id)
            send(room_id, waiting)
