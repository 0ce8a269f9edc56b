"""The end of an account, and what its bearer may still do: nothing."""

import asyncio

import pytest
from sqlalchemy import select

from chatapp.domain import accounts, memberships, messages, rooms, users
from chatapp.domain.commands import DeleteAccount, EditProfile, EditRoom, JoinRoom
from chatapp.errors import Invalid, Missing, SignedOut
from chatapp.security import Passwords
from chatapp.tables import users as rows
from chatapp.words import DELETED_ACCOUNT
from tests.domain import world


async def deletes(database, who):
    return await world.carry_out(database, DeleteAccount(who.id))


async def admins(database):
    return {row.id for row in await database.fetch_all(select(rows.c.id).where(rows.c.is_admin))}


async def test_what_they_wrote_stays_without_their_name(database, ann, bob, lab):
    await world.says(database, bob, lab, "mine")
    done = await deletes(database, bob)
    assert done.gone_users == {bob.id}
    assert [(d.room_id, d.user_id) for d in done.departures] == [(lab, bob.id)]
    page = await messages.newest(database, lab)
    assert [(m.kind, m.author_name) for m in page.messages if m.author_id == bob.id] == [
        ("joined", DELETED_ACCOUNT),
        ("message", DELETED_ACCOUNT),
        ("left", DELETED_ACCOUNT),
    ]
    row = await database.fetch_one(select(rows).where(rows.c.id == bob.id))
    assert row.deleted_at
    assert not row.is_admin
    kept = (row.email, row.email_key, row.name_key, row.name_skeleton, row.password_hash)
    assert kept == (None,) * 5


async def test_name_and_address_are_free_again_for_somebody_else(database, ann, bob):
    await deletes(database, bob)
    again = await world.person(database, "Bob Baker")
    assert again.id != bob.id


async def test_their_rooms_pass_on_and_those_of_nobody_else_are_closed(database, ann, bob, cat):
    shared = await world.opens(database, bob, "Shared", cat, ann)
    alone = await world.opens(database, bob, "Alone")
    left = await world.opens(database, bob, "Left")
    await world.leaves(database, bob, left)
    done = await deletes(database, bob)
    assert (await rooms.find(database, shared)).owner_id == cat.id
    for room_id in (alone, left):
        with pytest.raises(Missing):
            await rooms.find(database, room_id)
    assert {event.room_id for event in done.messages} == {shared}
    assert {d.room_id for d in done.departures} == {shared, alone, left}
    await world.assert_no_gaps(database, shared)


async def test_the_last_administrator_passes_on_to_the_oldest_account(database, ann, bob, cat):
    assert await admins(database) == {ann.id}
    await deletes(database, cat)
    assert await admins(database) == {ann.id}
    await deletes(database, ann)
    assert await admins(database) == {bob.id}
    await deletes(database, bob)
    assert await admins(database) == set()
    assert (await world.person(database, "Dan Dyer")).is_admin


async def test_twice_is_once(database, ann, bob, lab):
    await deletes(database, bob)
    again = await deletes(database, bob)
    assert (again.messages, again.gone_users) == ([], {bob.id})
    await world.assert_no_gaps(database, lab)


async def test_an_old_page_does_not_bring_a_deleted_account_back(database, ann, bob):
    """Their profile form was still open in another window."""
    await deletes(database, bob)
    with pytest.raises(SignedOut):
        await world.carry_out(database, EditProfile(bob.id, "Bob again", 3))
    row = await database.fetch_one(select(rows).where(rows.c.id == bob.id))
    assert (row.name, row.name_key) == (DELETED_ACCOUNT, None)


async def test_a_rename_is_seen_wherever_they_wrote(database, ann, bob, lab):
    await world.carry_out(database, EditProfile(bob.id, "Robert", 7))
    page = await messages.newest(database, lab)
    assert {(m.author_name, m.author_hue) for m in page.messages if m.author_id == bob.id} == {
        ("Robert", 7)
    }
    with pytest.raises(Invalid):
        await world.carry_out(database, EditProfile(bob.id, "ann ARCHER", 7))


