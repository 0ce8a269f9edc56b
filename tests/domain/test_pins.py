"""Pins: what a room keeps at hand."""

import pytest
from sqlalchemy import select

from chatapp.domain import messages, pins
from chatapp.domain.commands import Pin
from chatapp.errors import Forbidden, Invalid, Missing, Refused
from chatapp.tables import rooms
from tests.domain import world


async def pin(database, who, room_id, seq, *, on=True):
    return await world.carry_out(database, Pin(who.id, room_id, seq, on))


async def said(database, who, room_id, *bodies):
    return [message.seq for message in await world.says(database, who, room_id, *bodies)]


async def last_number(database, room_id):
    return await database.fetch_value(select(rooms.c.last_seq).where(rooms.c.id == room_id))


async def test_a_pin_changes_the_message_and_is_said_in_the_room(database, ann, bob, lab):
    (seq,) = await said(database, ann, lab, "wifi: *hunter2*")
    done = await pin(database, bob, lab, seq)
    row, event = done.messages
    assert (row.seq, row.changed_seq, row.pinned_at is not None) == (seq, seq + 1, True)
    assert (event.seq, event.kind, event.body, event.author_id) == (
        seq + 2,
        "pinned",
        str(seq),
        bob.id,
    )
    assert (await pin(database, ann, lab, seq)).messages == [], "it is pinned already"
    assert await last_number(database, lab) == seq + 2
    (item,) = await pins.of_room(database, lab)
    assert (item.seq, item.author_name, item.text) == (seq, "Ann Archer", "wifi: hunter2")
    row, event = (await pin(database, ann, lab, seq, on=False)).messages
    assert (row.pinned_at, event.kind) == (None, "unpinned")
    assert (await pin(database, ann, lab, seq, on=False)).messages == []
    assert await pins.count(database, lab) == 0
    found = await messages.changes(database, lab, seq)
    assert found is not None
    assert [row.seq for row in found.messages] == [seq + 2, seq, seq + 4]


async def test_what_was_pinned_last_is_first_and_there_is_an_end_to_it(
    database, ann, lab, monkeypatch
):
    monkeypatch.setattr(pins, "PINS_MOST", 2)
    first, second, third = await said(database, ann, lab, "one", "two", "three")
    for seq in (second, first):
        await pin(database, ann, lab, seq)
    assert [item.seq for item in await pins.of_room(database, lab)][-1] == second
    with pytest.raises(Invalid) as refusal:
        await pin(database, ann, lab, third)
    assert "at most 2" in refusal.value.fields[""]
    await pin(database, ann, lab, second, on=False)
    await pin(database, ann, lab, third)
    assert {item.seq for item in await pins.of_room(database, lab)} == {first, third}


async def test_only_members_pin_and_only_messages_that_are_there(database, ann, bob, cat, lab):
    (seq,) = await said(database, bob, lab, "hello")
    with pytest.raises(Forbidden):
        await pin(database, cat, lab, seq)
    await world.leaves(database, bob, lab)
    with pytest.raises(Forbidden):
        await pin(database, bob, lab, seq)
    with pytest.raises(Refused, match="not_a_message"):
        await pin(database, ann, lab, 1)
    with pytest.raises(Missing):
        await pin(database, ann, lab, 99)
