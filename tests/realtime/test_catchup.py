"""Readers who come (back), and rooms whose hub has missed something."""

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import update

from chatapp.domain import messages
from chatapp.domain.commands import (
    Committed,
    DeleteRoom,
    JoinRoom,
    LeaveRoom,
    Moderate,
    ShapeRoom,
)
from chatapp.errors import Forbidden, Missing
from chatapp.realtime.hub import LATE_MOST
from chatapp.tables import memberships, rooms
from tests.domain import world
from tests.domain.world import a_post
from tests.realtime.core import EPOCH


async def test_a_reader_gets_what_was_missed_and_then_what_comes(core, ann, bob, lab):
    await world.says(core.database, ann, lab, "one", "two")
    core.start()
    tab = await core.watching(bob, lab, 3)
    assert tab.of("watching") == [{"type": "watching", "room": lab, "seq": 4}]
    await core.ends(a_post(ann, lab, "three"))
    await tab.shows(lab, 5, 3)
    assert tab.kinds() == ["changes", "watching", "changes"]


async def test_a_reader_who_missed_nothing_is_just_told_so(core, bob, lab):
    tab = await core.watching(bob, lab, 2)
    assert tab.kinds() == ["watching"]


async def test_much_that_was_missed_comes_in_pieces(core, ann, bob, lab, monkeypatch):
    monkeypatch.setattr(messages, "CHANGES_MOST", 10)
    await world.says(core.database, ann, lab, *map(str, range(23)))
    tab = await core.watching(bob, lab)
    assert len(tab.of("changes")) == 3
    await tab.shows(lab, 25)


@pytest.mark.parametrize(
    ("epoch", "seq"), [("elsewhere", 2), (EPOCH, 3), (EPOCH, 999), ("", 0)], ids=str
)
async def test_a_cursor_of_another_line_of_numbers_means_load_afresh(core, bob, lab, epoch, seq):
    tab = core.tab(bob)
    await core.catchup.watch(tab.connection, lab, epoch, seq)
    assert await tab.frame("reload") == {"type": "reload", "room": lab}
    assert not core.hub.is_watched(lab)


async def test_a_cursor_far_behind_means_load_afresh(core, ann, bob, lab, monkeypatch):
    monkeypatch.setattr(messages, "CHANGES_MOST", 1)
    await world.says(core.database, ann, lab, *map(str, range(6)))
    tab = core.tab(bob)
    await core.catchup.watch(tab.connection, lab, EPOCH, 2)
    await tab.frame("reload")
    assert not core.hub.is_watched(lab)


async def test_strangers_and_former_members_see_nothing(core, ann, bob, cat, lab):
    await world.leaves(core.database, bob, lab)
    for who in (bob, cat):
        tab = core.tab(who)
        with pytest.raises(Forbidden):
            await core.catchup.watch(tab.connection, lab, EPOCH, 0)
        assert tab.frames == []
    with pytest.raises((Forbidden, Missing)):
        await core.catchup.watch(core.tab(ann).connection, 9999, EPOCH, 0)
    assert not core.hub.is_watched(lab)
    assert not core.hub.is_watched(9999)


async def test_whoever_is_removed_while_catching_up_sees_no_more(core, ann, bob, lab, monkeypatch):
    await world.says(core.database, ann, lab, "one", "two")
    real = messages.changes

    async def slow(*given):
        found = await real(*given)
        core.hub.depart(lab, bob.id, "removed")
        return found

    monkeypatch.setattr(messages, "changes", slow)
    tab = core.tab(bob)
    await core.catchup.watch(tab.connection, lab, EPOCH, 0)
    await tab.frame("removed")
    assert tab.kinds() == ["removed"]
    assert core.hub.watchers(lab) == set()


async def test_whoever_left_elsewhere_while_catching_up_is_not_let_in(
    core, ann, bob, lab, monkeypatch
):
    """Another process stored the leaving and its hint was lost: the log itself tells."""
    real = messages.changes
    done: list[Any] = []

    async def slow(*given):
        if not done:
            done.append(await world.leaves(core.database, bob, lab))
        return await real(*given)

    monkeypatch.setattr(messages, "changes", slow)
    tab = core.tab(bob)
    with pytest.raises(Forbidden):
        await core.catchup.watch(tab.connection, lab, EPOCH, 1)
    assert tab.frames == []
    assert core.hub.watchers(lab) == set()


async def test_a_tab_that_is_gone_before_it_is_served_leaves_nothing(core, bob, lab):
    tab = core.tab(bob)
    core.hub.remove(tab.connection)
    tab.connection.close(1000)
    await core.catchup.watch(tab.connection, lab, EPOCH, 0)
    assert not core.hub.is_watched(lab)


async def test_what_a_new_reader_misses_before_the_first_live_frame_is_read(
    core, ann, bob, lab, monkeypatch
):
    """Another process stores 3 just after the reader has looked; then ours delivers 4."""
    real = messages.changes
    done: list[Any] = []

    async def slow(*given):
        found = await real(*given)
        if not done:
            done.append(await world.says(core.database, ann, lab, "theirs"))
            await core.ends(a_post(ann, lab, "ours"))
        return found

    monkeypatch.setattr(messages, "changes", slow)
    core.start()
    tab = core.tab(bob)
    await core.catchup.watch(tab.connection, lab, EPOCH, 1)
    await tab.frame("watching")
    await tab.shows(lab, 4, 1)


