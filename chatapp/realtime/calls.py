"""Calls as this process has them: which of its tabs are in one, and who is told.

The database knows who is in a call (`domain/calls.py`); this reads it whenever something changed, and every
`COMPARE_SECONDS` since a hint may have been lost. Media goes from browser to browser, or in a large call through the
media server (`media.py`), and never comes here; what tabs say to find each other goes through `signalling.py`.

MUSTs
1. Only a tab that the database has in the call, and that is up to date with the room (so a member of it), is in it.
2. Whose line breaks stays in the call for `GRACE_SECONDS`; the media goes on meanwhile.
3. A tab that is not in the call any more is told why, and its media ends.
"""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final

from chatapp.clock import Clock
from chatapp.database import Database
from chatapp.domain import calls, text
from chatapp.domain.calls import Call, Picture
from chatapp.domain.commands import JoinCall, LeaveCall, SettleCall
from chatapp.errors import ChatError, Refused
from chatapp.ice import IceServers
from chatapp.limits import CALL, Limits
from chatapp.realtime import frames
from chatapp.realtime.backplane import Backplane, Hint
from chatapp.realtime.connection import Connection
from chatapp.realtime.hub import Hub
from chatapp.realtime.media import LARGE_MOST, Media
from chatapp.realtime.rosters import Rosters
from chatapp.realtime.writer import Writer
from chatapp.words import SENTENCES

COMPARE_SECONDS: Final = 2.0
PUT_OFF_SECONDS: Final = 15.0
GRACE_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 5.0  # between two tries to settle one call
PEOPLE_MOST: Final = 6  # browsers that send to each other directly


@dataclass(frozen=True, slots=True)
class _Place:
    """A tab's in a call. `holder` names its line; the token is that of `Participant`."""

    room_id: int
    holder: str
    token: str = ""


