"""Calls: who is in one, since when, and how it ends."""

import pytest
from sqlalchemy import select, update

from chatapp.domain import calls, notices
from chatapp.domain.commands import (
    DeleteAccount,
    DeleteRoom,
    JoinCall,
    JoinRoom,
    LeaveCall,
    SettleCall,
)
from chatapp.errors import Busy, Conflict, Forbidden, Missing
from chatapp.tables import calls as rows
from chatapp.tables import participants
from tests.domain import world


async def comes(database, who, room_id, line, before="", most=6):
    return await world.carry_out(database, JoinCall(who.id, room_id, line, before, most, 6))


async def goes(database, who, room_id, line):
    return await world.carry_out(database, LeaveCall(who.id, room_id, line))


async def lapses(database, *people):
    """Nothing was heard of their tabs for a while."""
    async with database.transaction() as tx:
        gone = participants.c.user_id.in_([who.id for who in people])
        await tx.execute(update(participants).where(gone).values(until=0))


async def inside(database, room_id):
    found = await calls.picture(database)
    call = found.calls.get(room_id)
    return [(person.name, person.token) for person in call.people] if call else []


async def lines(database, room_id):
    return [row for row in await world.log_of(database, room_id) if row.kind.startswith("call")]


async def test_the_first_starts_it_others_come_and_the_last_ends_it(database, ann, bob, lab):
    started = await comes(database, ann, lab, "A")
    assert [event.kind for event in started.messages] == ["call"]
    assert (await comes(database, bob, lab, "B")).messages == []
    assert await inside(database, lab) == [("Ann Archer", "A"), ("Bob Baker", "B")]
    assert (await goes(database, ann, lab, "A")).messages == []
    ended = (await goes(database, bob, lab, "B")).messages
    assert [(event.kind, event.author_id) for event in ended] == [("call_ended", bob.id)]
    told = calls.ended(ended[0].body)
    assert (told.people, told.count, told.others) == (("Ann Archer", "Bob Baker"), 2, 0)
    assert 0 <= told.seconds < 60
    assert await inside(database, lab) == []
    assert [row.kind for row in await lines(database, lab)] == ["call", "call_ended"]
    await world.assert_no_gaps(database, lab)


async def test_going_twice_is_going_once_and_then_a_new_one_begins(database, ann, lab):
    await comes(database, ann, lab, "A")
    await goes(database, ann, lab, "A")
    assert (await goes(database, ann, lab, "A")).messages == []
    await comes(database, ann, lab, "A2")
    assert await inside(database, lab) == [("Ann Archer", "A2")]


async def test_an_outsider_and_who_has_left_do_not_come_in(database, bob, cat, lab):
    with pytest.raises(Forbidden):
        await comes(database, cat, lab, "C")
    await world.leaves(database, bob, lab)
    with pytest.raises(Forbidden):
        await comes(database, bob, lab, "B")
    with pytest.raises(Missing):
        await comes(database, bob, 999, "B")
    assert await lines(database, lab) == []


async def test_a_tab_that_comes_back_is_called_the_same_and_its_old_line_ends_nothing(
    database, ann, bob, lab
):
    await comes(database, ann, lab, "A")
    await comes(database, bob, lab, "B")
    await comes(database, bob, lab, "B2", before="B")
    assert await inside(database, lab) == [("Ann Archer", "A"), ("Bob Baker", "B")]
    await goes(database, bob, lab, "B")  # the process that had the old line says so late
    assert await inside(database, lab) == [("Ann Archer", "A"), ("Bob Baker", "B")]
    await goes(database, bob, lab, "B2")
    assert await inside(database, lab) == [("Ann Archer", "A")]


async def test_a_person_is_in_a_call_with_one_tab_the_newest(database, ann, bob, lab):
    await comes(database, ann, lab, "A")
    await comes(database, bob, lab, "B")
    await comes(database, bob, lab, "phone")
    assert await inside(database, lab) == [("Ann Archer", "A"), ("Bob Baker", "phone")]


