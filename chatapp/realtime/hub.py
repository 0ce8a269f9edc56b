"""The hub: live connections by room, by user and by session. Knows frames, not what is in them.

MUSTs
1. Never awaits: a slow connection costs the others nothing.
2. Delivers a room's frames in the order of its numbers; an old one is dropped, one that leaves a gap is reported to
   the caller (`deliver` returns False), who reads the missing rows and delivers them instead.
3. A user who left a room is taken out before the next frame of that room is delivered.
4. A connection that is catching up gets frames after its catch-up, not before: they wait in `_late`, at most
   `LATE_MOST`, beyond which it must load the room afresh.
5. A frame for more than `SLICE` connections is written in slices, one each time the event loop goes round, so that
   nobody waits for a large room. Later frames of that room queue behind it; at most `SLICES_MOST` slices wait, beyond
   which all are written at once.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Collection
from typing import Final, Protocol

from chatapp.realtime import frames
from chatapp.realtime.connection import Connection

LATE_MOST: Final = 256
SLICE: Final = 1000
SLICES_MOST: Final = 200


_Held = tuple[int, int, bytes]  # start, number, frame


class _Channel:
    """A room with people watching here. `seq`: the last number delivered, None until one is known."""

    __slots__ = ("late", "live", "seq", "slices")

    def __init__(self) -> None:
        self.seq: int | None = None
        self.live: set[Connection] = set()
        self.late: dict[Connection, list[_Held] | None] = {}
        self.slices: deque[tuple[list[Connection], bytes]] = deque()

    def send(self, frame: bytes, but: int | None = None) -> None:
        """To everybody who is live now, in the order of calls; not to the tabs of the user `but`."""
        if len(self.live) <= SLICE and not self.slices:
            for connection in self.live:
                if connection.user_id != but:
                    connection.send(frame)
            return
        if not self.slices:
            asyncio.get_running_loop().call_soon(self._write_on)
        everybody = [connection for connection in self.live if connection.user_id != but]
        for start in range(0, len(everybody), SLICE):
            self.slices.append((everybody[start : start + SLICE], frame))
        while len(self.slices) > SLICES_MOST:
            self._write_slice()

    def _write_on(self) -> None:
        self._write_slice()
        if self.slices:
            asyncio.get_running_loop().call_soon(self._write_on)

    def _write_slice(self) -> None:
        some, frame = self.slices.popleft()
        for connection in some:
            if connection in self.live:  # it may have left meanwhile
                connection.send(frame)


class Follow(Protocol):
    def __call__(self, room_id: int, *, wanted: bool) -> None: ...


def _alone(room_id: int, *, wanted: bool) -> None:
    """There is no other process to hear from."""


class Hub:
    """Owner of all connections of this process. `follow` is told when somebody begins to watch a room here, and when
    the last has gone."""

    def __init__(self, follow: Follow = _alone) -> None:
        self._follow = follow
        self._channels: dict[int, _Channel] = {}
        self._by_user: defaultdict[int, set[Connection]] = defaultdict(set)
        self._by_session: defaultdict[int, set[Connection]] = defaultdict(set)
        self.endings = 0  # grows with each `doubt`: who is just coming compares before and after

    # -- connections ------------------------------------------------------------

    def add(self, connection: Connection) -> None:
        self._by_user[connection.user_id].add(connection)
        self._by_session[connection.session_id].add(connection)

    def remove(self, connection: Connection) -> None:
        for room_id in list(connection.rooms):
            self.unwatch(connection, room_id)
        for index, key in (
            (self._by_user, connection.user_id),
            (self._by_session, connection.session_id),
        ):
            index[key].discard(connection)
            if not index[key]:
                del index[key]

    def count(self, user_id: int | None = None) -> int:
        """How many connections there are, or how many of one user."""
        if user_id is None:
            return sum(map(len, self._by_user.values()))
        return len(self._by_user.get(user_id, ()))

    def of_user(self, user_id: int) -> list[Connection]:
        return list(self._by_user.get(user_id, ()))

    def of_session(self, session_id: int) -> list[Connection]:
        return list(self._by_session.get(session_id, ()))

    def connections(self) -> list[Connection]:
        return [connection for group in self._by_user.values() for connection in group]

    # -- rooms ------------------------------------------------------------------

    def watch(self, connection: Connection, room_id: int) -> None:
        """Registers. Frames are held back until `caught_up`. A connection that has closed is not taken in:
        nobody would take it out again."""
        if not connection.is_open:
            return
        channel = self._channels.get(room_id)
        if channel is None:
            channel = self._channels[room_id] = _Channel()
            self._follow(room_id, wanted=True)
        channel.live.discard(connection)
        channel.late[connection] = []
        connection.rooms.add(room_id)

    def has_hole(self, connection: Connection, room_id: int, seq: int) -> bool:
        """Whether what is held back for a reader at `seq` begins further on: it must read once more."""
        channel = self._channels.get(room_id)
        held = channel.late.get(connection) if channel else None
        return next((start > seq for start, end, _ in held or () if end > seq), False)

    def caught_up(self, connection: Connection, room_id: int, seq: int) -> bool:
        """Ends the holding back: sends what was held beyond `seq`. False: too much was, the room must be loaded
        afresh. Ask `has_hole` first."""
        channel = self._channels.get(room_id)
        if channel is None or connection not in channel.late:
            return True  # it left meanwhile
        held = channel.late.pop(connection)
        if held is None:
            self.unwatch(connection, room_id)
            return False
        if channel.seq is None or not channel.live:
            channel.seq = max(seq, channel.seq or 0)
        channel.live.add(connection)
        for _, end, frame in held:
            if end > seq:
                connection.send(frame)
        return True

    def unwatch(self, connection: Connection, room_id: int) -> None:
        connection.rooms.discard(room_id)
        channel = self._channels.get(room_id)
        if channel is None:
            return
        channel.live.discard(connection)
        channel.late.pop(connection, None)
        if not channel.live and not channel.late:
            del self._channels[room_id]
            self._follow(room_id, wanted=False)

    def watched(self) -> dict[int, int]:
        """Rooms with live connections here, and the last number delivered to them."""
        return {
            room_id: channel.seq
            for room_id, channel in self._channels.items()
            if channel.seq is not None
        }

    def number(self, room_id: int) -> int:
        """The last number delivered to a room's watchers here; 0 when nobody watches or none is known."""
        channel = self._channels.get(room_id)
        return (channel.seq or 0) if channel is not None else 0

    def numbers(self, connection: Connection) -> dict[int, int]:
        """The last number of each room that a connection watches, where all of it has been written to everybody."""
        found = {}
        for room_id in connection.rooms:
            channel = self._channels.get(room_id)
            if channel is not None and channel.seq is not None and not channel.slices:
                found[room_id] = channel.seq
        return found

    def watchers(self, room_id: int) -> set[int]:
        """The users who watch a room here."""
        channel = self._channels.get(room_id)
        return {c.user_id for c in (*channel.live, *channel.late)} if channel else set()

    def is_live(self, connection: Connection, room_id: int) -> bool:
        """Whether a connection is up to date with a room: only members come so far."""
        channel = self._channels.get(room_id)
        return channel is not None and connection in channel.live

    def is_watched(self, room_id: int) -> bool:
        return room_id in self._channels

    # -- delivering -------------------------------------------------------------

    def deliver(self, room_id: int, start: int, seq: int, frame: bytes) -> bool:
        """Sends a frame that takes readers from number `start` to `seq`. False: there is a gap before it."""
        channel = self._channels.get(room_id)
        if channel is None:
            return True
        if channel.seq is not None:
            if seq <= channel.seq:
                return True
            if start > channel.seq:
                return False
        channel.seq = seq
        channel.send(frame)
        for connection, held in channel.late.items():
            if held is not None:
                held.append((start, seq, frame))
                if len(held) > LATE_MOST:
                    channel.late[connection] = None
        return True

    def send_room(self, room_id: int, frame: bytes, but: int | None = None) -> None:
        """A frame without a number, to everybody who is up to date with a room; not to the tabs of the user `but`."""
        channel = self._channels.get(room_id)
        if channel is not None:
            channel.send(frame, but)

    def send_user(self, user_id: int, frame: bytes) -> None:
        for connection in self._by_user.get(user_id, ()):
            connection.send(frame)

    def reload(self, room_id: int) -> None:
        """Sends everybody who is up to date back to the page. Those who are catching up find out by themselves."""
        channel = self._channels.get(room_id)
        if channel is None:
            return
        channel.seq = None
        for connection in list(channel.live):
            self.unwatch(connection, room_id)
            connection.send(frames.reload(room_id))

    # -- ends -------------------------------------------------------------------

    def depart(self, room_id: int, user_id: int | None, reason: str) -> None:
        """Takes a user, or everybody, out of a room's stream and says so."""
        channel = self._channels.get(room_id)
        if channel is None:
            return
        frame = frames.removed(room_id, reason)
        for connection in [*channel.live, *channel.late]:
            if user_id is None or connection.user_id == user_id:
                self.unwatch(connection, room_id)
                connection.send(frame)

    def doubt(self) -> None:
        """Sessions are ending: one that was found good a moment ago may be among them."""
        self.endings += 1

    def end_sessions(self, session_ids: Collection[int]) -> None:
        if session_ids:
            self.doubt()
        for session_id in session_ids:
            for connection in self.of_session(session_id):
                connection.close(frames.CLOSE_SESSION)
                self.remove(connection)

    def end_user(self, user_id: int) -> None:
        self.doubt()
        for connection in self.of_user(user_id):
            connection.close(frames.CLOSE_SESSION)
            self.remove(connection)

    def expire(self, now: float) -> None:
        """Closes connections whose session is over. `now` in seconds, wall clock."""
        over = {
            session_id
            for session_id, group in self._by_session.items()
            if any(connection.expires_at <= now for connection in group)
        }
        if over:
            self.end_sessions(over)
