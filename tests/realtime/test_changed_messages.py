"""Messages that are edited, deleted and brought back: what screens, counts and other processes hear of it."""

import asyncio

import pytest

from chatapp.domain import deletions, messages
from chatapp.domain.commands import DeleteMessage, EditMessage, Message, RestoreMessage
from chatapp.realtime import unread as telling
from chatapp.realtime.backplane import Hint
from chatapp.realtime.hints import Hints
from chatapp.realtime.mine import Own
from chatapp.realtime.shared_tails import SharedTails
from chatapp.realtime.wipes import Wipes
from tests.domain import world
from tests.domain.test_edits import everywhere, ten_seconds_pass
from tests.domain.world import a_post
from tests.realtime.core import Core
from tests.realtime.cut_line import Line
from tests.realtime.tab import Tab
from tests.realtime.test_news import follows
from tests.realtime.test_shared_tails import KEY
from tests.realtime.test_writer import cut, line, room
from tests.support.redis_server import RedisServer

__all__ = ["cut", "line", "room"]
DAY = 86_400


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(telling, "COLLECT_SECONDS", 0.01)


def an_edit(who, room_id: int, seq: int, body: str, base: int = 0) -> EditMessage:
    return EditMessage(who.id, room_id, seq, body, base, DAY)


async def reaches(tab: Tab, room_id: int, start: int, last: int) -> None:
    """Waits until a screen that began at number `start` is whole up to `last`."""
    await tab.until(lambda: tab.screen(room_id, start).seq >= last)
    assert tab.screen(room_id, start).gaps == []


async def test_who_watches_and_who_comes_back_see_what_it_says_now(core, ann, bob, lab):
    core.start()
    (posted,) = await core.ends(a_post(ann, lab, "helo"))
    there = await core.watching(bob, lab, posted.seq)
    await core.ends(an_edit(ann, lab, posted.seq, "hello"))
    frame = await there.frame("changes")
    assert (frame["from"], frame["seq"]) == (3, 4)
    assert "hello" in frame["html"]
    await core.ends(DeleteMessage(ann.id, lab, posted.seq))
    frame = await there.frame("changes", 2)
    assert (frame["from"], frame["seq"]) == (4, 5)
    assert "is-deleted" in frame["html"]
    back = await core.watching(
        bob, lab, posted.seq
    )  # both were missed: the state is told, not the way to it
    (frame,) = back.of("changes")
    assert (frame["from"], frame["seq"]) == (3, 5)
    assert "hello" not in frame["html"]


async def test_memory_of_a_room_has_the_change(core, ann, bob, lab):
    core.start()
    await core.ends(a_post(ann, lab, "one"), a_post(ann, lab, "two"))
    core.tails.keep(lab, 4, await messages.latest(core.database, lab))
    await core.ends(an_edit(ann, lab, 3, "one!"), DeleteMessage(ann.id, lab, 4))
    kept = core.tails.changes(lab, 4, 6)
    read = await messages.changes(core.database, lab, 4)
    assert kept == read
    page = core.tails.page(lab, 6)
    assert page is not None
    assert page[0] == await messages.newest(core.database, lab)


async def test_everybody_who_follows_is_told_when_something_is_unread_no_more(core, ann, bob, lab):
    core.start()
    core.supervisor.keep(core.marks.run, "unread")
    tab = await follows(core, bob)
    (posted,) = await core.ends(a_post(ann, lab, "hello"))
    await core.ends(DeleteMessage(ann.id, lab, posted.seq))
    count = await tab.frame("unread")
    assert (count["unread"], count["seq"]) == (0, 4)
    await core.ends(RestoreMessage(ann.id, lab, posted.seq))
    await tab.until(lambda: any(frame["unread"] == 1 for frame in tab.of("unread")))
    assert core.hints.of("unread") == [Hint("unread", room_id=lab)] * 2
    assert all(frame["rows"] in ([], [[3, ann.id]]) for frame in tab.of("news"))


