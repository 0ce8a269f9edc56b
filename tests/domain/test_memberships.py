"""Coming and going: numbers, and who owns a room."""

import pytest
from sqlalchemy import select

from chatapp.domain import memberships
from chatapp.domain.commands import JoinRoom, LeaveRoom
from chatapp.errors import Missing, SignedOut
from chatapp.tables import memberships as rows
from chatapp.tables import rooms
from tests.domain import world


async def row_of(database, room_id, who):
    mine = (rows.c.room_id == room_id) & (rows.c.user_id == who.id)
    return await database.fetch_one(select(rows).where(mine))


async def owner(database, room_id):
    return await database.fetch_value(select(rooms.c.owner_id).where(rooms.c.id == room_id))


async def kinds(database, room_id):
    return [row.kind for row in await world.log_of(database, room_id)]


async def test_coming_and_going_takes_numbers_and_stands_in_the_log(database, ann, bob, lab):
    left = await world.leaves(database, bob, lab)
    assert [event.seq for event in left.messages] == [3]
    assert [(d.user_id, d.reason) for d in left.departures] == [(bob.id, "left")]
    assert left.sidebars == {bob.id}
    gone = await row_of(database, lab, bob)
    assert (gone.is_active, gone.joined_seq, gone.changed_seq) == (False, 2, 3)
    back = await world.carry_out(database, JoinRoom(bob.id, lab))
    assert [event.seq for event in back.messages] == [4]
    again = await row_of(database, lab, bob)
    assert (again.is_active, again.joined_seq, again.changed_seq) == (True, 4, 4)
    assert await kinds(database, lab) == ["created", "joined", "left", "joined"]
    assert await world.assert_no_gaps(database, lab) == 4


async def test_twice_is_once(database, ann, bob, lab):
    assert (await world.carry_out(database, JoinRoom(bob.id, lab))).messages == []
    await world.leaves(database, bob, lab)
    again = await world.leaves(database, bob, lab)
    assert again.messages == []
    assert [d.user_id for d in again.departures] == [bob.id], "his windows are closed all the same"
    assert await kinds(database, lab) == ["created", "joined", "left"]


async def test_the_room_of_an_owner_who_leaves_passes_to_who_came_first(
    database, ann, bob, cat, lab
):
    await world.carry_out(database, JoinRoom(cat.id, lab))
    await world.leaves(database, bob, lab)
    await world.carry_out(database, JoinRoom(bob.id, lab))
    await world.leaves(database, ann, lab)
    assert await owner(database, lab) == cat.id, "bob was here before her, but went"
    await world.carry_out(database, JoinRoom(ann.id, lab))
    assert await owner(database, lab) == cat.id, "coming back does not take it back"


async def test_an_empty_room_stays_and_belongs_to_who_comes_next(database, ann, bob, lab):
    await world.says(database, ann, lab, "keep this")
    for who in (bob, ann):
        await world.leaves(database, who, lab)
    assert await memberships.ids(database, lab) == set()
    await world.carry_out(database, JoinRoom(bob.id, lab))
    assert await owner(database, lab) == bob.id
    assert "keep this" in [row.body for row in await world.log_of(database, lab)]


@pytest.mark.parametrize("command", [JoinRoom, LeaveRoom])
async def test_a_room_that_is_gone_has_no_members(database, ann, command):
    with pytest.raises(Missing):
        await world.carry_out(database, command(ann.id, 999))


async def test_nobody_is_no_member(database, lab):
    with pytest.raises(SignedOut):
        await world.carry_out(database, JoinRoom(999, lab))
    assert await world.assert_no_gaps(database, lab) == 2


async def test_members_are_listed_by_name_and_found_by_a_part_of_it(database, ann, bob, cat, lab):
    await world.carry_out(database, JoinRoom(cat.id, lab))
    zoe = await world.person(database, "zoë 100%_x")
    await world.carry_out(database, JoinRoom(zoe.id, lab))
    await world.leaves(database, bob, lab)

    async def names(search=""):
        found = await memberships.members(database, lab, search)
        assert await memberships.count(database, lab, search) == len(found)
        return [person.name for person in found]

    assert await names() == ["Ann Archer", "Cat Carver", "zoë 100%_x"]
    assert await names("CAR") == ["Cat Carver"]
    assert await names("ZOË") == ["zoë 100%_x"]
    assert await names("%_") == ["zoë 100%_x"]
    assert await names("%") == ["zoë 100%_x"]
    assert await names("bob") == []
    roles = [person.role for person in await memberships.members(database, lab)]
    assert roles == ["owner", "member", "member"]


async def test_members_come_in_pages(database, ann, bob, cat, lab, monkeypatch):
    monkeypatch.setattr(memberships, "PAGE", 2)
    await world.carry_out(database, JoinRoom(cat.id, lab))
    first = await memberships.members(database, lab, page=1)
    second = await memberships.members(database, lab, page=2)
    assert [p.id for p in first + second] == [ann.id, bob.id, cat.id]
    crowd = range(10**6, 10**6 + 40_000)  # more than a statement may have parameters
    ranks = ({cat.id, *crowd}, {bob.id})
    first = await memberships.members(database, lab, page=1, ranks=ranks)
    second = await memberships.members(database, lab, page=2, ranks=ranks)
    assert [p.id for p in first + second] == [cat.id, bob.id, ann.id]
    nobody = await memberships.members(database, lab, "zz", ranks=ranks)
    assert nobody == []