class Calls:
    """Owner of the places of this process's tabs. `look` is for `run`, and for tests."""

    def __init__(
        self,
        *,
        database: Database,
        hub: Hub,
        rosters: Rosters,
        writer: Writer,
        backplane: Backplane,
        limits: Limits,
        clock: Clock,
        ice: IceServers,
        media: Media | None = None,
    ) -> None:
        self._database = database
        self._hub = hub
        self._rosters = rosters
        self._writer = writer
        self._backplane = backplane
        self._limits = limits
        self._clock = clock
        self._ice = ice
        self._media = media
        self.people_most = LARGE_MOST if media else PEOPLE_MOST
        self._direct = media.direct if media else PEOPLE_MOST
        self._live: dict[int, Call] = {}
        self._places: dict[Connection, _Place] = {}
        self._joining: dict[Connection, _Place] = {}  # stored, and not yet seen in a picture
        self._gone: dict[str, tuple[float, int, int]] = {}  # until, user and room by holder
        self._settled: dict[int, float] = {}  # when it was tried last, by room
        self._put_off_at = 0.0
        self._wake = asyncio.Event()
        rosters.hear(self._doubt_people)

    # -- asking -------------------------------------------------------------------

    def of(self, room_id: int) -> Call | None:
        """The call that goes on in a room, as the database had it a moment ago."""
        return self._live.get(room_id)

    def is_in(self, connection: Connection, room_id: int) -> bool:
        """Whether a tab is in a room's call, and still a member's."""
        place = self._places.get(connection)
        return (
            place is not None
            and place.room_id == room_id
            and self._hub.is_live(connection, room_id)
        )

    def tabs(self, room_id: int) -> list[Connection]:
        """Those of this process that are in a room's call, and members'."""
        return [each for each in self._places if self.is_in(each, room_id)]

    def sizes(self) -> dict[int, int]:
        """How many people are in the calls that go on, by room."""
        return {room_id: len(call.people) for room_id, call in self._live.items()}

    def token(self, connection: Connection) -> str:
        """What a tab that is in a call is called there."""
        return self._places[connection].token

    @property
    def has_media_server(self) -> bool:
        """Whether there is one, and it answers just now."""
        return self._media is not None and self._media.is_there

    # -- what tabs ask ------------------------------------------------------------

    def join(self, connection: Connection, room_id: int, before: str) -> None:
        """Into the room's call. `before`: the token this tab had, when it only comes back. Raises `ChatError`."""
        self._limits.take(CALL, connection.user_id)
        if not self._hub.is_live(connection, room_id):
            raise Refused("not_watching")
        place = self._places.get(connection)
        if place is not None and place.room_id != room_id:
            self.leave(connection, place.room_id)
        holder = secrets.token_urlsafe(12)
        most, direct = self._sizes(room_id)
        command = JoinCall(connection.user_id, room_id, holder, before, most, direct)

        def done(end: object) -> None:
            if isinstance(end, Exception):
                connection.send(_refusal(room_id, end))
                return
            self._joining[connection] = _Place(room_id, holder)
            self._changed(room_id)

        self._writer.submit(command, done)

    def _sizes(self, room_id: int) -> tuple[int, int]:
        """How many may come, and send to each other. While the media server is away, no call grows into it."""
        if self.has_media_server or self._is_large(self._live.get(room_id)):
            return self.people_most, self._direct
        return PEOPLE_MOST, PEOPLE_MOST

    def leave(self, connection: Connection, room_id: int) -> None:
        """Out of the call. Who is in none is told so."""
        place = self._places.get(connection)
        if place is None or place.room_id != room_id:
            raise Refused("not_in_call")
        del self._places[connection]
        connection.send(frames.call_over(room_id, "left"))
        self._submit(LeaveCall(connection.user_id, room_id, place.holder))

    def left(self, connection: Connection) -> None:
        """A connection has gone. Its tab may be back in a moment."""
        place = self._places.pop(connection, None) or self._joining.pop(connection, None)
        if place is not None:
            until = self._clock.monotonic() + GRACE_SECONDS
            self._gone[place.holder] = (until, connection.user_id, place.room_id)

    def show(self, connection: Connection, room_id: int) -> None:
        """Tells who begins to watch a room of the call there. That one has ended stands in the room's log."""
        if room_id in self._live and self._hub.is_live(connection, room_id):
            connection.send(self._frame(room_id))

    def show_all(self, connection: Connection) -> None:
        """Tells who begins to follow their rooms of the calls in them."""
        for room_id in self._live.keys() & self._rosters.rooms(connection.user_id):
            if room_id not in connection.rooms:
                connection.send(self._frame(room_id))

    # -- what other processes tell --------------------------------------------------

    def doubt(self) -> None:
        """Somebody's call may be another one."""
        self._wake.set()

    def _doubt_people(self, room_id: int | None, user_id: int | None) -> None:
        """Somebody, or everybody in a room, may be no member of it any more, or have another name. Of those who are in
        no call nothing has to be read: thousands may come and go meanwhile."""
        for call in self._live.values():
            if room_id in {None, call.room_id} and (user_id is None or call.of(user_id)):
                self._wake.set()

    # -- the task -----------------------------------------------------------------

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(COMPARE_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            await self.look()

    async def look(self) -> None:
        """Puts off what is ours, reads how it is, tells who has to know. Raises what the database raises."""
        self._wake.clear()
        now = self._clock.monotonic()
        self._end_the_gone(now)
        if self._places and now - self._put_off_at >= PUT_OFF_SECONDS:
            holders = [place.holder for place in self._places.values()]
            await calls.put_off(self._database, holders)
            self._put_off_at = now
        joining, self._joining = self._joining, {}
        before = set(self._places)
        try:
            picture = await calls.picture(self._database)
        except BaseException:
            self._joining = joining | self._joining
            raise
        old, self._live = self._live, picture.calls
        for room_id in old.keys() | picture.calls.keys():
            if old.get(room_id) != picture.calls.get(room_id):
                self._tell(room_id)
        for connection in before:
            self._check(connection)
        for connection, place in joining.items():
            self._sit(connection, place)
        self._settle(picture, now)
        self._keep_media(old, picture.calls)

    def _keep_media(self, old: dict[int, Call], new: dict[int, Call]) -> None:
        """For the tabs that are in large calls by our lines, or were a moment ago and may be back."""
        if self._media is None:
            return
        ours = {place.holder for place in self._places.values()} | self._gone.keys()
        large = [call for call in new.values() if call.is_large]
        self._media.keep(
            person.token for call in large for person in call.people if person.holder in ours
        )
        for call in old.values():
            if call.is_large and all(call.id != other.id for other in large):
                self._media.end_call(call.id)

    def _is_large(self, call: Call | None) -> bool:
        return self._media is not None and call is not None and call.is_large

    def _end_the_gone(self, now: float) -> None:
        for holder, (until, user_id, room_id) in list(self._gone.items()):
            if until <= now:
                del self._gone[holder]
                self._submit(LeaveCall(user_id, room_id, holder))

    def _check(self, connection: Connection) -> None:
        """Whether a tab is in its call still."""
        place = self._places.get(connection)
        if place is None:
            return
        call = self._live.get(place.room_id)
        if call is None or call.held_by(place.holder) is None:
            del self._places[connection]
            self._tell_over(connection, place.room_id)

    def _tell_over(self, connection: Connection, room_id: int) -> None:
        """A tab is not in the call any more: why."""
        call = self._live.get(room_id)
        if call is not None and call.of(connection.user_id) is not None:
            reason: frames.CallEnd = "elsewhere"
        else:
            reason = "lost" if room_id in connection.rooms else "removed"
        connection.send(frames.call_over(room_id, reason))

    def _sit(self, connection: Connection, place: _Place) -> None:
        """A tab whose joining is stored."""
        call = self._live.get(place.room_id)
        person = call.held_by(place.holder) if call is not None else None
        if person is None:
            self._tell_over(connection, place.room_id)
        elif not connection.is_open:
            self._places[connection] = place
            self.left(connection)
        else:
            self._places[connection] = _Place(place.room_id, place.holder, person.token)
            connection.send(self._frame(place.room_id))
            servers = self._ice.of(connection.user_id)
            session = self._media.name(person.token) if self._media else ""
            connection.send(frames.call_joined(place.room_id, person.token, servers, session))

    def _settle(self, picture: Picture, now: float) -> None:
        self._settled = {room: at for room, at in self._settled.items() if room in picture.stale}
        for room_id in picture.stale:
            if now - self._settled.get(room_id, -SETTLE_SECONDS) >= SETTLE_SECONDS:
                self._settled[room_id] = now
                self._submit(SettleCall(room_id))

    # -- telling ------------------------------------------------------------------

    def _submit(self, command: LeaveCall | SettleCall) -> None:
        """Whatever comes of it, the next picture shows. What is not stored lapses by itself."""

        def done(end: object) -> None:
            if not isinstance(end, Exception):
                self._changed(command.room_id)

        try:
            self._writer.submit(command, done)
        except ChatError:
            self._wake.set()

    def _changed(self, room_id: int) -> None:
        self._wake.set()
        self._backplane.publish(Hint("call", room_id=room_id))

    def _tell(self, room_id: int) -> None:
        """Who watches the room, and who follows it without."""
        frame = self._frame(room_id)
        self._hub.send_room(room_id, frame)
        for user_id in self._rosters.people(room_id):
            for connection in self._hub.of_user(user_id):
                if room_id not in connection.rooms:
                    connection.send(frame)

    def _frame(self, room_id: int) -> bytes:
        call = self._live.get(room_id)
        return frames.call(
            room_id,
            call.started_at if call else None,
            [
                {
                    "id": person.token,
                    "user": person.user_id,
                    "name": person.name,
                    "hue": person.hue,
                    "initials": text.initials(person.name),
                    "avatar": person.avatar or "",
                }
                for person in (call.people if call else ())
            ],
            is_large=self._is_large(call),
        )


def _refusal(room_id: int, error: Exception) -> bytes:
    if isinstance(error, ChatError):
        return frames.call_refused(room_id, error.code, error.sentence)
    return frames.call_refused(room_id, "unknown_outcome", SENTENCES["unknown_outcome"])
