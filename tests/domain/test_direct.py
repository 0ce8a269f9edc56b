"""Direct rooms: the same people are the same room, it is called by them, and what is said there counts for each."""

import asyncio

import pytest

from chatapp.domain import (
    bookmarks,
    calls,
    direct,
    memberships,
    notices,
    policy,
    rooms,
    switcher,
    unread,
)
from chatapp.domain.commands import (
    AddMember,
    DeleteAccount,
    DeleteRoom,
    EditRoom,
    JoinRoom,
    LeaveRoom,
    OpenDirect,
    ShapeRoom,
)
from chatapp.domain.search import Searches
from chatapp.domain.search_query import parse
from chatapp.errors import Forbidden, Invalid, Missing
from tests.domain import world
from tests.domain.test_policy import becomes


async def opened(database, who, *others):
    command = OpenDirect(who.id, tuple(each.id for each in others))
    return (await world.carry_out(database, command)).value


async def side(database, who):
    """The names of somebody's conversations as the sidebar has them, with what is unread there."""
    found = await unread.of_user(database, who.id)
    return [
        (room.name, room.mentions)
        for room in found
        if room.kind == "direct" and (room.notify != "hidden" or room.mentions)
    ]


async def test_the_same_people_are_the_same_room_whoever_opens_it(database, ann, bob, cat):
    two = await opened(database, ann, bob)
    assert await opened(database, bob, ann) == two
    assert await opened(database, bob, ann, ann, bob) == two
    three = await opened(database, cat, ann, bob)
    assert three != two
    assert await opened(database, ann, bob, cat) == three
    assert await memberships.ids(database, three) == {ann.id, bob.id, cat.id}
    assert await world.assert_no_gaps(database, two) == 1


async def test_two_who_open_it_at_once_get_one_room(database, ann, bob):
    pairs = [(ann, bob), (bob, ann)] * 4
    found = await asyncio.gather(*(opened(database, who, other) for who, other in pairs))
    assert len(set(found)) == 1


async def test_it_is_called_by_its_people_for_each_of_them(database, ann, bob, cat):
    room = await opened(database, ann, bob, cat)
    seq = (await world.says(database, ann, room, "psst @Bob Baker"))[0].seq
    assert (await rooms.find(database, room, ann.id)).name == "Bob Baker, Cat Carver"
    assert (await rooms.find(database, room, bob.id)).name == "Ann Archer, Cat Carver"
    assert await side(database, cat) == [("Ann Archer, Bob Baker", 1)]
    notice = await notices.find(database, room, seq, bob.id)
    assert notice is not None
    assert notice.room == "Ann Archer, Cat Carver"
    assert await calls.ringing_room(database, room, cat.id) == "Ann Archer, Bob Baker"
    async with database.transaction() as tx:
        await bookmarks.apply_mark(tx, cat.id, room, seq, on=True)
    assert (await bookmarks.of_user(database, cat.id))[0][0].room_name == "Ann Archer, Bob Baker"
    for typed in ("psst", 'in:"ann archer, cat carver"'):
        hits = (await Searches(database).find(bob.id, parse(f"psst {typed}"))).hits
        assert [hit.room_name for hit in hits] == ["Ann Archer, Cat Carver"]


async def test_every_message_counts_like_a_mention(database, ann, bob):
    room = await opened(database, ann, bob)
    await world.says(database, ann, room, "one", "two")
    (found,) = (await unread.counts(database, [(room, bob.id)])).values()
    assert (found.unread, found.mentions) == (2, 2)
    assert await side(database, ann) == [("Bob Baker", 0)]


async def test_it_is_hidden_until_something_is_said(database, ann, bob):
    room = await opened(database, ann, bob)
    assert await side(database, ann) == [("Bob Baker", 0)]
    assert await side(database, bob) == []  # ann has only opened it
    await world.says(database, ann, room, "hello")
    assert await side(database, bob) == [("Ann Archer", 1)]
    await notices.choose(database, room, bob.id, "hidden")
    async with database.transaction() as tx:
        await unread.apply_marks(tx, {(room, bob.id): unread.Mark(99)})
    assert await side(database, bob) == []
    await world.says(database, ann, room, "are you there?")
    async with database.transaction() as tx:
        await unread.apply_marks(tx, {(room, bob.id): unread.Mark(99)})
    assert await side(database, bob) == [("Ann Archer", 0)]  # it stays, also once it is read


async def test_a_choice_to_hear_nothing_outlives_what_is_said(database, ann, bob):
    room = await opened(database, ann, bob)
    await notices.choose(database, room, bob.id, "nothing")
    await world.says(database, ann, room, "hello")
    (found,) = await unread.of_user(database, bob.id)
    assert found.notify == "nothing"


async def test_nobody_comes_goes_or_rules_and_nobody_outside_knows(database, ann, bob, cat):
    room = await opened(database, bob, cat)
    for command in (
        AddMember(bob.id, room, ann.name),
        EditRoom(bob.id, room, "Ours", ""),
        ShapeRoom(bob.id, room, kind="open"),
        DeleteRoom(bob.id, room),
        LeaveRoom(cat.id, room),
    ):
        with pytest.raises(Forbidden):
            await world.carry_out(database, command)
    with pytest.raises(Missing):
        await world.carry_out(database, JoinRoom(ann.id, room))
    assert await policy.of(database, room, ann.id) == policy.NOBODY
    for who in (ann, bob):
        assert (await rooms.browse(database, who.id, search="", show="all", page=1)).rooms == []
    assert [each.rooms for each in (await switcher.find(database, bob.id, "@cat")).people] == [0]
    assert (await switcher.find(database, ann.id, "@cat")).people == []


async def test_who_ends_their_account_stays_named_and_the_other_goes_on(database, ann, bob):
    room = await opened(database, ann, bob)
    await world.says(database, bob, room, "farewell")
    await world.carry_out(database, DeleteAccount(bob.id))
    assert await side(database, ann) == [("deleted account", 1)]
    await world.says(database, ann, room, "who was that?")
    with pytest.raises(Missing):
        await opened(database, ann, bob)


async def test_a_conversation_has_two_to_ten_people(database, ann):
    crowd = [await world.person(database, f"Person {chr(65 + n)}") for n in range(10)]
    assert await opened(database, ann, *crowd[:9])
    for others in ([], [ann], crowd):
        with pytest.raises(Invalid, match="direct_people"):
            await opened(database, ann, *others)


async def test_guests_write_to_and_are_written_to_by_those_they_share_a_room_with(
    database, ann, bob, cat
):
    await becomes(database, cat, is_guest=True)
    den = await world.opens(database, bob, "Den")
    await world.carry_out(database, AddMember(bob.id, den, cat.name))

    async def found(who, typed=""):
        return [person.name for person in await direct.people(database, who.id, typed)]

    assert await found(cat) == ["Bob Baker"]
    assert await found(bob) == ["Cat Carver"]
    assert await found(bob, "ann") == []  # they share no room, so the whole name is asked for
    assert await found(bob, "ann archer") == ["Ann Archer"]
    assert await found(ann, "cat carver") == await found(cat, "ann archer") == []
    for who, other in ((ann, cat), (cat, ann)):
        with pytest.raises(Missing):
            await opened(database, who, other)
        with pytest.raises(Invalid, match="nobody_named"):
            await direct.named(database, who.id, [other.name])
    assert await opened(database, cat, bob)
    assert await direct.named(database, bob.id, ["cat carver ", "", "ANN ARCHER"]) == [
        *(ann.id, cat.id)
    ]
