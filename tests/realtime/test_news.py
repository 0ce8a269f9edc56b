"""What people hear of rooms they do not look at."""

import asyncio
from functools import partial
from uuid import uuid4

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from chatapp.domain import unread
from chatapp.domain.commands import JoinRoom, LeaveRoom
from chatapp.domain.unread import UNREAD_MOST, Mark
from chatapp.domain.users import User
from chatapp.realtime import news
from chatapp.realtime.news import ROWS_MOST
from tests.domain import world
from tests.domain.world import a_post
from tests.realtime.core import Core
from tests.realtime.tab import Frame, Tab


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Frames of a room are half a second apart; here they need not be."""
    monkeypatch.setattr(news, "APART_SECONDS", 0.01)


async def follows(core: Core, who: User) -> Tab:
    tab = core.tab(who)
    await core.rosters.follow(tab.connection)
    return tab


async def test_a_member_hears_how_many_wrote_but_no_words(core, ann, bob, lab):
    core.start()
    tab = await follows(core, bob)
    await core.ends(a_post(ann, lab, "the safe opens with 4711"))
    assert await tab.frame("news") == {
        "type": "news",
        "room": lab,
        "from": 2,
        "seq": 3,
        "rows": [[3, ann.id]],
    }
    assert "4711" not in str(tab.frames)


async def test_who_is_not_in_a_room_hears_nothing_of_it(core, ann, bob, cat, lab):
    core.start()
    outsider, ex_member, member = [await follows(core, who) for who in (cat, bob, ann)]
    await core.ends(LeaveRoom(bob.id, lab), a_post(ann, lab, "one"))
    await member.until(lambda: any(frame["seq"] == 4 for frame in member.of("news")))
    assert outsider.of("news") == []
    assert all(frame["seq"] < 4 for frame in ex_member.of("news"))


async def test_whoever_joins_hears_of_it_from_then_on(core, ann, cat, lab):
    core.start()
    tab = await follows(core, cat)
    await core.ends(JoinRoom(cat.id, lab))
    async with asyncio.timeout(5):
        while lab not in core.rosters.rooms(cat.id):
            await asyncio.sleep(0)
    await core.ends(a_post(ann, lab, "welcome"))
    assert (await tab.frame("news"))["rows"] == [[4, ann.id]]


async def test_much_at_once_is_not_listed(core, ann, bob, lab):
    tab = await follows(core, bob)
    ends = [core.submit(a_post(ann, lab, str(number))) for number in range(ROWS_MOST + 1)]
    core.start()
    await asyncio.gather(*ends)
    frame = await tab.frame("news")
    assert (frame["rows"], frame["seq"]) == (None, 2 + ROWS_MOST + 1)


async def test_what_another_process_stored_is_heard_of_by_its_hint_or_by_comparing(
    core, ann, bob, lab
):
    tab = await follows(core, bob)
    await world.says(core.database, ann, lab, "one")
    core.news.fill(lab)  # we had heard nothing of the room yet: a gap that browsers notice
    assert (await tab.frame("news"))["from"] == 3
    await world.says(core.database, ann, lab, "two")
    core.news.fill(lab)
    assert (await tab.frame("news", 2))["rows"] == [[4, ann.id]]
    await world.says(core.database, ann, lab, "three")
    await core.news.compare()
    assert (await tab.frame("news", 3))["rows"] == [[5, ann.id]]


async def test_reading_is_told_to_all_windows_and_to_other_processes(core, ann, bob, lab):
    core.supervisor.keep(core.marks.run, "unread")
    await world.says(core.database, ann, lab, "one", "two")
    tabs = [await follows(core, bob), await follows(core, bob)]
    core.marks.mark(bob.id, lab, Mark(3))
    core.marks.mark(bob.id, lab, Mark(2))
    for tab in tabs:
        assert await tab.frame("unread") == {
            "type": "unread",
            "room": lab,
            "seq": 4,
            "read": 3,
            "unread": 1,
            "mentions": 0,
            "threads": 0,
        }
    assert [(hint.room_id, hint.user_id) for hint in core.hints.of("unread")] == [(lab, bob.id)]
    assert core.marks.waiting() == 0


async def test_who_leaves_while_their_unread_is_counted_hears_no_more_of_the_room(
    core, ann, bob, cat, lab, monkeypatch
):
    core.start()
    core.supervisor.keep(core.marks.run, "unread")
    await world.carry_out(core.database, JoinRoom(cat.id, lab))
    (asked,) = await world.says(core.database, bob, lab, "Tea?")
    bobs, cats = await follows(core, bob), await follows(core, cat)
    counts, counted, left = unread.counts, asyncio.Event(), asyncio.Event()

    async def slow(reader, pairs):
        found = await counts(reader, pairs)
        counted.set()
        await left.wait()
        return found

    monkeypatch.setattr(unread, "counts", slow)
    await core.ends(world.a_post(ann, lab, "Yes.", reply=asked.seq))
    core.marks.tell(lab, [cat.id])
    await counted.wait()
    await core.ends(LeaveRoom(bob.id, lab))
    left.set()
    assert (await cats.frame("unread"))["unread"] == 2
    assert "unread" not in [frame["type"] for frame in bobs.frames]


PEOPLE = ("ann", "bob", "cat")


class Sidebar:
    """A browser's counts, kept as docs/protocol.md says."""

    def __init__(self, core: Core, tab: Tab) -> None:
        self.core, self.tab, self.at = core, tab, 0
        self.rooms: dict[int, dict[str, int]] = {}
        self.rows: dict[int, list[list[int]]] = {}

    async def refresh(self) -> None:
        for room in await unread.of_user(self.core.database, self.tab.user.id):
            known = self.rooms.get(room.id)
            if known is None or room.seq >= known["seq"]:
                self.rooms[room.id] = {
                    "seq": room.seq,
                    "base": room.seq,
                    "read": room.read,
                    "unread": room.unread,
                }
                self.rows[room.id] = []

    async def apply_all(self, *, loses_news: bool = False) -> None:
        fresh, self.at = self.tab.frames[self.at :], len(self.tab.frames)
        for frame in fresh:
            if not loses_news or frame["type"] != "news":
                await self.apply(frame)

    def heard(self, last: dict[int, int]) -> bool:
        news = self.tab.of("news")
        return all(
            any(frame["room"] == room and frame["seq"] >= last[room] for frame in news)
            for room in last.keys() & self.rooms.keys()
        )

    async def apply(self, frame: Frame) -> None:
        state = self.rooms.get(frame.get("room", 0))
        if state is None:
            return
        rows = self.rows[frame["room"]]
        me = self.tab.user.id
        if frame["type"] == "news" and frame["seq"] > state["seq"]:
            if frame["rows"] is None or frame["from"] > state["seq"]:
                await self.refresh()
                return
            fresh = [row for row in frame["rows"] if row[0] > state["seq"]]
            rows += fresh
            state["unread"] += sum(row[1] != me and row[0] > state["read"] for row in fresh)
            state["seq"] = frame["seq"]
        elif frame["type"] == "unread" and frame["seq"] >= state["base"]:
            later = [row for row in rows if row[0] > frame["seq"]]
            since = sum(row[1] != me and row[0] > frame["read"] for row in later)
            state.update(read=frame["read"], unread=frame["unread"] + since)
            state["seq"] = max(state["seq"], frame["seq"])
            state["base"] = frame["seq"]