async def test_a_new_name_is_an_event_in_each_room_they_ever_were_in(database, ann, bob, lab):
    left = await world.opens(database, ann, "Left", bob)
    await world.leaves(database, bob, left)
    never = await world.opens(database, ann, "Never")
    done = await world.carry_out(database, EditProfile(bob.id, "Robert", 7))
    told = {(e.room_id, e.kind, e.author_name, e.author_hue, e.body) for e in done.messages}
    assert told == {
        (lab, "profile", "Robert", 7, "Bob Baker"),
        (left, "profile", "Robert", 7, "Bob Baker"),
    }
    for event in done.messages:
        assert await world.assert_no_gaps(database, event.room_id) == event.seq
    assert await world.assert_no_gaps(database, never) == 1


async def test_an_administrator_has_rows_in_rooms_they_only_looked_after(database, ann, bob):
    den = await world.opens(database, bob, "Den")
    await world.carry_out(database, EditRoom(ann.id, den, "Den", "tidied up"))
    done = await world.carry_out(database, EditProfile(ann.id, "Anna", 1))
    assert [(e.room_id, e.body) for e in done.messages] == [(den, "Ann Archer")]


async def test_a_new_colour_names_nobody_and_the_same_look_again_is_no_event(database, bob, lab):
    await world.carry_out(database, EditProfile(bob.id, bob.name, 9))
    done = await world.carry_out(database, EditProfile(bob.id, bob.name, 9))
    assert done.messages == []
    page = await messages.newest(database, lab)
    assert [(m.kind, m.body, m.author_hue) for m in page.messages][-1] == ("profile", "", 9)


async def test_the_end_of_an_account_takes_the_name_from_rooms_they_had_left(database, ann, bob):
    left = await world.opens(database, ann, "Left", bob)
    await world.leaves(database, bob, left)
    done = await deletes(database, bob)
    assert [(e.room_id, e.kind, e.author_name, e.body) for e in done.messages] == [
        (left, "profile", DELETED_ACCOUNT, "")
    ]


async def test_who_leaves_by_ending_the_account_is_shown_without_a_name(database, bob, lab):
    done = await deletes(database, bob)
    assert [(e.kind, e.author_name) for e in done.messages] == [("left", DELETED_ACCOUNT)]


async def test_nobody_joins_while_their_account_ends_or_gets_a_name(database, ann, bob):
    """Whoever comes second waits for the first and then knows: on PostgreSQL by the row's lock."""
    if database.is_sqlite:
        return  # one transaction at a time
    room = await world.opens(database, ann, "Lab")
    async with database.transaction() as tx:
        await accounts.apply_delete_account(tx, DeleteAccount(bob.id))
        joining = asyncio.ensure_future(world.carry_out(database, JoinRoom(bob.id, room)))
        await asyncio.wait({joining}, timeout=0.3)
        assert not joining.done()
    with pytest.raises(SignedOut):
        await joining
    assert await memberships.is_member(database, room, bob.id) is False


async def test_the_first_to_sign_up_is_administrator_and_nobody_else(database):
    passwords = Passwords(cost=4)
    names = ("Ann Archer", "Bob Baker", "Cat Carver", "Dan Dyer")
    try:
        people = await asyncio.gather(
            *(
                users.sign_up(
                    database,
                    passwords,
                    name=name,
                    email=f"{name[:3]}@people.example",
                    password="correct horse",
                )
                for name in names
            )
        )
    finally:
        passwords.close()
    assert sum(person.is_admin for person in people) == len(await admins(database)) == 1


async def test_members_who_are_gone_are_not_counted(database, ann, bob, lab):
    await deletes(database, bob)
    assert (await rooms.find(database, lab)).member_count == 1
    await world.carry_out(database, JoinRoom(ann.id, lab))
