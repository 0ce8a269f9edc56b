"""Ringing somebody into a call. Nothing is remembered: who is rung hears it in all their tabs, and it ends by itself
there, by their coming, or when one of the tabs declines."""

from chatapp.database import Database
from chatapp.domain import calls as call_rules
from chatapp.errors import Refused
from chatapp.limits import RING, Limits
from chatapp.realtime import frames
from chatapp.realtime.backplane import Backplane, Hint
from chatapp.realtime.calls import Calls
from chatapp.realtime.connection import Connection
from chatapp.realtime.hub import Hub
from chatapp.realtime.rosters import Rosters
from chatapp.realtime.supervisor import Supervisor


class Rings:
    """MUST ring only for who is in the call, and only members of its room who want to hear of that room."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        rosters: Rosters,
        calls: Calls,
        backplane: Backplane,
        limits: Limits,
        supervisor: Supervisor,
    ) -> None:
        self._database = database
        self._hub = hub
        self._rosters = rosters
        self._calls = calls
        self._backplane = backplane
        self._limits = limits
        self._supervisor = supervisor

    def ring(self, connection: Connection, room_id: int, user_id: int) -> None:
        """Comes back at once. Whether somebody is a member, muted the room, or is not there, nobody is told."""
        if not self._calls.is_in(connection, room_id):
            raise Refused("not_in_call")
        self._limits.take(RING, connection.user_id)
        self._show(room_id, user_id, connection.user_id)
        by = str(connection.user_id)
        self._backplane.publish(Hint("ring", room_id=room_id, user_id=user_id, content=by))

    def heard(self, room_id: int, user_id: int, by: str) -> None:
        """Another process says that somebody rings."""
        if by.isascii() and by.isdigit() and len(by) < 16:
            self._show(room_id, user_id, int(by))

    def decline(self, connection: Connection, room_id: int) -> None:
        """All tabs of the person stop ringing, and who is in the call sees it."""
        user_id = connection.user_id
        if room_id not in self._rosters.rooms(user_id):
            raise Refused("not_member")
        self._limits.take(RING, user_id)
        self.heard_over(room_id, user_id)
        self._backplane.publish(Hint("ring_over", room_id=room_id, user_id=user_id))

    def heard_over(self, room_id: int, user_id: int) -> None:
        frame = frames.ring_over(room_id, user_id)
        self._hub.send_user(user_id, frame)
        for connection in self._calls.tabs(room_id):
            if connection.user_id != user_id:
                connection.send(frame)

    def _show(self, room_id: int, user_id: int, by: int) -> None:
        call = self._calls.of(room_id)
        caller = call.of(by) if call else None
        if call is None or caller is None or call.of(user_id) or not self._hub.count(user_id):
            return

        async def show() -> None:
            name = await call_rules.ringing_room(self._database, room_id, user_id)
            if name is not None:
                self._hub.send_user(user_id, frames.ring(room_id, name, by, caller.name))

        if self._supervisor.has_room():
            self._supervisor.spawn(show(), "ring")
