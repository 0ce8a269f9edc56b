"""Who is here, who is away, and in which rooms: for all processes, and for the browsers that watch a room.

A browser tells whether somebody is before it (`tabs.py`); processes tell each other for a while at a time
(`leases.py`); name, rooms and visibility are the database's (`whereabouts.py`). Once a second the three are put
together, and each room that somebody watches here hears in one frame what is other than before.

MUSTs
1. At most one frame a second goes to all watchers of a room, and one in two when a crowd comes or goes; it names at
   most `NAMED_MOST` people.
2. Whoever begins to watch a room is told all of it, after which the frames are enough (`show`): each tab that tells
   whether somebody is before it.
3. An invisible person is nowhere: in no frame, in no count, in no lease.
4. Where nobody can tell, that is said: nobody is called offline because Redis is.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from chatapp.clock import Clock
from chatapp.database import Database
from chatapp.domain.presence import Whereabouts
from chatapp.realtime import frames
from chatapp.realtime.connection import Connection
from chatapp.realtime.hub import Hub
from chatapp.realtime.leases import Leases, State
from chatapp.realtime.rosters import Rosters
from chatapp.realtime.tabs import Tabs
from chatapp.realtime.whereabouts import Known

TICK_SECONDS: Final = 1.0
CROWD: Final = 20  # people: so many changes of a room go out at every second tick
NAMED_MOST: Final = 100  # people in one frame; as many as a page of members has
PATIENCE_SECONDS: Final = 6.0  # without an answer, the last one still counts

_NOBODY: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Present:
    """Those of a room's people who are here now, and those who are away. All others are not here."""

    here: frozenset[int]
    away: frozenset[int]

    def state(self, user_id: int) -> State | Literal["offline"]:
        if user_id in self.here:
            return "online"
        return "away" if user_id in self.away else "offline"


