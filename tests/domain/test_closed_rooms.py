"""Closed rooms: who is told of them, what their names give away, and how they open and close."""

import pytest
from sqlalchemy import select

from chatapp.domain import memberships, rooms, switcher, text, unread
from chatapp.domain.commands import (
    AddMember,
    EditRoom,
    JoinRoom,
    LeaveRoom,
    Message,
    OpenDirect,
    ShapeRoom,
)
from chatapp.domain.search import Searches
from chatapp.domain.search_query import parse
from chatapp.errors import Forbidden, Invalid, Missing, Refused
from chatapp.tables import rooms as table
from tests.domain import world
from tests.domain.test_policy import becomes, closed, has_role


async def browsed(database, who, search="", show="all"):
    listing = await rooms.browse(database, who.id, search=search, show=show, page=1)
    assert listing.counts[show] == len(listing.rooms)
    return [room.name for room in listing.rooms]


async def switched(database, who, typed):
    return [room.name for room in (await switcher.find(database, who.id, typed)).rooms]


async def test_only_its_members_find_a_closed_room(database, ann, bob, cat):
    await world.opens(database, bob, "Vault door")
    await closed(database, bob, "Vault", cat)
    for who in (bob, cat):
        assert await browsed(database, who, "vault") == ["Vault", "Vault door"]
        assert await switched(database, who, "vault") == ["Vault", "Vault door"]
    assert await browsed(database, ann, "vault") == ["Vault door"]
    assert await browsed(database, ann) == ["Vault door"]
    assert await browsed(database, ann, show="others") == ["Vault door"]
    assert await switched(database, ann, "vault") == ["Vault door"]


async def test_a_guest_finds_only_their_rooms(database, ann, bob, cat):
    den = await world.opens(database, bob, "Den")
    await world.opens(database, bob, "Nook")
    await becomes(database, cat, is_guest=True)
    await world.carry_out(database, AddMember(bob.id, den, cat.name))
    assert await browsed(database, cat) == ["Den"]
    assert await browsed(database, cat, show="others") == []
    assert await switched(database, cat, "n") == ["Den"]


async def test_a_name_does_not_tell_whether_a_closed_room_has_it(database, ann, bob):
    await closed(database, bob, "Vault")
    await closed(database, bob, "Vault")  # not even to its owner's own other room
    open_one = await world.opens(database, ann, "vault")
    await world.carry_out(database, EditRoom(ann.id, open_one, "Safe", ""))
    await closed(database, bob, "Safe")
    with pytest.raises(Invalid):
        await world.opens(database, bob, "SAFE")


async def test_no_typed_name_is_the_key_of_a_closed_room(database, ann, bob):
    room = await closed(database, bob, "Vault")
    key = await database.fetch_value(select(table.c.name_key).where(table.c.id == room))
    assert key != "vault"
    with pytest.raises(Invalid, match="room_name_characters"):
        text.room_name(key)


async def test_search_finds_a_closed_room_by_its_name_for_members_alone(database, ann, bob, cat):
    room = await closed(database, bob, "Vault", cat)
    await world.says(database, bob, room, "the safe opens with 4711")
    searches = Searches(database)
    for typed in ("4711", "4711 in:vault"):
        found = await searches.find(cat.id, parse(typed))
        assert [hit.room_name for hit in found.hits] == ["Vault"]
        assert (await searches.find(ann.id, parse(typed))).hits == []


async def test_who_is_brought_in_by_name_is_a_member_and_the_log_says_by_whom(database, ann, bob):
    cat = await world.person(database, "Cat Carver")
    room = await closed(database, bob)
    done = await world.carry_out(database, AddMember(bob.id, room, " cat CARVER"))
    assert done.sidebars == {cat.id}
    (event,) = done.messages
    assert (event.kind, event.author_name, event.body) == ("added", "Cat Carver", "Bob Baker")
    assert await memberships.is_member(database, room, cat.id)
    assert (await world.carry_out(database, AddMember(bob.id, room, "Cat Carver"))).messages == []
    assert await world.assert_no_gaps(database, room) == 2
    with pytest.raises(Invalid, match="nobody_named"):
        await world.carry_out(database, AddMember(bob.id, room, "Nobody Known"))


async def test_members_bring_nobody_in_and_moderators_do(database, ann, bob, cat):
    room = await closed(database, bob, "Vault", cat)
    with pytest.raises(Forbidden):
        await world.carry_out(database, AddMember(cat.id, room, ann.name))
    await has_role(database, room, cat, role="moderator")
    await world.carry_out(database, AddMember(cat.id, room, ann.name))
    assert await memberships.is_member(database, room, ann.id)


