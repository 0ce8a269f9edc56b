"""Who is writing just now: straight from socket to sockets, without queue, number or memory on disk.

Names are the database's, as presence knows them; who is invisible, or not yet known, writes unseen. A room hears of at
most `SHOWN_MOST` writers in `LAST_SECONDS`: browsers name three and call more “several people”.
"""

from typing import Final

from chatapp.clock import Clock
from chatapp.limits import TYPING, Limits
from chatapp.realtime import frames
from chatapp.realtime.backplane import Backplane, Hint
from chatapp.realtime.connection import Connection
from chatapp.realtime.hub import Hub
from chatapp.realtime.presence import Presence

LAST_SECONDS: Final = 5.0
SHOWN_MOST: Final = 4
ROOMS_MOST: Final = 2_000  # remembered; those in which nobody writes any more are forgotten then


class Typing:
    """MUSTs
    1. Only who is up to date with a room, and so a member of it, is shown as writing there.
    2. Nobody is shown to themselves, in any of their tabs.
    3. Whatever another process says of somebody is shown only if they are a member of the room and visible.
    """

    def __init__(
        self, hub: Hub, presence: Presence, backplane: Backplane, limits: Limits, clock: Clock
    ) -> None:
        self._hub = hub
        self._presence = presence
        self._backplane = backplane
        self._limits = limits
        self._clock = clock
        self._writers: dict[int, dict[int, float]] = {}  # until when, by room and person

    def took(self, connection: Connection, room_id: int) -> None:
        """A tab says that its person is writing. Too often, or where they may not: nothing happens."""
        user_id = connection.user_id
        if not self._hub.is_live(connection, room_id) or self._limits.wait(TYPING, user_id):
            return
        if self._show(room_id, user_id):
            self._backplane.publish(Hint("typing", room_id=room_id, user_id=user_id))

    def heard(self, room_id: int, user_id: int) -> None:
        """Another process says so."""
        person = self._presence.person(user_id)
        if person is not None and room_id in person.rooms:
            self._show(room_id, user_id)

    def _show(self, room_id: int, user_id: int) -> bool:
        person = self._presence.person(user_id)
        if person is None or person.is_invisible or not self._has_place(room_id, user_id):
            return False
        self._hub.send_room(room_id, frames.typing(room_id, user_id, person.name), but=user_id)
        return True

    def _has_place(self, room_id: int, user_id: int) -> bool:
        """Whether somebody is among the few who are shown, from now on if there is room."""
        now = self._clock.monotonic()
        if len(self._writers) >= ROOMS_MOST:
            self._writers = {
                room: living
                for room, writers in self._writers.items()
                if (living := _living(writers, now))
            }
        writers = _living(self._writers.get(room_id, {}), now)
        self._writers[room_id] = writers
        if user_id not in writers and len(writers) >= SHOWN_MOST:
            return False
        writers[user_id] = now + LAST_SECONDS
        return True


def _living(writers: dict[int, float], now: float) -> dict[int, float]:
    return {user_id: until for user_id, until in writers.items() if until > now}