async def test_a_full_call_says_so_and_has_room_again_when_somebody_lapses(
    database, ann, bob, cat, lab
):
    await world.carry_out(database, JoinRoom(cat.id, lab))
    await comes(database, ann, lab, "A", most=2)
    await comes(database, bob, lab, "B", most=2)
    with pytest.raises(Conflict):
        await comes(database, cat, lab, "C", most=2)
    await comes(database, bob, lab, "B2", most=2)  # bob is in it already
    await lapses(database, bob)
    await comes(database, cat, lab, "C", most=2)
    assert await inside(database, lab) == [("Ann Archer", "A"), ("Cat Carver", "C")]


async def test_whose_machine_died_is_out_and_a_call_of_nobody_ends(database, ann, bob, lab):
    await comes(database, ann, lab, "A")
    await comes(database, bob, lab, "B")
    await lapses(database, bob)
    found = await calls.picture(database)
    assert found.stale == {lab}
    assert await inside(database, lab) == [("Ann Archer", "A")]
    assert (await world.carry_out(database, SettleCall(lab))).messages == []
    await lapses(database, ann)
    ended = (await world.carry_out(database, SettleCall(lab))).messages
    assert [event.kind for event in ended] == ["call_ended"]
    assert (await world.carry_out(database, SettleCall(lab))).messages == []
    assert await calls.picture(database) == calls.Picture({}, frozenset())


async def test_putting_off_keeps_a_place_and_only_that_line_s(database, ann, bob, lab):
    await comes(database, ann, lab, "A")
    await comes(database, bob, lab, "B")
    await comes(database, bob, lab, "B2", before="B")
    await lapses(database, ann, bob)
    await calls.put_off(database, ["A", "B"])
    assert await inside(database, lab) == [("Ann Archer", "A")]


async def test_who_comes_when_all_others_lapsed_begins_a_new_call(database, ann, bob, lab):
    await comes(database, ann, lab, "A")
    await lapses(database, ann)
    await comes(database, bob, lab, "B")
    assert [row.kind for row in await lines(database, lab)] == ["call", "call_ended", "call"]
    assert await inside(database, lab) == [("Bob Baker", "B")]
    await world.assert_no_gaps(database, lab)


async def test_who_leaves_the_room_is_out_of_its_call(database, ann, bob, lab):
    await comes(database, ann, lab, "A")
    await comes(database, bob, lab, "B")
    await world.leaves(database, bob, lab)
    assert await inside(database, lab) == [("Ann Archer", "A")]
    await world.carry_out(database, SettleCall(lab))
    await world.carry_out(database, JoinRoom(bob.id, lab))
    assert await inside(database, lab) == [("Ann Archer", "A")], "coming back is not joining"


async def test_a_call_outlives_the_account_of_who_started_it_and_ends_without_their_name(
    database, ann, bob, lab
):
    await comes(database, bob, lab, "B")
    await world.carry_out(database, DeleteAccount(bob.id))
    ended = (await world.carry_out(database, SettleCall(lab))).messages
    assert [event.kind for event in ended] == ["call_ended"]
    assert calls.ended(ended[0].body).people == ()
    assert await inside(database, lab) == []


async def test_a_call_goes_with_its_room(database, ann, lab):
    await comes(database, ann, lab, "A")
    await world.carry_out(database, DeleteRoom(ann.id, lab))
    assert await database.fetch_all(select(rows)) == []
    assert await database.fetch_all(select(participants)) == []
    with pytest.raises(Missing):
        await goes(database, ann, lab, "A")


async def test_there_are_not_more_calls_than_one_site_can_have(database, ann, lab, monkeypatch):
    monkeypatch.setattr(calls, "CALLS_MOST", 1)
    other = await world.opens(database, ann, "Den")
    await comes(database, ann, other, "A")
    with pytest.raises(Busy):
        await comes(database, ann, lab, "A2")


async def test_a_muted_room_rings_nobody(database, ann, bob, cat, lab):
    assert await calls.ringing_room(database, lab, bob.id) == "Lab"
    assert await calls.ringing_room(database, lab, cat.id) is None
    await notices.choose(database, lab, bob.id, "nothing")
    assert await calls.ringing_room(database, lab, bob.id) is None
