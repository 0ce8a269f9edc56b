"""From a frame to a command: parses, checks, and passes on. Answers at once or from the writer; never waits."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from chatapp.domain import drafts
from chatapp.domain.commands import Message
from chatapp.errors import ChatError, Later, Refused
from chatapp.limits import DRAFT, FRAMES, PRESENCE, Limits
from chatapp.realtime import frames
from chatapp.realtime.asked import (
    NUMBER_MOST,
    CallJoin,
    CallLeave,
    Drafting,
    Follow,
    Here,
    MediaAsked,
    Post,
    Read,
    Ring,
    RingOver,
    Signal,
    Unwatch,
    Watch,
    Writing,
    parse,
    parse_cursor,
    read_mark,
)
from chatapp.realtime.calls import Calls
from chatapp.realtime.catchup import Catchup
from chatapp.realtime.connection import Connection
from chatapp.realtime.drafts import Drafts
from chatapp.realtime.hub import Hub
from chatapp.realtime.posting import post_command, take_post
from chatapp.realtime.presence import Presence
from chatapp.realtime.rings import Rings
from chatapp.realtime.rosters import Rosters
from chatapp.realtime.signalling import Signalling
from chatapp.realtime.supervisor import Supervisor
from chatapp.realtime.typing import Typing
from chatapp.realtime.unread import UnreadMarks
from chatapp.realtime.writer import Writer

ROOMS_MOST: Final = 200  # watched by one connection
IGNORED_MOST: Final = (
    500  # frames over the limit on a socket, since it was last within it; then it is closed
)


class Dispatch:
    """The table of commands a socket may send. To add one: a struct in `asked.py`, a method, a line in `_table`."""

    def __init__(
        self,
        *,
        hub: Hub,
        rosters: Rosters,
        marks: UnreadMarks,
        drafts: Drafts,
        writer: Writer,
        catchup: Catchup,
        limits: Limits,
        supervisor: Supervisor,
        presence: Presence,
        typing: Typing,
        calls: Calls,
        signalling: Signalling,
        rings: Rings,
    ) -> None:
        self._hub = hub
        self._rosters = rosters
        self._marks = marks
        self._drafts = drafts
        self._writer = writer
        self._catchup = catchup
        self._limits = limits
        self._supervisor = supervisor
        self._presence = presence
        self._typing = typing
        self._calls = calls
        self._signalling = signalling
        self._rings = rings
        self._table: dict[type[msgspec.Struct], Callable[[Connection, Any], None]] = {
            Watch: self._watch,
            Unwatch: self._unwatch,
            Follow: self._follow,
            Read: self._read,
            Here: self._here,
            Writing: self._writing,
            Drafting: self._draft,
            Post: self._post,
            CallJoin: self._call_join,
            CallLeave: self._call_leave,
            Signal: self._signal,
            MediaAsked: self._media,
            Ring: self._ring,
            RingOver: self._ring_over,
        }

    def take(self, connection: Connection, frame: str) -> None:
        """Carries out one frame of a browser. Nothing a browser sends can raise."""
        try:
            self._take(connection, frame)
        except ChatError as error:
            connection.send(frames.error(error.code, error.sentence))

    def _take(self, connection: Connection, frame: str) -> None:
        command = parse(frame)
        wait, connection.frames_free_at = self._limits.spend(FRAMES, connection.frames_free_at)
        if wait:
            self._ignore(connection, command, wait)
            return
        connection.ignored = 0
        self._table[type(command)](connection, command)

    def _ignore(self, connection: Connection, command: object, wait: float) -> None:
        """Too many frames. Whoever goes on and on is not worth an answer to each."""
        connection.ignored += 1
        if connection.ignored > IGNORED_MOST:
            connection.close(frames.CLOSE_OVERLOADED)
        elif isinstance(command, Post):
            connection.send(frames.busy(command.room, command.key[:64], wait))
        else:
            raise Later("too_many", wait)

    def _watch(self, connection: Connection, command: Watch) -> None:
        epoch, seq = parse_cursor(command.cursor)
        if len(connection.rooms) >= ROOMS_MOST and command.room not in connection.rooms:
            raise Refused("too_many_rooms")
        if not 0 < command.room <= NUMBER_MOST:
            raise Refused("room_gone")
        if not self._supervisor.has_room():
            raise Later("busy", 2)

        async def catch_up() -> None:
            try:
                await self._catchup.watch(connection, command.room, epoch, seq)
                self._presence.show(connection, command.room)
                self._calls.show(connection, command.room)
            except Refused as error:
                reason = "deleted" if error.code == "room_gone" else "removed"
                connection.send(frames.removed(command.room, reason))
            except Exception:
                # The browser comes back with its cursor: that is the way out of a database that is away.
                connection.close(frames.CLOSE_OVERLOADED)
                raise

        self._supervisor.spawn(catch_up(), "watch")

    def _unwatch(self, connection: Connection, command: Unwatch) -> None:
        self._hub.unwatch(connection, command.room)

    def _follow(self, connection: Connection, _command: Follow) -> None:
        if not self._supervisor.has_room():
            raise Later("busy", 2)

        async def follow() -> None:
            try:
                await self._rosters.follow(connection)
            except Exception:
                connection.close(frames.CLOSE_OVERLOADED)  # the browser comes back
                raise
            connection.send(frames.following())
            self._calls.show_all(connection)

        self._supervisor.spawn(follow(), "follow")

    def _read(self, connection: Connection, command: Read) -> None:
        """Membership is asked by the statement that stores it."""
        self._marks.mark(connection.user_id, command.room, read_mark(command))

    def _here(self, connection: Connection, command: Here) -> None:
        self._limits.take(PRESENCE, connection.user_id)
        self._presence.tell(connection, is_here=command.state == "here")

    def _writing(self, connection: Connection, command: Writing) -> None:
        self._typing.took(connection, command.room)

    def _draft(self, connection: Connection, command: Drafting) -> None:
        """Membership is asked by the statement that stores or reads it."""
        self._limits.take(DRAFT, connection.user_id)
        if not (0 < command.room <= NUMBER_MOST and 0 <= command.base <= NUMBER_MOST):
            raise Refused("room_gone")
        if command.body is None:
            self._drafts.tell(command.room, connection.user_id, connection)
            return
        save = drafts.Save(drafts.regular(command.body), command.base, command.tab)
        self._drafts.save(connection.user_id, command.room, save)

    def _post(self, connection: Connection, command: Post) -> None:
        room, key = command.room, command.key[:64]
        try:
            present = self._presence.present
            post = post_command(
                connection.user_id, room, key, command.body, present, command.reply, command.files
            )
            take_post(self._limits, post)
            self._writer.submit(post, lambda end: connection.send_soon(_answer(room, key, end)))
        except ChatError as error:
            connection.send(_answer(room, key, error))

    def _call_join(self, connection: Connection, command: CallJoin) -> None:
        try:
            self._calls.join(connection, command.room, command.id)
        except ChatError as error:
            connection.send(frames.call_refused(command.room, error.code, error.sentence))

    def _call_leave(self, connection: Connection, command: CallLeave) -> None:
        self._calls.leave(connection, command.room)

    def _signal(self, connection: Connection, command: Signal) -> None:
        self._signalling.signal(connection, command.room, command.to, command.data)

    def _media(self, connection: Connection, command: MediaAsked) -> None:
        self._signalling.media(connection, command.room, command.session, command.data)

    def _ring(self, connection: Connection, command: Ring) -> None:
        self._rings.ring(connection, command.room, command.user)

    def _ring_over(self, connection: Connection, command: RingOver) -> None:
        self._rings.decline(connection, command.room)


def _answer(room: int, key: str, end: Message | Exception) -> bytes:
    """How a post ended, for the one who sent it."""
    if isinstance(end, Message):
        return frames.ack(room, key, end.seq)
    if isinstance(end, Later):
        return frames.busy(room, key, end.retry_after)
    if isinstance(end, ChatError):
        return frames.refused(room, key, end.code, end.sentence)
    return frames.unknown(room, key)