async def test_too_much_at_once_while_catching_up_means_load_afresh(
    core, ann, bob, lab, monkeypatch
):
    real = messages.changes

    async def slow(*given):
        found = await real(*given)
        for n in range(LATE_MOST + 1):
            core.hub.deliver(lab, 2 + n, 3 + n, "{}")
        return found

    monkeypatch.setattr(messages, "changes", slow)
    tab = core.tab(bob)
    await core.catchup.watch(tab.connection, lab, EPOCH, 0)
    await tab.frame("reload")
    assert not core.hub.is_watched(lab)


# -- what the hub has missed ----------------------------------------------------------


async def test_rows_written_by_another_process_are_found(core, ann, bob, lab):
    tab = await core.watching(bob, lab, 2)
    await world.says(core.database, ann, lab, "one", "two")
    await core.catchup.compare()
    await tab.shows(lab, 4, 2)
    await core.catchup.compare()
    await asyncio.sleep(0.01)
    assert len(tab.of("changes")) == 1, "once"


async def test_what_is_on_its_way_to_everybody_is_not_read_again(core, ann, bob, lab, monkeypatch):
    """Stored, and shown a moment after the numbers were compared: under load that is so in every busy room."""
    tab = await core.watching(bob, lab, 2)
    stored = await world.says(core.database, ann, lab, "one")
    real, reads, compared = messages.last_numbers, [], asyncio.Event()

    async def told(*given):
        found = await real(*given)
        compared.set()
        return found

    monkeypatch.setattr(messages, "last_numbers", told)
    monkeypatch.setattr(messages, "changes", lambda *given: reads.append(given))
    comparing = asyncio.ensure_future(core.catchup.compare(0.1))
    await compared.wait()
    core.fanout.publish(Committed(messages=stored))
    await comparing
    await tab.shows(lab, 3, 2)
    assert reads == []
    assert len(tab.of("changes")) == 1


async def test_comparing_goes_on_by_itself(core, ann, bob, lab):
    core.supervisor.keep(lambda: core.catchup.compare_forever(0.02), "compare")
    tab = await core.watching(bob, lab, 2)
    await world.says(core.database, ann, lab, "one")
    await tab.shows(lab, 3, 2)


async def test_a_gap_is_filled_before_what_came_after_it(core, ann, bob, lab):
    core.start()
    tab = await core.watching(bob, lab, 2)
    await world.says(core.database, ann, lab, "behind our back")
    await core.ends(a_post(ann, lab, "ours"))
    await tab.shows(lab, 4, 2)


async def test_many_who_ask_share_one_reader(core, ann, bob, lab, monkeypatch):
    tab = await core.watching(bob, lab, 2)
    await world.says(core.database, ann, lab, "one")
    real, reads, at_once = messages.changes, [], []

    async def counted(*given):
        reads.append(1)
        at_once.append(1)
        assert len(at_once) == 1
        found = await real(*given)
        at_once.pop()
        return found

    monkeypatch.setattr(messages, "changes", counted)
    for _ in range(100):
        core.catchup.fill(lab)
    await tab.shows(lab, 3, 2)
    assert len(reads) <= 3


async def test_a_room_deleted_elsewhere_is_taken_away(core, ann, bob, lab):
    tab = await core.watching(bob, lab, 2)
    await world.carry_out(core.database, DeleteRoom(ann.id, lab))
    await core.catchup.compare()
    assert (await tab.frame("removed"))["reason"] == "deleted"


async def test_far_behind_everybody_loads_afresh_and_then_there_is_peace(
    core, ann, bob, lab, monkeypatch
):
    monkeypatch.setattr(messages, "CHANGES_MOST", 1)
    tab = await core.watching(bob, lab, 2)
    await world.says(core.database, ann, lab, *map(str, range(10)))
    await core.catchup.compare()
    await tab.frame("reload")
    back = await core.watching(bob, lab, 12)
    for _ in range(3):
        await core.catchup.compare()
        await asyncio.sleep(0.01)
    assert len(tab.of("reload")) == 1, "not once a second for ever"
    assert back.of("reload") == []
    await world.says(core.database, ann, lab, "next")
    await core.catchup.compare()
    await back.shows(lab, 13, 12)


async def test_who_left_elsewhere_is_cut_although_no_hint_came(core, ann, bob, lab):
    there, gone = await core.watching(ann, lab, 2), await core.watching(bob, lab, 2)
    await world.leaves(core.database, bob, lab)
    await world.says(core.database, ann, lab, "he is gone")
    await core.catchup.compare()
    await there.shows(lab, 4, 2)
    assert (await gone.frame("removed"))["reason"] == "left"
    assert gone.of("changes") == []
    assert core.hub.watchers(lab) == {ann.id}