class Presence:
    """Owner of what this process knows about who is here. `tick` is for `run`, and for tests."""

    def __init__(
        self, database: Database, hub: Hub, rosters: Rosters, leases: Leases, clock: Clock
    ) -> None:
        self._hub = hub
        self._leases = leases
        self._clock = clock
        self._tabs = Tabs()
        self._known = Known(database)
        self._found: dict[int, State] = {}  # what the leases said last
        self._placed: dict[int, tuple[State, frozenset[int]]] = {}  # the visible, and their rooms
        self._rooms: defaultdict[int, dict[int, State]] = defaultdict(dict)
        self._changed: defaultdict[int, set[int]] = defaultdict(set)  # people by room
        self._lately: set[int] = set()  # rooms that were told something at the last tick
        self._answered_at: float | None = None
        self._is_told = False  # whether browsers were told that we know
        rosters.hear(self.doubt)

    # -- asking -------------------------------------------------------------------

    def of(self, room_id: int) -> Present | None:
        """Who of a room is present; None when nobody can tell."""
        if not self._is_told:
            return None
        by_state: dict[State, list[int]] = {"online": [], "away": []}
        for user_id, state in self._rooms.get(room_id, {}).items():
            by_state[state].append(user_id)
        return Present(frozenset(by_state["online"]), frozenset(by_state["away"]))

    def present(self, room_id: int) -> frozenset[int]:
        """The people of a room who are here now, at whichever process; nobody when nobody can tell."""
        found = self.of(room_id)
        return found.here if found else _NOBODY

    def person(self, user_id: int) -> Whereabouts | None:
        """Somebody who is present, visible or not; None for all others, and in the first second."""
        return self._known.get(user_id)

    # -- what is told -------------------------------------------------------------

    def tell(self, connection: Connection, *, is_here: bool) -> None:
        """A tab says whether somebody is before it."""
        is_new = not self._tabs.has(connection)
        self._tabs.tell(connection, "online" if is_here else "away")
        for room_id in connection.rooms if is_new else ():
            self.show(connection, room_id)

    def left(self, connection: Connection) -> None:
        """A connection has gone."""
        self._tabs.left(connection, self._clock.monotonic())

    def doubt(self, room_id: int | None, user_id: int | None) -> None:
        """Somebody's rooms, name or visibility, or those of everybody in a room, may be other than they were."""
        people = [user_id] if user_id is not None else list(self._rooms.get(room_id or 0, ()))
        for person in people:
            self._known.doubt(person)

    def hide(self, user_id: int, *, is_invisible: bool) -> None:
        """It is stored that somebody is invisible, or no longer: so they are from this moment on."""
        person = self._known.get(user_id)
        if person is not None:
            self._known.put(user_id, person._replace(is_invisible=is_invisible))
            self._place(user_id)

    def show(self, connection: Connection, room_id: int) -> None:
        """Tells who begins to watch a room how it is."""
        if self._tabs.has(connection) and self._hub.is_live(connection, room_id):
            connection.send(self._whole(room_id))

    # -- once a second ------------------------------------------------------------

    async def run(self) -> None:
        while True:
            await self.tick()
            await asyncio.sleep(TICK_SECONDS)

    async def tick(self) -> None:
        local = self._tabs.states(self._clock.monotonic())
        changed = await self._known.learn(local.keys() | self._found.keys())
        mine = {user_id: local[user_id] for user_id in local if self._is_visible(user_id)}
        found = await self._leases.exchange(mine)
        now = self._clock.monotonic()
        if found is not None:
            changed |= {user_id for user_id, _ in found.items() ^ self._found.items()}
            # Whom we do not know yet, another process has just told us of: in a second they are read.
            self._found = found
            self._answered_at = now
        for user_id in changed:
            self._place(user_id)
        self._known.forget(self._known.people() - self._found.keys() - local.keys())
        is_known = self._answered_at is not None and now - self._answered_at < PATIENCE_SECONDS
        if is_known == self._is_told:
            self._tell_changes()
        else:
            self._is_told = is_known
            self._tell_all()

    def _is_visible(self, user_id: int) -> bool:
        person = self._known.get(user_id)
        return person is not None and not person.is_invisible

    def _place(self, user_id: int) -> None:
        """Puts somebody where they are now, and notes which rooms have to hear of it."""
        person, state = self._known.get(user_id), self._found.get(user_id)
        before, rooms_before = self._placed.get(user_id, (None, _NOBODY))
        if person is None or state is None or person.is_invisible:
            state, rooms = None, _NOBODY
            self._placed.pop(user_id, None)
        else:
            rooms = person.rooms
            self._placed[user_id] = (state, rooms)
        for room_id in rooms_before - rooms:
            del self._rooms[room_id][user_id]
            if not self._rooms[room_id]:
                del self._rooms[room_id]
            self._changed[room_id].add(user_id)
        if state is not None:
            for room_id in rooms if state != before else rooms - rooms_before:
                self._rooms[room_id][user_id] = state
                self._changed[room_id].add(user_id)

    # -- frames -------------------------------------------------------------------

    def _tell_changes(self) -> None:
        changed, self._changed = self._changed, defaultdict(set)
        lately, self._lately = self._lately, set()
        for room_id, people in changed.items():
            if not self._hub.is_watched(room_id) or not self._is_told:
                continue
            if len(people) >= CROWD and room_id in lately:
                self._changed[room_id] |= people
                continue
            self._hub.send_room(room_id, self._frame(room_id, people, is_whole=False))
            self._lately.add(room_id)

    def _tell_all(self) -> None:
        self._changed.clear()
        for room_id in self._hub.watched():
            self._hub.send_room(room_id, self._whole(room_id))

    def _whole(self, room_id: int) -> bytes:
        if not self._is_told:
            return frames.presence(room_id, None, None, {}, is_whole=True, has_more=False)
        return self._frame(room_id, self._rooms.get(room_id, {}), is_whole=True)

    def _frame(self, room_id: int, people: Iterable[int], *, is_whole: bool) -> bytes:
        states = self._rooms.get(room_id, {})
        listed = list(people)
        here = sum(state == "online" for state in states.values())
        return frames.presence(
            room_id,
            here,
            len(states) - here,
            {user_id: states.get(user_id, "offline") for user_id in listed[:NAMED_MOST]},
            is_whole=is_whole,
            has_more=len(listed) > NAMED_MOST,
        )
