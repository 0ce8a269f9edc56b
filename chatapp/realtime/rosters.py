"""Who of those who follow here is in which rooms: for whatever is told to members who are not looking at the room.

A browser that wants to hear of all its rooms says `follow`. Its person's rooms are read once, however many tabs they
have, again when their list of rooms changes, and forgotten when their last socket here has gone.
"""

from collections.abc import Callable, Sequence
from typing import Final

from chatapp.database import Database
from chatapp.domain import memberships
from chatapp.realtime.connection import Connection
from chatapp.realtime.hub import Follow, Hub
from chatapp.realtime.supervisor import Supervisor
from chatapp.realtime.together import Together

ROOMS_MOST: Final = 5_000  # followed for one person; of the others they hear when they open them

# A person, their rooms before, and their rooms now.
Changed = Callable[[int, frozenset[int], frozenset[int]], None]

# Somebody, or everybody in a room: whatever is remembered of them may be other than it was.
Doubted = Callable[[int | None, int | None], None]

_NONE: Final[frozenset[int]] = frozenset()


class Rosters:
    """Owner of both directions: rooms by person, people by room. `follow` is told of rooms that somebody follows here
    from now on, or nobody any more; `changed` (added by `tell`) of a person whose rooms are other ones."""

    def __init__(
        self, database: Database, hub: Hub, supervisor: Supervisor, follow: Follow
    ) -> None:
        self._hub = hub
        self._supervisor = supervisor
        self._follow = follow
        self._rooms: dict[int, frozenset[int]] = {}
        self._people: dict[int, set[int]] = {}
        self._listeners: list[Changed] = []
        self._doubters: list[Doubted] = []

        async def ask(user_ids: Sequence[int]) -> dict[int, frozenset[int]]:
            return await memberships.rooms_of(database, user_ids, ROOMS_MOST)

        self._asked = Together[int, frozenset[int]](ask, supervisor)

    def tell(self, changed: Changed) -> None:
        """Adds somebody who is told of every change."""
        self._listeners.append(changed)

    def hear(self, doubted: Doubted) -> None:
        """Adds somebody who is told (room, user) whenever anybody says that people's rooms are other ones, whether
        they follow here or not."""
        self._doubters.append(doubted)

    def _say(self, room_id: int | None, user_id: int | None) -> None:
        for doubted in self._doubters:
            doubted(room_id, user_id)

    # -- asking -------------------------------------------------------------------

    def is_followed(self, room_id: int) -> bool:
        return room_id in self._people

    def followed(self) -> list[int]:
        """All rooms that somebody follows here."""
        return list(self._people)

    def people(self, room_id: int) -> Sequence[int]:
        """Those who follow a room here."""
        return list(self._people.get(room_id, ()))

    def rooms(self, user_id: int) -> frozenset[int]:
        """The rooms of somebody who follows here; none for anybody else."""
        return self._rooms.get(user_id, _NONE)

    def send(self, room_id: int, frame: bytes) -> None:
        """To everybody who follows a room here, in all their tabs."""
        for user_id in self._people.get(room_id, ()):
            self._hub.send_user(user_id, frame)

    # -- changing -----------------------------------------------------------------

    async def follow(self, connection: Connection) -> None:
        """From here on the person of a connection hears of their rooms. Raises what the database raises."""
        await self._read(connection.user_id)

    def renew(self, user_id: int) -> None:
        """Their list of rooms changed. Comes back at once."""
        self._say(None, user_id)
        if user_id in self._rooms:
            self._supervisor.spawn(self._read(user_id), "roster")

    def depart(self, room_id: int, user_id: int | None) -> None:
        """Somebody, or everybody, is no longer in a room: they hear nothing more of it from this moment on."""
        self._say(room_id, user_id)
        for person in self.people(room_id) if user_id is None else [user_id]:
            rooms = self.rooms(person)
            if room_id in rooms:
                self._set(person, rooms - {room_id})

    def doubt(self, room_id: int, user_id: int | None) -> None:
        """Somebody says that members left: looks it up for those of whom it is said."""
        self._say(room_id, user_id)
        for person in self.people(room_id):
            if user_id in {None, person}:
                self.renew(person)

    def left(self, connection: Connection) -> None:
        """A connection has gone, and has been taken out of the hub."""
        if not self._hub.count(connection.user_id) and connection.user_id in self._rooms:
            self._set(connection.user_id, _NONE)
            del self._rooms[connection.user_id]

    async def _read(self, user_id: int) -> None:
        found = await self._asked.get(user_id)
        if self._hub.count(user_id):  # they may have gone while we were reading
            self._set(user_id, found or _NONE)

    def _set(self, user_id: int, now: frozenset[int]) -> None:
        before = self._rooms.get(user_id, _NONE)
        self._rooms[user_id] = now
        for room_id in now - before:
            if room_id not in self._people:
                self._people[room_id] = set()
                self._follow(room_id, wanted=True)
            self._people[room_id].add(user_id)
        for room_id in before - now:
            self._people[room_id].discard(user_id)
            if not self._people[room_id]:
                del self._people[room_id]
                self._follow(room_id, wanted=False)
        for changed in self._listeners:
            changed(user_id, before, now)
