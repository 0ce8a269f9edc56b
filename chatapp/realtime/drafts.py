"""What people write and have not sent: takes it from their tabs, stores many at once, and shows it to all their tabs.

Drafts of one moment are stored in one transaction, and of a draft that is told twice before that only the last, so
that people who type cost the database little. A draft that could not be stored is forgotten here: its tab keeps it
until it hears that it is stored, and tells it again.
"""

import asyncio
import logging
from typing import Final, TypeVar

from chatapp.database import CommitUnknown, Database
from chatapp.domain import drafts
from chatapp.domain.drafts import Draft, Pair, Save
from chatapp.errors import Later
from chatapp.realtime import frames
from chatapp.realtime.backplane import Backplane, Hint
from chatapp.realtime.connection import Connection
from chatapp.realtime.hub import Hub
from chatapp.trouble import is_worth_retrying

COLLECT_SECONDS: Final = 0.1
WAITING_MOST: Final = 5_000  # drafts, and people to be told; beyond that new ones are not taken
WAITING_CHARACTERS: Final = 4_000_000  # of all drafts that wait
TOGETHER_MOST: Final = 200  # in one transaction or query

log = logging.getLogger(__name__)

Value = TypeVar("Value")


class Drafts:
    """Owner of the drafts that wait. MUST run as one task (`run`); nothing else here waits but `sent`.

    MUSTs
    1. Only members store or are shown anything, as the statement finds that does it; others are told `removed`.
    2. Whoever tells a draft hears what is stored then, whether it is theirs or not.
    """

    def __init__(self, database: Database, hub: Hub, backplane: Backplane) -> None:
        self._database = database
        self._hub = hub
        self._backplane = backplane
        self._saves: dict[Pair, Save] = {}
        self._told: dict[Pair, Connection | None] = {}  # None: all their tabs here
        self._characters = 0
        self._wake = asyncio.Event()

    def save(self, user_id: int, room_id: int, save: Save) -> None:
        """Raises `Later` when too much waits."""
        pair = (room_id, user_id)
        before = self._saves.get(pair)
        held = self._characters + len(save.body) - (len(before.body) if before else 0)
        if (before is None and len(self._saves) >= WAITING_MOST) or held > WAITING_CHARACTERS:
            raise Later("busy", 2)
        self._characters = held
        self._saves[pair] = save
        self._wake.set()

    def tell(self, room_id: int, user_id: int, connection: Connection | None = None) -> None:
        """Shows somebody's draft to one of their tabs, or to all that are here."""
        pair = (room_id, user_id)
        if pair in self._told:
            connection = None
        if len(self._told) < WAITING_MOST or pair in self._told:
            self._told[pair] = connection
            self._wake.set()

    async def sent(self, room_id: int, user_id: int, at: int) -> None:
        """A page without scripts sent the draft of that moment. Should the database go away just now, it stays."""
        try:
            async with self._database.transaction() as tx:
                await drafts.apply_sent(tx, room_id, user_id, at)
        except Exception as error:
            if not (isinstance(error, CommitUnknown) or is_worth_retrying(error)):
                raise
            log.warning("a draft that was sent could not be removed")
        self._share((room_id, user_id))

    def waiting(self) -> int:
        return len(self._saves) + len(self._told)

    # -- the task -----------------------------------------------------------------

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(COLLECT_SECONDS)
            self._wake.clear()
            while self._saves:
                await self._store(_some(self._saves))
            while self._told:
                await self._show(_some(self._told))

    async def _store(self, some: dict[Pair, Save]) -> None:
        self._characters -= sum(len(save.body) for save in some.values())
        try:
            async with self._database.transaction() as tx:
                await drafts.apply_saves(tx, some)
        except CommitUnknown:
            pass  # what is stored is read afresh below, whatever it is
        except Exception as error:
            if not is_worth_retrying(error):
                raise
            log.warning("drafts could not be stored", extra={"count": len(some)})
            return
        for pair in some:
            self._share(pair)

    def _share(self, pair: Pair) -> None:
        self.tell(*pair)
        self._backplane.publish(Hint("draft", room_id=pair[0], user_id=pair[1]))

    async def _show(self, told: dict[Pair, Connection | None]) -> None:
        here = [pair for pair in told if self._hub.count(pair[1])]
        if not here:
            return
        found = await drafts.states(self._database, here)
        for room_id, user_id in here:
            pair = (room_id, user_id)
            frame = _frame(room_id, found.get(pair))
            connection = told[pair]
            if connection is not None:
                connection.send(frame)
            else:
                self._hub.send_user(user_id, frame)


def _frame(room_id: int, draft: Draft | None) -> bytes:
    """None: they are no member."""
    if draft is None:
        return frames.removed(room_id, "removed")
    return frames.draft(room_id, *draft)


def _some(waiting: dict[Pair, Value]) -> dict[Pair, Value]:
    return {pair: waiting.pop(pair) for pair in list(waiting)[:TOGETHER_MOST]}
