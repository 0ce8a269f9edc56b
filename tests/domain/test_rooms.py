"""Rooms: making, changing, finding and deleting them."""

import asyncio

import pytest
from sqlalchemy import select

from chatapp.domain import rooms, unread
from chatapp.domain.commands import CreateRoom, DeleteRoom, EditRoom
from chatapp.errors import Forbidden, Invalid, Missing
from chatapp.tables import memberships, messages
from chatapp.tables import rooms as rows
from tests.domain import world


async def edit(database, who, room_id, name="Lab", topic=""):
    return await world.carry_out(database, EditRoom(who.id, room_id, name, topic))


async def test_a_new_room_has_its_maker_and_number_one(database, ann):
    made = await world.carry_out(database, CreateRoom(ann.id, "Den", "for all"))
    room = await rooms.find(database, made.value)
    assert (room.name, room.topic, room.owner_id) == ("Den", "for all", ann.id)
    assert (room.last_seq, room.member_count) == (1, 1)
    assert [(e.kind, e.seq) for e in made.messages] == [("created", 1)]
    assert made.sidebars == {ann.id}


@pytest.mark.parametrize("name", ["Lab", "LAB", "ｌａｂ"])
async def test_a_name_is_taken_in_every_spelling(database, ann, bob, lab, name):
    with pytest.raises(Invalid) as refusal:
        await world.opens(database, bob, name)
    assert refusal.value.codes == {"name": "room_name_taken"}
    den = await world.opens(database, bob, "Den")
    with pytest.raises(Invalid):
        await edit(database, bob, den, name)
    assert await world.assert_no_gaps(database, den) == 1


async def test_of_two_who_make_one_name_at_once_one_wins(database, ann, bob):
    ends = await asyncio.gather(
        *(world.opens(database, who, "Den") for who in (ann, bob)), return_exceptions=True
    )
    assert {type(end) for end in ends} == {int, Invalid}
    assert len(await database.fetch_all(select(rows))) == 1


async def test_each_thing_changed_is_an_event_with_a_number(database, ann, bob, lab):
    both = await edit(database, ann, lab, "Lab two", "What we found out")
    assert [(e.kind, e.seq, e.body) for e in both.messages] == [
        ("renamed", 3, "Lab two"),
        ("topic", 4, "What we found out"),
    ]
    assert both.sidebars == {ann.id, bob.id}
    assert (await edit(database, ann, lab, "Lab two", "What we found out")).messages == []
    only = await edit(database, ann, lab, "LAB TWO", "What we found out")
    assert [e.kind for e in only.messages] == ["renamed"], "its own name is not taken"
    room = await rooms.find(database, lab)
    assert (room.name, room.last_seq) == ("LAB TWO", 5)
    assert await world.assert_no_gaps(database, lab) == 5


async def test_only_owner_and_administrator_may_change_a_room(database, ann, bob, cat):
    den = await world.opens(database, bob, "Den", cat)
    with pytest.raises(Forbidden):
        await edit(database, cat, den, "Mine")
    with pytest.raises(Forbidden):
        await world.carry_out(database, DeleteRoom(cat.id, den))
    await edit(database, ann, den, "Ours")
    await edit(database, bob, den, "His")
    assert (await rooms.find(database, den)).name == "His"
    assert ann.is_admin


async def test_a_deleted_room_takes_everything_with_it(database, ann, bob, lab):
    await world.says(database, ann, lab, "hello")
    gone = await world.carry_out(database, DeleteRoom(ann.id, lab))
    assert [(d.room_id, d.user_id, d.reason) for d in gone.departures] == [(lab, None, "deleted")]
    assert gone.sidebars == {ann.id, bob.id}
    for table in (messages, memberships):
        assert await database.fetch_all(select(table)) == []
    with pytest.raises(Missing):
        await rooms.find(database, lab)
    assert await world.opens(database, bob, "Lab") > lab


async def found(database, who, search="", show="all", page=1):
    listing = await rooms.browse(database, who.id, search=search, show=show, page=page)
    return [room.name for room in listing.rooms]


async def test_rooms_are_found_by_any_part_and_beginnings_come_first(database, ann, bob):
    for name in ("Collab", "Lab", "100% fun_x", "Other"):
        await world.opens(database, ann, name)
    den = await world.opens(database, bob, "Den")
    await edit(database, bob, den, "Den", "near the LAB")
    assert await found(database, ann, "lab") == ["Lab", "Collab", "Den"]
    assert await found(database, ann, "LAB") == ["Lab", "Collab", "Den"]
    assert await found(database, ann, "%") == ["100% fun_x"]
    assert await found(database, ann, "_") == ["100% fun_x"]
    assert await found(database, ann, "\0") == await found(database, ann)
    assert await found(database, ann, show="others") == ["Den"]
    assert await found(database, bob, show="joined") == ["Den"]


async def test_browsing_is_paged_and_counted(database, ann, bob, monkeypatch):
    monkeypatch.setattr(rooms, "PAGE", 2)
    for name in "abcde":
        await world.opens(database, ann, name, *([bob] if name in "ae" else []))
    listing = await rooms.browse(database, bob.id, search="", show="all", page=2)
    assert [room.name for room in listing.rooms] == ["c", "d"]
    assert (listing.page, listing.pages) == (2, 3)
    assert listing.counts == {"all": 5, "joined": 2, "others": 3, "archived": 0}
    last = await rooms.browse(database, bob.id, search="", show="all", page=99)
    assert [(r.name, r.member_count, r.joined) for r in last.rooms] == [("e", 2, True)]


async def test_the_newest_room_is_where_something_happened_last(database, ann, lab):
    await world.opens(database, ann, "Den")
    await asyncio.sleep(0.005)  # the database's clock counts milliseconds
    await world.says(database, ann, lab, "hello")
    assert await rooms.newest_of_user(database, ann.id) == lab
    assert [room.name for room in await unread.of_user(database, ann.id)] == ["Den", "Lab"]
    await world.leaves(database, ann, lab)
    assert [room.name for room in await unread.of_user(database, ann.id)] == ["Den"]