who_writes = st.sampled_from([("ann", "Lab"), ("bob", "Lab")] + [(n, "Den") for n in PEOPLE])
STEPS = st.one_of(
    st.tuples(st.just("writes"), who_writes, st.none()),
    st.tuples(st.just("reads"), who_writes, st.integers(1, 40)),
    st.tuples(st.just("goes back"), who_writes, st.integers(1, 40)),
    st.tuples(st.just("time"), st.just(("", "")), st.none()),
    st.tuples(st.just("hears"), st.just(("", "")), st.tuples(st.integers(0, 3), st.booleans())),
)


async def _windows(core: Core, people: list[User]) -> list[Sidebar]:
    bars = [Sidebar(core, await follows(core, who)) for who in people]
    for bar in bars:
        await bar.refresh()
    return bars


@settings(max_examples=15, phases=[Phase.reuse, Phase.generate, Phase.shrink])
@given(steps=st.lists(STEPS, min_size=5, max_size=50))
async def test_whatever_people_write_and_read_the_counts_are_those_of_a_fresh_page(
    core, ann, bob, cat, steps
):
    """Four windows of three people, some of whose frames are lost; Cat is in one of the two rooms."""
    if not core.supervisor.count():
        core.start()
        core.supervisor.keep(core.marks.run, "unread")
    people = {"ann": ann, "bob": bob, "cat": cat}
    lab = await world.opens(core.database, ann, f"Lab {uuid4()}", bob)
    den = await world.opens(core.database, ann, f"Den {uuid4()}", bob, cat)
    rooms, last = {"Lab": lab, "Den": den}, {lab: 2, den: 3}
    bars = await _windows(core, [ann, bob, cat, bob])
    for what, (name, room_name), how in steps:
        who, room = people.get(name, ann), rooms.get(room_name, lab)
        if what == "writes":
            last[room] = (await core.ends(a_post(who, room, "hello")))[0].seq
        elif what in {"reads", "goes back"}:
            core.marks.mark(who.id, room, Mark(min(how, last[room]), what == "goes back"))
        elif what == "time":
            await asyncio.sleep(0.02)
        else:
            await bars[how[0]].apply_all(loses_news=how[1])
    # The end: everybody is told of one more message in each room, and of nothing else.
    async with asyncio.timeout(5):
        while core.marks.waiting():
            await asyncio.sleep(0.02)
    for room in (lab, den):
        last[room] = (await core.ends(a_post(ann, room, "the last")))[0].seq
    for bar in bars:
        await bar.tab.until(partial(bar.heard, last))
        await bar.apply_all()
        fresh = await unread.of_user(core.database, bar.tab.user.id)
        found = {room: (state["seq"], state["unread"]) for room, state in bar.rooms.items()}
        assert found == {room.id: (room.seq, min(room.unread, UNREAD_MOST)) for room in fresh}