async def test_nobody_joins_leaves_or_changes_a_room_they_may_not_know_of(database, ann, bob):
    room = await closed(database, bob)
    for command in (
        JoinRoom(ann.id, room),
        EditRoom(ann.id, room, "Mine", ""),
        ShapeRoom(ann.id, room, kind="open"),
        AddMember(ann.id, room, ann.name),
    ):
        with pytest.raises(Missing):
            await world.carry_out(database, command)
    (outcome,) = await world.store(database, [world.a_post(ann, room)])
    (missing,) = await world.store(database, [world.a_post(ann, 999)])
    assert type(outcome) is type(missing)
    assert not isinstance(outcome, Message)
    assert await world.assert_no_gaps(database, room) == 1


async def test_a_room_is_closed_and_opened_by_its_owner(database, ann, bob, cat):
    room = await world.opens(database, bob, "Den", cat)
    done = await world.carry_out(database, ShapeRoom(bob.id, room, kind="closed"))
    assert [(event.kind, event.body) for event in done.messages] == [("rules", "closed")]
    assert done.sidebars == {bob.id, cat.id}
    assert await browsed(database, ann) == []
    await world.opens(database, ann, "Den")  # the name is free now
    with pytest.raises(Invalid, match="room_name_taken"):
        await world.carry_out(database, ShapeRoom(bob.id, room, kind="open"))
    await world.carry_out(database, EditRoom(bob.id, room, "Lair", ""))
    await world.carry_out(database, ShapeRoom(bob.id, room, kind="open"))
    assert await browsed(database, ann) == ["Den", "Lair"]
    with pytest.raises(Forbidden):
        await world.carry_out(database, ShapeRoom(cat.id, room, kind="closed"))


async def test_an_archived_room_is_in_the_list_of_archived_rooms_alone(database, ann, bob, cat):
    room = await world.opens(database, bob, "Den", cat)
    await world.carry_out(database, ShapeRoom(bob.id, room, is_archived=True))
    assert await browsed(database, cat) == []
    assert await browsed(database, cat, show="archived") == ["Den"]
    assert await browsed(database, ann, show="archived") == []
    assert await unread.of_user(database, cat.id) == []
    assert await switched(database, cat, "den") == []
    archived = await world.store(database, [world.a_post(cat, room)])
    assert world.codes(archived) == ["room_archived"]
    await world.carry_out(database, ShapeRoom(bob.id, room, is_archived=False))
    assert await browsed(database, ann) == ["Den"]
    await world.says(database, cat, room, "as it was")


async def test_a_room_passes_to_a_moderator_before_older_members_and_to_guests_last(
    database, ann, bob, cat
):
    dan = await world.person(database, "Dan Dyer")
    room = await closed(database, bob, "Vault", dan, cat, ann)
    await becomes(database, dan, is_guest=True)
    await has_role(database, room, ann, role="moderator")
    for heir in (ann, cat, dan):
        owner = (await rooms.find(database, room)).owner_id
        await world.carry_out(database, LeaveRoom(owner, room))
        assert (await rooms.find(database, room)).owner_id == heir.id


async def test_in_a_room_for_announcements_only_few_write(database, ann, bob, cat):
    room = await world.opens(database, bob, "News", cat)
    await world.carry_out(database, ShapeRoom(bob.id, room, is_announcement=True))
    posts = [world.a_post(cat, room, "@room hello"), world.a_post(bob, room)]
    assert world.codes(await world.store(database, posts)) == ["announcement", "stored"]
    await has_role(database, room, cat, role="moderator")
    await world.says(database, cat, room, "me too now")


async def test_in_a_slow_room_each_member_waits_but_not_who_keeps_order(database, ann, bob, cat):
    room = await world.opens(database, bob, "Queue", cat, ann)
    await world.says(database, cat, room, "before it was slow")
    await world.carry_out(database, ShapeRoom(bob.id, room, slow_seconds=3600))
    posts = [
        world.a_post(cat, room, "too soon"),
        world.a_post(ann, room, "my first"),
        world.a_post(ann, room, "my second"),
        world.a_post(bob, room, "mine"),
        world.a_post(bob, room, "and mine again"),
    ]
    found = await world.store(database, posts)
    assert world.codes(found) == ["slow", "stored", "slow", "stored", "stored"]
    assert isinstance(found[2], Refused)
    assert "3600 s" in found[2].sentence
    assert await world.store(database, posts[1:2]) == [found[1]]  # its answer was lost
    await world.carry_out(database, ShapeRoom(bob.id, room, slow_seconds=0))
    await world.says(database, cat, room, "at last")


async def test_who_may_not_sign_in_any_more_is_brought_in_nowhere_and_inherits_last(
    database, ann, bob, cat
):
    dan = await world.person(database, "Dan Dyer")
    room = await closed(database, bob, "Vault", cat, dan)
    await becomes(database, cat, deactivated_at=1)
    with pytest.raises(Invalid, match="nobody_named"):
        await world.carry_out(database, AddMember(bob.id, await closed(database, bob), cat.name))
    with pytest.raises(Missing, match="person_gone"):
        await world.carry_out(database, OpenDirect(bob.id, (cat.id,)))
    await world.carry_out(database, LeaveRoom(bob.id, room))
    assert (await rooms.find(database, room)).owner_id == dan.id
