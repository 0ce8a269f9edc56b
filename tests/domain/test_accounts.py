"""The end of an account, and what its bearer may still do: nothing."""

import asyncio

import pytest
from sqlalchemy import select

from chatapp.domain import messages, rooms, users
from chatapp.domain.commands import DeleteAccount, JoinRoom
from chatapp.errors import Invalid, Missing
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
    await users.change_profile(database, bob, name="Bob again", hue="3")
    row = await database.fetch_one(select(rows).where(rows.c.id == bob.id))
    assert (row.name, row.name_key) == (DELETED_ACCOUNT, None)


async def test_a_rename_is_seen_wherever_they_wrote(database, ann, bob, lab):
    await users.change_profile(database, bob, name="Robert", hue="7")
    page = await messages.newest(database, lab)
    assert {(m.author_name, m.author_hue) for m in page.messages if m.author_id == bob.id} == {
        ("Robert", 7)
    }
    with pytest.raises(Invalid):
        await users.change_profile(database, bob, name="ann ARCHER", hue="7")


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