async def test_who_was_removed_elsewhere_from_a_closed_room_is_cut_and_nobody_else(
    core, ann, bob, lab
):
    """Of whom a closed room knows nothing, it does not exist: that must not end it for the others."""
    await world.carry_out(core.database, ShapeRoom(ann.id, lab, kind="closed"))
    there, gone = await core.watching(ann, lab, 3), await core.watching(bob, lab, 3)
    await world.carry_out(core.database, Moderate(ann.id, lab, bob.id, "remove"))
    core.catchup.verify(lab, bob.id)
    assert (await gone.frame("removed"))["reason"] == "removed"
    await core.catchup.compare()
    await there.shows(lab, 4, 3)
    assert there.of("removed") == gone.of("changes") == []
    with pytest.raises(Missing):
        await core.catchup.watch(gone.connection, lab, EPOCH, 0)


async def test_who_was_removed_elsewhere_is_cut_although_no_hint_came(core, ann, bob, lab):
    there, gone = await core.watching(ann, lab, 2), await core.watching(bob, lab, 2)
    await world.carry_out(core.database, Moderate(ann.id, lab, bob.id, "remove"))
    await world.says(core.database, ann, lab, "he is gone")
    await core.catchup.compare()
    await there.shows(lab, 4, 2)
    assert (await gone.frame("removed"))["reason"] == "removed"
    assert gone.of("changes") == []


async def test_who_left_and_came_back_stays(core, ann, bob, lab):
    tab = await core.watching(bob, lab, 2)
    await world.leaves(core.database, bob, lab)
    await world.carry_out(core.database, JoinRoom(bob.id, lab))
    await core.catchup.compare()
    await tab.shows(lab, 4, 2)
    assert tab.of("removed") == []


async def test_a_hint_that_somebody_left_is_verified(core, ann, bob, cat, lab):
    tabs = [await core.watching(who, lab, 2) for who in (ann, bob)]
    for lie in (bob.id, None, cat.id, 2**70):
        core.catchup.verify(lab, lie)
    core.catchup.verify(9999, bob.id)
    await asyncio.sleep(0.05)
    assert [tab.of("removed") for tab in tabs] == [[], []]
    async with core.database.transaction() as tx:  # without a trace in the log
        mine = memberships.c.user_id == bob.id
        await tx.execute(update(memberships).where(mine).values(is_active=False))
    core.catchup.verify(lab, bob.id)
    await tabs[1].frame("removed")
    assert core.hub.watchers(lab) == {ann.id}


async def test_numbers_that_went_back_mean_load_afresh(core, bob, lab):
    """The database was put back to an earlier state under our feet."""
    tab = await core.watching(bob, lab, 2)
    async with core.database.transaction() as tx:
        await tx.execute(update(rooms).where(rooms.c.id == lab).values(last_seq=1))
    core.catchup.fill(lab)
    await tab.frame("reload")


# -- the join race -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
async def test_whenever_people_come_nothing_is_missing_and_nothing_comes_twice(
    core, ann, bob, lab, seed
):
    """Posts stream in, through the writer and behind its back, while tabs come, look again, and go."""
    dice = random.Random(seed)
    core.start()
    core.supervisor.keep(lambda: core.catchup.compare_forever(0.02), "compare")
    watchers = []

    async def talk():
        for n in range(40):
            if dice.random() < 0.2:
                await world.says(core.database, ann, lab, f"behind {n}")
            else:
                await core.ends(*(a_post(ann, lab) for _ in range(dice.randrange(1, 4))))
            await asyncio.sleep(dice.random() * 0.004)

    async def come_and_go():
        for _ in range(8):
            last = await core.database.fetch_value(
                rooms.select().with_only_columns(rooms.c.last_seq).where(rooms.c.id == lab)
            )
            seq = dice.randrange(0, last + 1)
            tab = core.tab(dice.choice([ann, bob]))
            watchers.append((tab, seq))
            mine = watchers[-1]
            await core.catchup.watch(tab.connection, lab, EPOCH, seq)
            await asyncio.sleep(dice.random() * 0.01)
            if dice.random() < 0.3:  # once more, as after a gap
                await core.catchup.watch(tab.connection, lab, EPOCH, tab.screen(lab, seq).seq)
            if dice.random() < 0.3:
                core.hub.unwatch(tab.connection, lab)
                watchers.remove(mine)

    async with asyncio.timeout(30):
        await asyncio.gather(talk(), *(come_and_go() for _ in range(4)))
        last = await world.assert_no_gaps(core.database, lab)
        for tab, seq in watchers:
            await tab.shows(lab, last, seq)
    assert len(watchers) > 10


async def test_leaving_cuts_before_the_next_number(core, ann, bob, lab):
    core.start()
    there, gone = await core.watching(ann, lab, 2), await core.watching(bob, lab, 2)
    other = await core.watching(bob, lab, 2)
    await core.ends(a_post(ann, lab), LeaveRoom(bob.id, lab), a_post(ann, lab), a_post(ann, lab))
    await there.shows(lab, 6, 2)
    for tab in (gone, other):
        await tab.frame("removed")
        assert tab.screen(lab, 2).seq == 3
    assert [hint.user_id for hint in core.hints.of("depart")] == [bob.id]