async def test_another_process_tells_those_who_follow_there(core, ann, bob, lab):
    core.supervisor.keep(core.marks.run, "unread")
    tab = await follows(core, bob)
    (posted,) = await world.says(core.database, ann, lab, "hello")
    await world.carry_out(core.database, DeleteMessage(ann.id, lab, posted.seq))
    hints = Hints(
        database=core.database,
        hub=core.hub,
        rosters=core.rosters,
        news=core.news,
        marks=core.marks,
        drafts=core.drafts,
        catchup=core.catchup,
        supervisor=core.supervisor,
        presence=core.presence,
        typing=core.typing,
        calls=core.calls,
        signalling=core.signalling,
        rings=core.rings,
        own=Own(core.database, core.hub, core.hints, core.supervisor),
    )
    hints.take(Hint("unread", room_id=lab))
    assert (await tab.frame("unread"))["unread"] == 0


async def test_where_no_hints_arrive_browsers_are_made_to_ask(core, ann, bob, lab):
    tab = await follows(core, bob)
    (posted,) = await world.says(core.database, ann, lab, "hello")
    await core.news.compare()
    await tab.frame("news")
    await world.carry_out(core.database, DeleteMessage(ann.id, lab, posted.seq))
    await core.news.compare()
    frame = await tab.frame("news", 2)
    assert (frame["seq"], frame["rows"]) == (4, None)
    await world.carry_out(core.database, RestoreMessage(ann.id, lab, posted.seq))
    core.news.fill(lab)  # by its hint: another one tells of the counts
    assert (await tab.frame("news", 3))["rows"] == []


async def test_what_nobody_may_take_back_is_wiped_by_itself(core, ann, lab, monkeypatch):
    monkeypatch.setattr("chatapp.realtime.wipes.LOOK_SECONDS", 0.01)
    forgotten: list[int] = []

    async def forget(room_id: int) -> None:
        forgotten.append(room_id)

    (posted,) = await world.says(core.database, ann, lab, "secret swordfish")
    await world.carry_out(core.database, DeleteMessage(ann.id, lab, posted.seq))
    core.supervisor.keep(Wipes(core.database, forget).run, "wipes")
    assert await everywhere(core.database, "swordfish") == ["deletions"]
    await ten_seconds_pass(core.database)
    async with asyncio.timeout(10):
        while not forgotten:
            await asyncio.sleep(0.01)
    assert forgotten == [lab]
    assert await everywhere(core.database, "swordfish") == []
    assert not await deletions.have_lapsed(core.database)


async def test_redis_keeps_no_copy_of_what_was_wiped(redis: RedisServer) -> None:
    tails = SharedTails(redis.url, (KEY,), "now")
    await tails.keep(7, 2, [Message(7, 2, 2, "message", 1, "Ann", 3, "k", "secret", 1000)])
    assert await tails.find(7, 2) is not None
    await tails.forget(7)
    assert await tails.find(7, 2) is None
    redis.stop()
    await tails.forget(7)  # nobody there: it ends by itself
    await tails.close()


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_change_whose_commit_is_unknown_is_made_once_and_shown(
    cut: Core, line: Line, room, where
):
    ann, bob, lab = room
    (posted,) = await cut.ends(a_post(ann, lab, "helo"))
    tab = await cut.watching(bob, lab, posted.seq)
    for n, command in (
        (4, an_edit(ann, lab, posted.seq, "hello @Bob Baker")),
        (5, DeleteMessage(ann.id, lab, posted.seq)),
        (6, RestoreMessage(ann.id, lab, posted.seq)),
    ):
        line.arm(where)
        assert await cut.ends(command) == [lab]
        await reaches(tab, lab, posted.seq, n)
    found = await messages.living(cut.database, lab, posted.seq)
    assert (found.changed_seq, found.body) == (6, "hello @Bob Baker")
