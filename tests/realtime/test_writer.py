"""The queue and the one write path: every command is told its end once, and the end is true."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from chatapp.domain.changes import APPLY
from chatapp.domain.commands import (
    Committed,
    CreateRoom,
    DeleteAccount,
    DeleteRoom,
    EditRoom,
    JoinRoom,
    LeaveRoom,
    Message,
)
from chatapp.domain.posts import apply_posts
from chatapp.errors import Busy, Conflict, Forbidden, Invalid, Missing, SignedOut
from chatapp.realtime import frames
from chatapp.realtime import writer as writing
from chatapp.realtime.writer import OutcomeUnknown
from chatapp.tables import messages, rooms
from tests.domain import world
from tests.domain.world import a_post
from tests.realtime.core import Core
from tests.realtime.cut_line import Line, line_to


async def count(core, room_id):
    query = select(func.count()).select_from(messages).where(messages.c.room_id == room_id)
    return await core.database.fetch_value(query)


# -- the bounds of the queue --------------------------------------------------------


def assert_busy(core, command):
    with pytest.raises(Busy) as refusal:
        core.submit(command)
    assert refusal.value.code == "busy"
    assert 1 <= refusal.value.retry_after <= 3


async def test_a_full_queue_refuses_at_once_and_stores_nothing_of_it(core, ann, lab, monkeypatch):
    monkeypatch.setattr(writing, "QUEUE_MOST", 10)
    waiting = [core.submit(a_post(ann, lab, str(n))) for n in range(10)]
    assert_busy(core, a_post(ann, lab, "too much"))
    assert core.writer.depth() == 10
    assert core.writer.metrics.value("chatapp_commands_total", end="busy") == 1
    core.start()
    assert [(await end).seq for end in waiting] == list(range(3, 13))
    assert core.writer.depth() == 0
    assert await count(core, lab) == 12
    assert (await core.ends(a_post(ann, lab)))[0].seq == 13, "there is room again"


async def test_the_queue_is_bounded_by_bytes_too(core, ann, lab, monkeypatch):
    monkeypatch.setattr(writing, "QUEUE_BYTES", 40_000)
    waiting = [core.submit(a_post(ann, lab, "x" * 4000)) for _ in range(2)]
    assert_busy(core, a_post(ann, lab, "x" * 4000))
    core.start()
    await asyncio.gather(*waiting)
    await core.ends(a_post(ann, lab, "x" * 4000))
    assert await count(core, lab) == 5


async def test_one_person_holds_at_most_a_twentieth(core, ann, bob, lab):
    assert writing.USER_SHARE * 20 == writing.QUEUE_MOST
    waiting = [core.submit(a_post(ann, lab)) for _ in range(writing.USER_SHARE)]
    assert_busy(core, a_post(ann, lab))
    waiting.append(core.submit(a_post(bob, lab, "me too")))
    core.start()
    await asyncio.gather(*waiting)
    assert await count(core, lab) == 2 + writing.USER_SHARE + 1
    await core.ends(a_post(ann, lab))


async def test_nothing_is_taken_while_the_oldest_has_waited_long(core, ann, bob, lab):
    waiting = core.submit(a_post(ann, lab))
    core.clock.advance(writing.OLDEST_SECONDS)
    also = core.submit(a_post(bob, lab))
    core.clock.advance(0.1)
    assert core.writer.oldest_seconds() > writing.OLDEST_SECONDS
    assert_busy(core, a_post(bob, lab))
    core.start()
    await asyncio.gather(waiting, also)
    assert core.writer.oldest_seconds() == 0
    await core.ends(a_post(bob, lab))


# -- order ------------------------------------------------------------------------------


async def test_commands_are_carried_out_in_the_order_they_came(core, ann, bob, lab):
    before, leave, after = (
        core.submit(command)
        for command in (
            a_post(bob, lab, "before"),
            LeaveRoom(bob.id, lab),
            a_post(bob, lab, "after"),
        )
    )
    core.start()
    assert (await before).seq == 3
    assert await leave == lab
    refusal = await after
    assert isinstance(refusal, Forbidden)
    assert refusal.code == "not_member"
    back = await core.ends(JoinRoom(bob.id, lab), a_post(bob, lab, "again"))
    assert back[1].seq == 6
    assert await world.assert_no_gaps(core.database, lab) == 6


async def test_waiting_posts_become_one_batch(core, ann, bob, lab):
    waiting = [core.submit(a_post(who, lab, str(n))) for n in range(50) for who in (ann, bob)]
    core.start()
    assert [(await end).seq for end in waiting] == list(range(3, 103))
    value = core.writer.metrics.value
    assert value("chatapp_batch_commands_count") == 1
    assert value("chatapp_batch_commands_sum") == 100
    assert value("chatapp_commands_total", end="stored") == 100


async def test_a_crowd_that_joins_one_room_is_one_batch(core, ann, bob, lab):
    core.start()
    den = (await core.ends(CreateRoom(ann.id, "Den", "")))[0]
    await core.ends(LeaveRoom(bob.id, lab))
    seq = await world.assert_no_gaps(core.database, lab)
    value = core.writer.metrics.value
    batches = value("chatapp_batch_commands_count")
    cat = await world.person(core.database, "Cat")
    ends = [core.submit(JoinRoom(who.id, lab)) for who in (bob, cat, bob)]
    ends += [core.submit(JoinRoom(bob.id, den)), core.submit(LeaveRoom(bob.id, lab))]
    assert [await end for end in ends] == [lab, lab, lab, den, lab]
    assert value("chatapp_batch_commands_count") - batches == 3
    told = [(row.kind, row.author_id) for row in await world.log_of(core.database, lab)]
    assert told[-3:] == [("joined", bob.id), ("joined", cat.id), ("left", bob.id)]
    assert await world.assert_no_gaps(core.database, lab) == seq + 3


async def test_who_cannot_join_keeps_nobody_of_the_crowd_out(core, ann, bob, lab):
    core.start()
    cat, dan = [await world.person(core.database, name) for name in ("Cat", "Dan")]
    await core.ends(DeleteAccount(cat.id))
    ends = await core.ends(*[JoinRoom(who.id, lab) for who in (cat, dan)])
    assert isinstance(ends[0], SignedOut)
    assert ends[1] == lab
    rows = await world.log_of(core.database, lab)
    assert [row.author_id for row in rows if row.kind == "joined"][-1] == dan.id
    await world.assert_no_gaps(core.database, lab)


async def test_a_command_that_breaks_harms_nobody_else_of_the_crowd(core, ann, lab, monkeypatch):
    cat, dan = [await world.person(core.database, name) for name in ("Cat", "Dan")]
    join = APPLY[JoinRoom]

    async def breaks_for_cat(tx: Any, command: JoinRoom) -> Committed:
        committed = await join(tx, command)
        if command.actor_id == cat.id:
            raise RuntimeError("broken on purpose")
        return committed

    monkeypatch.setitem(APPLY, JoinRoom, breaks_for_cat)
    core.start()
    ends = await core.ends(*[JoinRoom(who.id, lab) for who in (cat, dan)])
    assert isinstance(ends[0], RuntimeError)
    assert ends[1] == lab
    rows = await world.log_of(core.database, lab)
    assert [row.author_id for row in rows if row.kind == "joined"][-1] == dan.id
    await world.assert_no_gaps(core.database, lab)


async def test_the_sender_knows_the_number_before_the_row_is_shown(core, ann, lab):
    tab = await core.watching(ann, lab, 2)
    core.writer.submit(a_post(ann, lab), lambda end: tab.connection.send(frames.ack(lab, "k", 3)))
    core.start()
    await tab.shows(lab, 3, 2)
    assert tab.kinds()[-2:] == ["ack", "changes"]


# -- refusals and failures ------------------------------------------------------------------


@pytest.mark.parametrize("poison", ["x" * 4001, "€" * 4001, "half \ud800"], ids=ascii)
async def test_a_poisoned_row_harms_only_itself(core, ann, bob, lab, poison):
    """The door refuses such texts; should one slip through, its neighbours are stored all the same."""
    bad = world.PostMessage(bob.id, lab, str(uuid4()), poison, b"0" * 16)
    posts: list[Any] = [a_post(ann, lab, str(n)) for n in range(9)]
    posts.insert(4, bad)
    waiting = [core.submit(post) for post in posts]
    core.start()
    ends = [await end for end in waiting]
    refusal = ends.pop(4)
    assert isinstance(refusal, Invalid)
    assert refusal.codes == {"body": "message_characters"}
    assert [end.seq for end in ends] == list(range(3, 12))
    assert await world.assert_no_gaps(core.database, lab) == 11


async def test_a_nul_that_got_past_the_checks_harms_no_neighbour(core, ann, lab):
    """PostgreSQL refuses it, SQLite stores it."""
    core.start()
    bad = world.PostMessage(ann.id, lab, str(uuid4()), "a\0b", b"0" * 16)
    found = await core.ends(a_post(ann, lab, "one"), bad, a_post(ann, lab, "two"))
    if core.database.is_sqlite:
        assert [end.seq for end in found] == [3, 4, 5]
    else:
        assert isinstance(found[1], Invalid)
        assert [found[0].seq, found[2].seq] == [3, 4]


async def test_a_lasting_failure_that_is_not_the_texts_fault_is_busy(core, ann, lab, monkeypatch):
    """A fault of ours, or a full disk: told as 'later', since the same text may be stored another time."""

    async def broken(*_: Any) -> Any:
        raise RuntimeError

    real = apply_posts
    monkeypatch.setattr(writing, "apply_posts", broken)
    core.start()
    ends = await core.ends(a_post(ann, lab), a_post(ann, lab))
    assert all(isinstance(end, Busy) for end in ends)
    monkeypatch.setattr(writing, "apply_posts", real)
    assert (await core.ends(a_post(ann, lab)))[0].seq == 3


async def test_a_deadlock_is_tried_again(core, ann, lab, monkeypatch):
    class Deadlock(Exception):
        sqlstate = "40P01"

    real, failures = apply_posts, [1, 2, 3]

    async def sometimes(*given: Any) -> Any:
        if failures:
            failures.pop()
            raise DBAPIError("", {}, Deadlock())
        return await real(*given)

    monkeypatch.setattr(writing, "apply_posts", sometimes)
    core.start()
    assert (await core.ends(a_post(ann, lab)))[0].seq == 3
    assert not failures
    assert await count(core, lab) == 3


async def test_the_writer_goes_on_after_a_command_that_fails(core, ann, bob, lab, monkeypatch):
    async def broken(*_: Any) -> Committed:
        raise ZeroDivisionError

    monkeypatch.setitem(APPLY, JoinRoom, broken)
    core.start()
    ends = await core.ends(JoinRoom(bob.id, lab), a_post(ann, lab))
    assert isinstance(ends[0], ZeroDivisionError)
    assert ends[1].seq == 3


async def test_what_waits_is_stored_although_the_writer_broke_down(core, ann, lab, monkeypatch):
    """The supervisor starts it again, and nobody needs to send anything for it to go on."""
    real, broken = core.fanout.publish, [True]

    def publish(committed: Committed) -> None:
        if broken:
            broken.clear()
            raise ZeroDivisionError
        real(committed)

    monkeypatch.setattr(core.fanout, "publish", publish)
    monkeypatch.setattr(writing, "BATCH_MOST", 1)
    waiting = [core.submit(a_post(ann, lab, str(n))) for n in range(3)]
    core.start()
    ends = await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert [end.seq for end in ends] == [3, 4, 5]


async def test_commands_of_each_kind_have_their_refusals(core, ann, bob, lab):
    core.start()
    ends = await core.ends(
        CreateRoom(bob.id, "LAB", ""),
        EditRoom(bob.id, lab, "Mine", ""),
        DeleteRoom(bob.id, lab),
        JoinRoom(bob.id, 9999),
        LeaveRoom(bob.id, 9999),
        a_post(bob, 9999),
    )
    kinds = [type(end) for end in ends]
    assert kinds == [Invalid, Forbidden, Forbidden, Missing, Missing, Missing]
    key = str(uuid4())
    ends = await core.ends(a_post(bob, lab, "one", key), a_post(bob, lab, "two", key))
    assert isinstance(ends[1], Conflict)


async def test_whose_account_has_ended_changes_nothing_any_more(core, ann, bob, lab):
    core.start()
    ends = await core.ends(
        DeleteAccount(bob.id),
        a_post(bob, lab),
        JoinRoom(bob.id, lab),
        CreateRoom(bob.id, "Mine", ""),
    )
    assert isinstance(ends[1], Forbidden)
    assert isinstance(ends[2], SignedOut)
    assert isinstance(ends[3], SignedOut)
    assert await core.database.fetch_value(select(func.count()).select_from(rooms)) == 1


async def test_whoever_asked_may_go_away_before_the_end(core, ann, lab):
    asking = asyncio.ensure_future(core.writer.ask(a_post(ann, lab, "mine")))
    await asyncio.sleep(0)
    asking.cancel()
    core.start()
    assert (await core.writer.ask(a_post(ann, lab, "next"))).seq == 4
    assert await count(core, lab) == 4, "what was queued is stored"
    with pytest.raises(Missing):
        await core.writer.ask(a_post(999, lab))  # nobody, who knows of no room


# -- the end -----------------------------------------------------------------------------------


async def test_a_stop_stores_what_was_taken_and_takes_no_more(core, ann, lab):
    waiting = [core.submit(a_post(ann, lab, str(n))) for n in range(5)]
    core.start()
    draining = asyncio.ensure_future(core.writer.drain(5))
    await asyncio.sleep(0)
    assert_busy(core, a_post(ann, lab))
    await draining
    assert all(end.done() for end in waiting)
    assert await count(core, lab) == 7


async def test_a_stop_with_nothing_to_do_is_quick(core):
    core.start()
    await core.writer.drain(1)


async def test_a_stop_does_not_wait_for_ever(core, ann, lab):
    core.submit(a_post(ann, lab))  # and nobody carries it out
    with pytest.raises(TimeoutError):
        await core.writer.drain(0.05)


async def test_whoever_waits_when_the_writer_is_cut_off_is_told_that_nobody_knows(
    core, ann, lab, monkeypatch
):
    never = asyncio.Event()

    async def hang(*_: Any) -> Any:
        await never.wait()

    monkeypatch.setattr(writing, "apply_posts", hang)
    core.start()
    end = core.submit(a_post(ann, lab))
    await asyncio.sleep(0.05)
    await core.supervisor.stop()
    assert isinstance(await end, OutcomeUnknown)


# -- when the line to the database breaks --------------------------------------------------------


@pytest.fixture
async def line(postgresql_url: str) -> AsyncIterator[Line]:
    async with line_to(postgresql_url) as line:
        yield line


@pytest.fixture
async def cut(line: Line) -> AsyncIterator[Core]:
    """The core at the end of a line that may be cut."""
    async with world.opened(line.url) as database:
        core = Core(database)
        core.start()
        yield core
        await core.stop()


@pytest.fixture
async def room(cut: Core) -> tuple[Any, Any, int]:
    ann = await world.person(cut.database, "Ann Archer")
    bob = await world.person(cut.database, "Bob Baker")
    return ann, bob, await world.opens(cut.database, ann, "Lab", bob)


@pytest.mark.parametrize("where", ["before", "after"])
async def test_an_unknown_commit_is_cleared_up_and_shown_once(cut, line, room, where):
    ann, bob, lab = room
    tab = await cut.watching(bob, lab, 2)
    line.arm(where)
    ends = await cut.ends(a_post(ann, lab, "one"), a_post(ann, lab, "two"))
    assert [end.seq for end in ends] == [3, 4]
    assert cut.writer.metrics.value("chatapp_commit_failures_total", kind="unknown") == 1
    await tab.shows(lab, 4, 2)
    assert await world.assert_no_gaps(cut.database, lab) == 4


async def test_what_nobody_can_tell_is_unknown_and_may_be_sent_again(cut, line, room):
    ann, bob, lab = room
    tab = await cut.watching(bob, lab, 2)
    post = a_post(ann, lab, "hello")
    line.arm("after", times=writing.TRIES)
    (end,) = await cut.ends(post)
    assert isinstance(end, OutcomeUnknown)
    (again,) = await cut.ends(post)
    assert isinstance(again, Message)
    assert again.seq == 3
    assert await world.assert_no_gaps(cut.database, lab) == 3
    await cut.catchup.compare()
    await tab.shows(lab, 3, 2)


async def test_a_database_that_is_away_means_later(cut, line, room):
    ann, _, lab = room
    line.is_down = True
    line.drop_all()
    posts = [a_post(ann, lab, str(n)) for n in range(3)]
    ends = await cut.ends(*posts, JoinRoom(ann.id, lab))
    assert [type(end) for end in ends] == [Busy] * 4
    assert not cut.writer.is_storing()
    cut.clock.advance(writing.FAILED_SECONDS + 1)
    assert cut.writer.is_storing(), "nobody has tried for a while"
    assert [type(end) for end in await cut.ends(*posts[:1])] == [Busy]
    assert not cut.writer.is_storing()
    line.is_down = False
    ends = await cut.ends(*posts)
    assert [end.seq for end in ends] == [3, 4, 5]
    assert cut.writer.is_storing()
    assert await world.assert_no_gaps(cut.database, lab) == 5


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_leave_whose_commit_is_unknown_still_cuts_the_stream(cut, line, room, where):
    ann, bob, lab = room
    gone = await cut.watching(bob, lab, 2)
    there = await cut.watching(ann, lab, 2)
    line.arm(where)
    assert await cut.ends(LeaveRoom(bob.id, lab)) == [lab]
    assert (await gone.frame("removed"))["reason"] == "left"
    await there.shows(lab, 3, 2)
    await cut.ends(a_post(ann, lab, "he is gone"))
    await there.shows(lab, 4, 2)
    assert gone.of("changes") == []


async def test_a_room_made_by_an_unknown_commit_is_not_called_taken(cut, line, room):
    ann, _, _ = room
    line.arm("after")
    (end,) = await cut.ends(CreateRoom(ann.id, "Den", ""))
    assert isinstance(end, OutcomeUnknown)


async def test_a_deletion_whose_commit_is_unknown_is_not_called_missing(cut, line, room):
    ann, bob, lab = room
    tab = await cut.watching(bob, lab, 2)
    line.arm("after")
    (end,) = await cut.ends(DeleteRoom(ann.id, lab))
    assert isinstance(end, OutcomeUnknown)
    await cut.catchup.compare()
    assert (await tab.frame("removed"))["reason"] == "deleted"


async def test_a_stop_in_the_middle_of_a_commit_ends(cut, line, room):
    ann, _, lab = room
    line.arm("held")
    end = cut.submit(a_post(ann, lab))
    await asyncio.wait_for(line.commits.wait(), 5)
    await asyncio.wait_for(cut.supervisor.stop(), 10)
    assert isinstance(await end, (OutcomeUnknown, Busy)) or (await end).seq == 3
