"""Bringing readers up to date from the database: one who (re)connects, or a room whose numbers have a gap."""

import asyncio
from collections.abc import Iterator
from typing import Final

from chatapp.database import Database
from chatapp.domain import memberships, messages
from chatapp.domain.commands import Message
from chatapp.domain.messages import Changes
from chatapp.errors import Missing
from chatapp.fragments import Fragments
from chatapp.realtime import frames
from chatapp.realtime.connection import Connection
from chatapp.realtime.crowds import Crowds
from chatapp.realtime.hub import Hub
from chatapp.realtime.supervisor import Supervisor
from chatapp.realtime.tails import Tails
from chatapp.realtime.together import Together

# Of bodies, and of what hangs on them, in one frame. Escaped and with their rows they may be six times as much.
FRAME_CHARACTERS: Final = 32 * 1024
PATIENCE: Final = 0.1  # seconds


class Catchup:
    """Reads what hubs and browsers missed. One reader per room, however many ask."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        fragments: Fragments,
        tails: Tails,
        supervisor: Supervisor,
        epoch: str,
        crowds: Crowds,
    ) -> None:
        self._database = database
        self._crowds = crowds
        self._hub = hub
        self._fragments = fragments
        self._tails = tails
        self._supervisor = supervisor
        self._epoch = epoch
        self._standings = Together[tuple[int, int], memberships.Standing](
            lambda pairs: memberships.standings(database, pairs), supervisor
        )
        self._filling: set[int] = set()
        self._again: set[int] = set()
        self._comparing: asyncio.Task[None] | None = None

    async def watch(self, connection: Connection, room_id: int, epoch: str, seq: int) -> None:
        """Registers, then reads from the cursor, then lets live frames through: nothing falls between.

        Membership is asked after registering, so that a removal in between is not missed.
        Raises `Missing`, `Forbidden`.
        """
        self._hub.watch(connection, room_id)
        try:
            known = memberships.last_number(
                await self._standings.get((room_id, connection.user_id))
            )
            last = await self._send_changes(connection, room_id, epoch, seq, known)
            while last is not None and self._hub.has_hole(connection, room_id, last):
                last = await self._send_changes(connection, room_id, epoch, last)
        except BaseException:
            self._hub.unwatch(connection, room_id)
            raise
        if room_id not in connection.rooms:
            return  # removed while we were reading
        if last is None:
            self._hub.unwatch(connection, room_id)
            connection.send(frames.reload(room_id))
            return
        if self._hub.caught_up(connection, room_id, last):
            connection.send(frames.watching(room_id, last))
        else:
            connection.send(frames.reload(room_id))

    async def _send_changes(
        self, connection: Connection, room_id: int, epoch: str, seq: int, known: int | None = None
    ) -> int | None:
        """Returns the number reached, or None when the reader must load the room afresh.

        `known`: the room's last number, when the database has just told it. Then memory may have the rest.
        """
        if epoch != self._epoch:
            return None
        if seq == known:
            return seq
        while True:
            found = None if known is None else self._tails.changes(room_id, seq, known)
            if found is None:
                found = await messages.changes(self._database, room_id, seq)
            known = None
            if found is None:
                return None
            if any(r.is_end and r.author_id == connection.user_id for r in found.messages):
                await memberships.standing(self._database, room_id, connection.user_id)
            await self._fragments.ready(found.messages)
            if room_id not in connection.rooms:
                return seq
            for start, end, frame in self._frames(room_id, seq, found):
                await connection.drained()
                if room_id not in connection.rooms:
                    return start
                connection.send(frame)
                seq = end
            if not found.more:
                return seq

    def _frames(self, room_id: int, start: int, found: Changes) -> Iterator[tuple[int, int, bytes]]:
        """What was found in frames that a connection may have waiting: start, number, frame."""
        part: list[Message] = []
        size = 0
        for message in found.messages:
            length = len(message.body) + len(message.reactions or "") + len(message.preview or "")
            if part and size + length > FRAME_CHARACTERS:
                end = part[-1].changed_seq
                yield start, end, frames.changes(room_id, start, end, self._fragments.many(part))
                start, part, size = end, [], 0
            part.append(message)
            size += length
        if found.seq > start:
            last = frames.changes(room_id, start, found.seq, self._fragments.many(part))
            yield start, found.seq, last

    def fill(self, room_id: int) -> None:
        """Reads what a room's watchers here have not been given yet. Comes back at once."""
        if room_id in self._filling:
            self._again.add(room_id)
            return
        self._filling.add(room_id)
        self._supervisor.spawn(self._fill(room_id), "fill")

    async def _fill(self, room_id: int) -> None:
        try:
            while True:
                self._again.discard(room_id)
                seq = self._hub.watched().get(room_id)
                if seq is None:
                    return
                found = await messages.changes(self._database, room_id, seq)
                if found is None:  # too much at once: everybody reads for themselves
                    self._hub.reload(room_id)
                    return
                if found.seq > seq:
                    await self._fragments.ready(found.messages)
                    self._tails.advance(room_id, seq, found.seq, found.messages)
                    await self._take_out(room_id, found)
                    for start, end, frame in self._frames(room_id, seq, found):
                        self._hub.deliver(room_id, start, end, frame)
                        await asyncio.sleep(0)
                if not found.more and room_id not in self._again:
                    return
        except Missing:
            self._hub.depart(room_id, None, "deleted")
        finally:
            self._filling.discard(room_id)

    async def _take_out(self, room_id: int, found: Changes) -> None:
        """Those who left according to the log, before they are shown what came after. No hint may have told."""
        left = {row.author_id: row.kind for row in found.messages if row.is_end}
        for user_id in left.keys() & self._hub.watchers(room_id):
            if not await memberships.is_member(self._database, room_id, user_id):
                self._hub.depart(room_id, user_id, left[user_id])

    def verify(self, room_id: int, user_id: int | None) -> None:
        """Somebody says that members left: asks the database, and takes out those of whom it is true."""

        async def ask() -> None:
            for member in self._hub.watchers(room_id):
                if user_id not in {None, member}:
                    continue
                pair = (room_id, member)
                found = (await memberships.standings(self._database, [pair]))[pair]
                if found.last_seq is None:
                    self._hub.depart(room_id, None, "deleted")
                    return
                if not found.is_member:
                    self._hub.depart(room_id, member, "removed")

        if self._hub.is_watched(room_id):
            self._supervisor.spawn(ask(), "verify")

    def compare_soon(self) -> None:
        """What another process told us may have been lost. However often this is asked, one at a time compares."""
        if self._comparing is None or self._comparing.done():
            self._comparing = self._supervisor.spawn(self.compare(), "compare")

    async def compare(self, patience: float = 0) -> None:
        """Asks the database for the last numbers of the rooms watched here and fills those that are behind, and are
        still so after `patience` (seconds): what is being stored here just now is on its way to everybody."""
        watched = self._hub.watched()
        if not watched:
            return
        last = await messages.last_numbers(self._database, list(watched))
        for room_id in watched.keys() - last.keys():
            self._hub.depart(room_id, None, "deleted")
        behind = {
            room_id
            for room_id, seq in last.items()
            if seq > max(watched[room_id], self._crowds.last(room_id))
        }
        if behind:
            await asyncio.sleep(patience)
        watched = self._hub.watched()
        for room_id in behind:
            if watched.get(room_id, last[room_id]) < last[room_id]:
                self.fill(room_id)

    async def compare_forever(self, seconds: float = 1.0) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self.compare(PATIENCE)
