"""Whatever people do, in whatever order: the frames of a room amount to what a fresh page shows, and to the truth."""

from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chatapp.domain import memberships
from chatapp.domain.commands import JoinRoom, LeaveRoom
from chatapp.domain.presence import set_invisible
from chatapp.domain.users import User
from chatapp.errors import ChatError
from chatapp.realtime.catchup import Catchup
from chatapp.realtime.tabs import GRACE_SECONDS
from tests.domain import world
from tests.realtime.core import EPOCH, Core
from tests.realtime.here import close, screen, seconds
from tests.realtime.tab import Tab

PEOPLE, ROOMS = 4, 2

who = st.integers(0, PEOPLE - 1)
where = st.integers(0, ROOMS - 1)
STEPS = st.one_of(
    st.tuples(st.just("comes"), who, st.booleans()),
    st.tuples(st.just("watches"), who, where),
    st.tuples(st.just("turns"), who, st.booleans()),
    st.tuples(st.just("goes"), who, st.none()),
    st.tuples(st.just("hides"), who, st.booleans()),
    st.tuples(st.just("joins"), who, where),
    st.tuples(st.just("leaves"), who, where),
    st.tuples(st.just("time"), who, st.sampled_from([0.2, 1.0, 4.0, 6.0])),
)


class Walk:
    """What is true: the tabs of each person, what each says, and who is hidden."""

    def __init__(self, core: Core, people: list[User], rooms: list[int]) -> None:
        self.core = core
        self.people = people
        self.rooms = rooms
        self.tabs: dict[int, dict[Tab, bool]] = defaultdict(dict)
        self.watching: list[tuple[Tab, int]] = []
        self.hidden: set[int] = set()

    async def do(self, what: str, number: int, how: Any) -> None:
        person = self.people[number]
        theirs = self.tabs[person.id]
        if what == "comes":
            self._turn(self.core.tab(person), person, is_here=how)
        elif what == "watches":
            await self._watch(person, self.rooms[how])
        elif what == "turns" and theirs:
            self._turn(next(iter(theirs)), person, is_here=how)
        elif what == "goes" and theirs:
            self._close(next(iter(theirs)), person)
        elif what == "hides":
            await self._hide(person, is_invisible=how)
        elif what == "joins":
            await self.core.ends(JoinRoom(person.id, self.rooms[how]))
        elif what == "leaves":
            await self.core.ends(LeaveRoom(person.id, self.rooms[how]))
        elif what == "time":
            await seconds(self.core, how)

    def _turn(self, tab: Tab, person: User, *, is_here: bool) -> None:
        self.core.presence.tell(tab.connection, is_here=is_here)
        self.tabs[person.id][tab] = is_here

    def _close(self, tab: Tab, person: User) -> None:
        close(self.core, tab)
        del self.tabs[person.id][tab]
        self.watching = [(each, room) for each, room in self.watching if each is not tab]

    async def _watch(self, person: User, room: int) -> None:
        tab = self.core.tab(person)
        self._turn(tab, person, is_here=True)
        catchup: Catchup = self.core.catchup
        try:
            await catchup.watch(tab.connection, room, EPOCH, 0)
        except ChatError:
            return
        self.core.presence.show(tab.connection, room)
        self.watching.append((tab, room))

    async def _hide(self, person: User, *, is_invisible: bool) -> None:
        await set_invisible(self.core.database, person.id, is_invisible=is_invisible)
        self.core.presence.hide(person.id, is_invisible=is_invisible)
        (self.hidden.add if is_invisible else self.hidden.discard)(person.id)

    async def truth(self, room: int) -> dict[int, str]:
        members = await memberships.ids(self.core.database, room)
        return {
            user_id: "online" if any(tabs.values()) else "away"
            for user_id, tabs in self.tabs.items()
            if tabs and user_id in members - self.hidden
        }

    async def check(self) -> None:
        await seconds(self.core, GRACE_SECONDS)
        await seconds(self.core, 1)
        for tab, room in self.watching:
            if room not in tab.connection.rooms:
                continue  # they left
            await tab.line.drained()
            shown, page = screen(tab, room), self.core.presence.of(room)
            assert page is not None
            assert shown.states == await self.truth(room)
            assert frozenset(shown.of("online")) == page.here
            assert frozenset(shown.of("away")) == page.away
            assert (shown.here, shown.away) == (len(page.here), len(page.away))

    async def end(self) -> None:
        for person in self.people:
            for tab in list(self.tabs[person.id]):
                self._close(tab, person)
            await self._hide(person, is_invisible=False)
        await seconds(self.core, GRACE_SECONDS)
        await seconds(self.core, 1)


async def _scene(core: Core) -> tuple[list[User], list[int]]:
    core.start()
    people = [await world.person(core.database, f"Walker {n}") for n in range(PEOPLE)]
    rooms = [await world.opens(core.database, people[n], f"Room {n}") for n in range(ROOMS)]
    return people, rooms


@settings(max_examples=25)
@given(steps=st.lists(STEPS, max_size=25))
async def test_frames_amount_to_what_a_fresh_page_shows(core: Core, steps: list[Any]) -> None:
    made = getattr(core, "walk_scene", None)
    if made is None:
        made = await _scene(core)
        core.walk_scene = made  # type: ignore[attr-defined]
        await core.presence.tick()
    walk = Walk(core, *made)
    try:
        for step in steps:
            await walk.do(*step)
        await walk.check()
    finally:
        await walk.end()
