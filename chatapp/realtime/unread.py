"""What people read: takes their windows' marks, stores many at once, and tells all their windows what is left.

Marks of one moment are stored in one transaction, so a thousand readers of one message cost one commit. A mark that
could not be stored is forgotten: the window tells the same or more with its next one, and nothing that was said depends
on it.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final, TypeVar

from chatapp.database import CommitUnknown, Database
from chatapp.domain import unread
from chatapp.domain.unread import Mark
from chatapp.realtime import frames
from chatapp.realtime.backplane import Backplane, Hint
from chatapp.realtime.hub import Hub
from chatapp.trouble import is_worth_retrying

COLLECT_SECONDS: Final = 0.1
WAITING_MOST: Final = 20_000  # marks, and people to be told; beyond that new ones are not taken
TOGETHER_MOST: Final = 500  # in one transaction or query

log = logging.getLogger(__name__)

Pair = tuple[int, int]  # room, user
Value = TypeVar("Value")


class UnreadMarks:
    """Owner of the marks that wait. MUST run as one task (`run`); nothing else here waits."""

    def __init__(self, database: Database, hub: Hub, backplane: Backplane) -> None:
        self._database = database
        self._hub = hub
        self._backplane = backplane
        self._marks: dict[Pair, Mark] = {}
        self._told: dict[Pair, bool] = {}  # whom to tell, and whether other processes as well
        self._under_way = 0
        self._asking: set[Pair] = set()  # whose counts are being read
        self._wake = asyncio.Event()

    def mark(self, user_id: int, room_id: int, mark: Mark) -> None:
        """A window tells what its reader has seen. The largest number counts, unless it goes back."""
        pair = (room_id, user_id)
        before = self._marks.get(pair)
        if before is None and len(self._marks) >= WAITING_MOST:
            return
        if before is not None:
            place = before.place if mark.place is None else mark.place
            later = mark if mark.back or mark.read > before.read else before
            mark = Mark(later.read, mark.back or before.back, place)
        self._marks[pair] = mark
        self._wake.set()

    def tell(self, room_id: int, user_ids: Iterable[int], *, others: bool = False) -> None:
        """Their counts may be other ones: tells their windows here, and `others`: at other processes too."""
        for user_id in user_ids:
            pair = (room_id, user_id)
            if len(self._told) < WAITING_MOST or pair in self._told:
                self._told[pair] = others or self._told.get(pair, False)
        self._wake.set()

    def depart(self, room_id: int, user_id: int | None) -> None:
        """Somebody (None: everybody) left a room: what is being counted for them comes too late."""
        for pair in [each for each in (*self._told, *self._asking) if each[0] == room_id]:
            if user_id in {None, pair[1]}:
                self._told.pop(pair, None)
                self._asking.discard(pair)

    def waiting(self) -> int:
        return len(self._marks) + len(self._told) + self._under_way

    # -- the task -----------------------------------------------------------------

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(COLLECT_SECONDS)
            self._wake.clear()
            try:
                while self._marks:
                    await self._store(self._some(self._marks))
                while self._told:
                    await self._send(self._some(self._told))
            finally:
                self._under_way = 0
                self._asking.clear()

    async def _store(self, marks: dict[Pair, Mark]) -> None:
        try:
            async with self._database.transaction() as tx:
                await unread.apply_marks(tx, marks)
        except CommitUnknown:
            pass  # what is left is read afresh below, whatever it is
        except Exception as error:
            if not is_worth_retrying(error):
                raise
            log.warning("what people read could not be stored", extra={"count": len(marks)})
            return
        for room_id, user_id in marks:
            self.tell(room_id, [user_id], others=True)

    async def _send(self, told: dict[Pair, bool]) -> None:
        for (room_id, user_id), others in told.items():
            if others:
                self._backplane.publish(Hint("unread", room_id=room_id, user_id=user_id))
        here = [pair for pair in told if self._hub.count(pair[1])]
        if not here:
            return
        self._asking = set(here)
        found = await unread.counts(self._database, here)
        for (room_id, user_id), count in found.items():
            if (room_id, user_id) in self._asking:
                self._hub.send_user(user_id, frames.unread(*count))

    def _some(self, waiting: dict[Pair, Value]) -> dict[Pair, Value]:
        some = {pair: waiting.pop(pair) for pair in list(waiting)[:TOGETHER_MOST]}
        self._under_way = len(some)
        return some
