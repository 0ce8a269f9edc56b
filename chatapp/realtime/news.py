"""Tells people what is new in their rooms while they look at another: numbers and authors, no words.

A browser adds what it is told to the counts it was given with the page, by the rooms' numbers: what leaves a gap, or is
too much for a frame, makes it ask for its counts again. A lost frame is noticed with the next one, and a lost hint by
comparing with the database.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from chatapp.clock import Clock
from chatapp.database import Database
from chatapp.domain import messages
from chatapp.domain.commands import Message
from chatapp.realtime import frames
from chatapp.realtime.backplane import Backplane
from chatapp.realtime.rosters import Rosters
from chatapp.realtime.supervisor import Supervisor

APART_SECONDS: Final = 0.5  # between two frames of a room
ROWS_MOST: Final = 100  # in a frame; more are not listed
COMPARE_SECONDS: Final = 1.0
COMPARE_SELDOM: Final = 10.0  # while hints arrive

Row = tuple[int, int]  # number, author


class _Room:
    """`told`: the number up to which followers here were told; `seq`: up to which they will be, with `rows`. None in
    place of rows: too many."""

    __slots__ = ("at", "rows", "seq", "timer", "told")

    def __init__(self, told: int) -> None:
        self.told = told
        self.seq = told
        self.rows: list[Row] | None = []
        self.at: float | None = None  # when followers were told last
        self.timer: asyncio.TimerHandle | None = None


class News:
    """Owner of what followers have been told. Rooms that nobody follows here cost nothing."""

    def __init__(
        self,
        database: Database,
        rosters: Rosters,
        backplane: Backplane,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        self._database = database
        self._rosters = rosters
        self._backplane = backplane
        self._supervisor = supervisor
        self._clock = clock
        self._rooms: dict[int, _Room] = {}
        self._filling: set[int] = set()

    def committed(self, room_id: int, start: int, seq: int, rows: Sequence[Message]) -> None:
        """A room went from number `start` to `seq`. Comes back at once."""
        written = [(row.seq, row.author_id) for row in rows if row.kind == "message" and row.is_new]
        self._add(room_id, start, seq, written)

    def fill(self, room_id: int, *, unheard: bool = False) -> None:
        """Another process stored something: reads what. Comes back at once. `unheard`: its hints did not come, and so
        none either that says that a message does not count any more, or counts again: then browsers have to ask."""
        if self._rosters.is_followed(room_id) and room_id not in self._filling:
            self._filling.add(room_id)
            self._supervisor.spawn(self._fill(room_id, unheard), "news")

    async def _fill(self, room_id: int, unheard: bool) -> None:
        try:
            room = self._rooms.get(room_id)
            told = room.seq if room is not None else None
            found = await messages.authors(self._database, room_id, told, ROWS_MOST + 1)
            if found is not None:
                start = found.seq if told is None else told
                doubtful = unheard and await messages.has_changed(self._database, room_id, start)
                self._add(room_id, start, found.seq, None if doubtful else found.rows)
        finally:
            self._filling.discard(room_id)

    def _add(self, room_id: int, start: int, seq: int, rows: Sequence[Row] | None) -> None:
        if not self._rosters.is_followed(room_id):
            self._drop(room_id)
            return
        room = self._rooms.get(room_id)
        if room is None:
            room = self._rooms[room_id] = _Room(start)
        if start > room.seq:  # we missed something: browsers will notice by the numbers, and ask
            room.told = start
            room.rows = []
        elif seq <= room.seq and room.at is not None:
            return
        if rows is None:
            room.rows = None
        elif room.rows is not None:
            room.rows += [row for row in rows if row[0] > room.seq]
            if len(room.rows) > ROWS_MOST:
                room.rows = None
        room.seq = max(seq, room.seq)
        if room.timer is None:
            since = APART_SECONDS if room.at is None else self._clock.monotonic() - room.at
            wait = APART_SECONDS - since
            if wait <= 0:
                self._send(room_id, room)
            else:
                loop = asyncio.get_running_loop()
                room.timer = loop.call_later(wait, self._send, room_id, room)

    def _send(self, room_id: int, room: _Room) -> None:
        room.timer = None
        room.at = self._clock.monotonic()
        frame = frames.news(room_id, room.told, room.seq, room.rows)
        room.told, room.rows = room.seq, []
        self._rosters.send(room_id, frame)

    def _drop(self, room_id: int) -> None:
        room = self._rooms.pop(room_id, None)
        if room is not None and room.timer is not None:
            room.timer.cancel()

    async def compare_forever(self) -> None:
        """Hints get lost: looks for rooms that went on without our hearing of it."""
        while True:
            connected = self._backplane.is_connected()
            await asyncio.sleep(COMPARE_SELDOM if connected else COMPARE_SECONDS)
            await self.compare()

    async def compare(self) -> None:
        followed = self._rosters.followed()
        for room_id in self._rooms.keys() - set(followed):
            self._drop(room_id)
        if followed:
            for room_id, last in (await messages.last_numbers(self._database, followed)).items():
                room = self._rooms.get(room_id)
                if room is None or last > room.seq:
                    self.fill(room_id, unheard=True)
