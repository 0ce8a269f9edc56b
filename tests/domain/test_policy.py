"""Who may do what in a room, by the table; and that a room somebody may not know of is missing whatever they ask."""

import pytest
from sqlalchemy import update

from chatapp.domain import policy
from chatapp.domain.commands import AddMember, CreateRoom, LeaveRoom, ShapeRoom
from chatapp.errors import Forbidden, Missing, SignedOut
from chatapp.tables import memberships, now_ms, users
from tests.domain import world


async def stands(database, room, who, *actions):
    """Which of these actions somebody may do."""
    stand = await policy.of(database, room, who.id)
    return [action for action in actions or policy.ACTIONS if stand.may(action)]


async def becomes(database, who, **values):
    async with database.transaction() as tx:
        await tx.execute(update(users).where(users.c.id == who.id).values(**values))


async def has_role(database, room, who, **values):
    async with database.transaction() as tx:
        await tx.execute(update(memberships).where(policy_row(room, who)).values(**values))


def policy_row(room, who):
    return (memberships.c.room_id == room) & (memberships.c.user_id == who.id)


async def closed(database, owner, name="Vault", *guests):
    room = (await world.carry_out(database, CreateRoom(owner.id, name, "", "closed"))).value
    for guest in guests:
        await world.carry_out(database, AddMember(owner.id, room, guest.name))
    return room


def test_every_role_has_a_column_and_every_action_somebody_who_may():
    assert all(roles and roles <= set(policy.ROLES) for roles in policy.ACTIONS.values())


async def test_the_owner_may_do_everything_in_their_room(database, ann, bob):
    room = await world.opens(database, bob, "Den")
    assert await stands(database, room, bob) == list(policy.ACTIONS)


async def test_a_member_reads_writes_and_leaves_and_rules_nothing(database, ann, bob, cat):
    room = await world.opens(database, bob, "Den", cat)
    assert await stands(database, room, cat) == [
        *("join", "read", "leave", "post", "react", "change", "pin", "call", "report")
    ]


async def test_a_moderator_keeps_order_and_does_not_own_the_room(database, ann, bob, cat):
    room = await world.opens(database, bob, "Den", cat)
    await has_role(database, room, cat, role="moderator")
    may = await stands(database, room, cat)
    assert {"delete", "moderate", "add", "announce", "hurry", "audit", "call_all"} <= set(may)
    assert not {"appoint", "edit_room", "shape", "archive", "delete_room"} & set(may)


async def test_an_administrator_rules_open_rooms_and_reads_none_they_are_not_in(database, ann, bob):
    room = await world.opens(database, bob, "Den")
    may = await stands(database, room, ann)
    assert {"edit_room", "delete_room", "moderate", "shape", "archive", "join"} <= set(may)
    assert not {"read", "post", "react", "leave"} & set(may)


async def test_nobody_outside_knows_of_a_closed_room_not_even_the_administrator(database, ann, bob):
    room = await closed(database, bob)
    assert await stands(database, room, ann) == []
    for action in policy.ACTIONS:
        with pytest.raises(Missing):
            await policy.require(database, room, ann.id, action)


async def test_who_leaves_a_closed_room_knows_no_more_of_it(database, ann, bob, cat):
    room = await closed(database, bob, "Vault", cat)
    assert "read" in await stands(database, room, cat)
    await world.carry_out(database, LeaveRoom(cat.id, room))
    assert await stands(database, room, cat) == []


async def test_a_guest_knows_only_rooms_they_were_brought_into(database, ann, bob, cat):
    room, other = await world.opens(database, bob, "Den"), await world.opens(database, bob, "Nook")
    await becomes(database, cat, is_guest=True)
    assert await stands(database, room, cat) == []
    await world.carry_out(database, AddMember(bob.id, room, cat.name))
    may = await stands(database, room, cat)
    assert {"read", "post", "leave"} <= set(may)
    assert "add" not in may
    assert await stands(database, other, cat) == []
    with pytest.raises(Forbidden):
        await world.carry_out(database, CreateRoom(cat.id, "Mine", ""))


async def test_an_archived_room_is_read_by_its_members_and_nobody_finds_it(database, ann, bob, cat):
    room = await world.opens(database, bob, "Den", cat)
    await world.carry_out(database, ShapeRoom(bob.id, room, is_archived=True))
    assert await stands(database, room, cat) == ["read", "leave"]
    assert await stands(database, room, bob) == [
        *("read", "leave", "audit", "archive", "delete_room")
    ]
    dan = await world.person(database, "Dan Dyer")
    assert await stands(database, room, dan) == []


async def test_who_is_muted_reads_and_leaves_until_the_time_is_over(database, ann, bob, cat):
    room = await world.opens(database, bob, "Den", cat)
    await has_role(database, room, cat, muted_until=now_ms() + 60_000)
    silent = ("post", "react", "change", "pin")
    assert await stands(database, room, cat, "read", "leave", *silent) == ["read", "leave"]
    await has_role(database, room, cat, muted_until=now_ms() - 1)
    assert await stands(database, room, cat, *silent) == list(silent)


async def test_who_has_no_account_is_signed_out_and_a_missing_room_is_missing(database, ann, lab):
    with pytest.raises(SignedOut):
        await policy.of(database, lab, 999)
    assert await policy.of(database, 999, ann.id) == policy.NOBODY
