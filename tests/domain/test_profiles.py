"""What people tell about themselves: how long, in what form, and to whom."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from chatapp.domain import memberships, profiles, unread
from chatapp.domain.commands import DeleteAccount, OpenDirect
from chatapp.domain.users import Status
from chatapp.errors import Invalid, Missing
from chatapp.tables import now_ms, users
from chatapp.times import moment
from tests.domain import world
from tests.domain.test_policy import becomes

TEA = "\N{TEACUP WITHOUT HANDLE}"


async def says(database, who, words="", sign="", ends="", day="", zone="UTC"):
    await profiles.set_status(
        database, who.id, sign=sign, words=words, ends=ends, day=day, zone=zone
    )


async def time_passes(database, who):
    """The end of somebody's status was a moment ago."""
    async with database.transaction() as tx:
        past = update(users).where(users.c.id == who.id).values(status_until=now_ms() - 1)
        await tx.execute(past)


async def statuses(database, who, reader, room):
    """A status wherever somebody else may read it: the profile, the list of members, the sidebar."""
    listed = await memberships.find_member(database, room, who.id)
    assert listed is not None
    profile = await profiles.find(database, who.id, reader.id)
    rooms = await unread.of_user(database, reader.id)
    side = [room.status for room in rooms if room.kind == "direct"]
    return [profile.person.status, listed.status, *side]


async def test_a_status_stands_behind_the_name_until_it_is_over(database, ann, bob, lab):
    await world.carry_out(database, OpenDirect(ann.id, (bob.id,)))
    for ends in ("", "30", "60", "today"):
        await says(database, bob, "  On a\nbreak ", ":tea:", ends)
        assert await statuses(database, bob, ann, lab) == [Status(TEA, "On a break")] * 3
    await time_passes(database, bob)
    assert await statuses(database, bob, ann, lab) == [Status()] * 3
    assert (await profiles.about(database, bob.id)).status == Status()
    await says(database, bob, "", TEA)
    assert await statuses(database, bob, ann, lab) == [Status(TEA, "")] * 3


async def test_in_a_conversation_of_three_nobodys_status_stands(database, ann, bob, cat):
    await says(database, bob, "Out")
    await world.carry_out(database, OpenDirect(ann.id, (bob.id, cat.id)))
    (room,) = await unread.of_user(database, ann.id)
    assert room.status == Status()


async def test_a_status_ends_with_the_day_where_its_author_is(database, bob):
    await profiles.set_about(database, bob.id, bio="", zone="Pacific/Auckland")
    for ends, days in (("today", 0), ("date", 3)):
        row = await database.fetch_one(select(now_ms().label("now")))
        here = moment(row.now, "Pacific/Auckland")
        last = here.date() + timedelta(days=days)
        await says(database, bob, "Away", ends=ends, day=last.isoformat())
        until = (await profiles.about(database, bob.id)).status_until
        assert until is not None
        over = moment(until, "Pacific/Auckland")
        assert (over.hour, over.minute) == (0, 0)
        assert over.date() == last + timedelta(days=1)


async def test_what_cannot_be_a_status_is_said_for_each_field(database, bob):
    today = datetime.now(UTC).date()
    for given, field in (
        ({"words": "x" * 81}, "status"),
        ({"words": "a\0b"}, "status"),
        ({"sign": "x"}, "emoji"),
        ({"sign": TEA + TEA}, "emoji"),
        ({"words": "Out", "ends": "never"}, "ends"),
        ({"words": "Out", "ends": "date"}, "day"),
        ({"words": "Out", "ends": "date", "day": "9999-12-31"}, "day"),
        ({"words": "Out", "ends": "date", "day": str(today - timedelta(days=2))}, "day"),
    ):
        with pytest.raises(Invalid) as caught:
            await says(database, bob, **given)
        assert list(caught.value.fields) == [field], given
    await says(database, bob, "x" * 80)


async def test_a_bio_has_a_few_lines_and_a_clock_a_place(database, ann, bob):
    await profiles.set_about(database, bob.id, bio="I bake.\r\n\r\nBread.\n", zone="Asia/Tokyo")
    found = await profiles.find(database, bob.id, ann.id)
    assert (found.bio, found.zone, found.tells_zone) == ("I bake.\n\nBread.", "Asia/Tokyo", True)
    await profiles.set_about(database, bob.id, bio="x" * 500, zone="")
    assert not (await profiles.find(database, bob.id, ann.id)).tells_zone
    for bio, zone, fields in (
        ("x" * 501, "", {"bio"}),
        ("\x07", "Asia/Nowhere", {"bio", "zone"}),
        ("", "../etc/passwd", {"zone"}),
        ("", "x" * 9000, {"zone"}),
    ):
        with pytest.raises(Invalid) as caught:
            await profiles.set_about(database, bob.id, bio=bio, zone=zone)
        assert set(caught.value.fields) == fields


async def test_a_guest_sees_those_of_their_rooms_and_nobody_else(database, ann, bob, cat, lab):
    dan = await world.person(database, "Dan Dyer")
    await becomes(database, bob, is_guest=True)  # with ann in the lab
    assert (await profiles.find(database, ann.id, bob.id)).person.name == ann.name
    assert (await profiles.find(database, bob.id, bob.id)).person.role == "guest"
    for other in (cat.id, dan.id, 999):
        with pytest.raises(Missing) as caught:
            await profiles.find(database, other, bob.id)
        assert caught.value.code == "person_gone"
    seen = await profiles.find(database, bob.id, dan.id)
    assert (seen.person.name, seen.is_reachable, seen.rooms) == (bob.name, False, [])


async def test_only_rooms_that_both_are_in_are_named(database, ann, bob, cat, lab):
    await world.opens(database, cat, "Den", bob)
    found = await profiles.find(database, bob.id, ann.id)
    assert [room.name for room in found.rooms] == ["Lab"]
    await world.leaves(database, bob, lab)
    assert (await profiles.find(database, bob.id, ann.id)).rooms == []


async def test_who_has_gone_has_no_profile(database, ann, bob):
    await profiles.set_about(database, bob.id, bio="I bake.", zone="")
    await says(database, bob, "Out")
    await world.carry_out(database, DeleteAccount(bob.id))
    with pytest.raises(Missing):
        await profiles.find(database, bob.id, ann.id)
    row = await database.fetch_one(select(users).where(users.c.id == bob.id))
    assert (row.bio, row.status) == ("", "")
