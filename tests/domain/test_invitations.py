"""Links that let people in: what they are worth, and that nobody comes in by one that is over."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from chatapp.database import Database
from chatapp.domain import administration, audit, invitations, memberships
from chatapp.domain.commands import AcceptInvitation, DeleteAccount, LeaveRoom, Newcomer
from chatapp.domain.entry import Entry
from chatapp.domain.invitations import Wanted
from chatapp.domain.users import User
from chatapp.errors import ChatError, Forbidden, Invalid, Missing, Refused
from chatapp.security import token_hash
from chatapp.tables import bans, invitation_rooms, rooms, users
from chatapp.tables import invitations as table
from chatapp.tables import memberships as memberships_table
from tests.domain import world


def wanted(*room_ids: int, uses: int = 1, is_guest: bool = False, days: int = 7) -> Wanted:
    return Wanted("for the test", is_guest, days, uses, frozenset(room_ids))


def newcomer(name: str) -> Newcomer:
    address = f"{name.lower().replace(' ', '.')}@new.example"
    return Newcomer(name, address, address, "hash")


async def accept(database: Database, who: User | str, token: str) -> int:
    """Returns who came."""
    command = (
        AcceptInvitation(0, token_hash(token), newcomer(who))
        if isinstance(who, str)
        else AcceptInvitation(who.id, token_hash(token))
    )
    return (await world.carry_out(database, command)).value


async def are_in(database: Database, room: int) -> int:
    return await memberships.count(database, room)


async def uses(database: Database) -> int:
    return int(await database.fetch_value(select(table.c.uses)))


async def refused(*works: Any) -> list[str]:
    """The code of each refusal."""
    ends = await asyncio.gather(*works, return_exceptions=True)
    assert all(isinstance(end, ChatError) for end in ends if isinstance(end, BaseException)), ends
    return [end.code for end in ends if isinstance(end, ChatError)]


async def test_somebody_new_gets_an_account_and_the_rooms_by_one_use(database, ann, lab):
    den = await world.opens(database, ann, "Den")
    await administration.set_entry(database, ann.id, Entry("invitation"))
    token = await invitations.make(database, ann, wanted(lab, den, uses=2))
    eve = await accept(database, "Eve Eager", token)
    row = await database.fetch_one(select(users).where(users.c.id == eve))
    assert (row.name, bool(row.is_guest), bool(row.is_admin)) == ("Eve Eager", False, False)
    for room in (lab, den):
        assert await memberships.is_member(database, room, eve)
        assert (await world.log_of(database, room))[-1].kind == "joined"
        await world.assert_no_gaps(database, room)
    assert await uses(database) == 1


async def test_a_guest_s_invitation_makes_a_guest_and_changes_nobody_else(
    database, ann, bob, cat, lab
):
    token = await invitations.make(database, ann, wanted(lab, uses=3, is_guest=True))
    eve = await accept(database, "Eve Eager", token)
    await accept(database, cat, token)
    query = select(users.c.id).where(users.c.is_guest)
    assert [row.id for row in await database.fetch_all(query)] == [eve]


async def test_looking_uses_nothing_up_and_nor_does_who_is_in_already(database, ann, bob, lab):
    token = await invitations.make(database, ann, wanted(lab))
    for _ in range(3):
        offer = await invitations.offer(database, token)
        assert [place.name for place in offer.places] == ["Lab"]
        await accept(database, bob, token)
    assert await uses(database) == 0


async def test_of_many_who_come_at_once_by_a_link_for_three_three_are_in(database, ann, lab):
    token = await invitations.make(database, ann, wanted(lab, uses=3))
    before = await are_in(database, lab)
    names = [f"Eve {letter}" for letter in "ABCDEFGH"]
    codes = await refused(*(accept(database, name, token) for name in names))
    assert codes == ["invitation_over"] * 5
    assert (await uses(database), await are_in(database, lab)) == (3, before + 3)
    # whoever was too late has no account either
    assert await database.fetch_value(select(func.count()).select_from(users)) == 2 + 3
    await world.assert_no_gaps(database, lab)


async def test_one_who_comes_twice_at_once_uses_it_once(database, ann, bob, cat, lab):
    token = await invitations.make(database, ann, wanted(lab, uses=2))
    await asyncio.gather(*(accept(database, cat, token) for _ in range(4)), return_exceptions=True)
    assert await memberships.is_member(database, lab, cat.id)
    assert await uses(database) <= 2
    await world.assert_no_gaps(database, lab)


async def test_who_is_banned_comes_in_nowhere_and_uses_nothing_up(database, ann, bob, cat, lab):
    den = await world.opens(database, ann, "Den")
    await world.leaves(database, bob, lab)
    async with database.transaction() as tx:
        values = {"room_id": lab, "user_id": bob.id, "by_id": ann.id, "at": 0, "reason": ""}
        await tx.execute(insert(bans).values(**values))
    only_lab = await invitations.make(database, ann, wanted(lab))
    assert await refused(accept(database, bob, only_lab)) == ["invitation_over"]
    assert await uses(database) == 0
    await accept(database, bob, await invitations.make(database, ann, wanted(lab, den)))
    assert await memberships.is_member(database, den, bob.id)
    assert not await memberships.is_member(database, lab, bob.id)


async def test_an_owner_who_has_left_invites_into_it_no_more(database, ann, bob):
    den = await world.opens(database, bob, "Den")
    async with database.transaction() as tx:
        await tx.execute(update(rooms).values(kind="closed"))
        await tx.execute(update(memberships_table).values(is_active=False))
    assert await invitations.places_of(database, bob.id) == []
    assert await refused(invitations.make(database, bob, wanted(den))) == ["room_gone"]


async def test_a_refused_account_uses_nothing_up(database, ann, bob, lab):
    token = await invitations.make(database, ann, wanted(lab))
    assert await refused(accept(database, "Bob Baker", token)) == ["name_taken"]
    assert await uses(database) == 0


async def test_two_who_want_one_name_at_once_get_one_account(database, ann, lab):
    token = await invitations.make(database, ann, wanted(lab, uses=9))
    codes = await refused(*(accept(database, "Eve Eager", token) for _ in range(4)))
    assert codes == ["name_taken"] * 3
    assert await uses(database) == 1


async def test_revoking_and_coming_at_once_leaves_no_one_half_in(database, ann, lab):
    for number in range(5):
        token = await invitations.make(database, ann, wanted(lab, uses=5))
        newest = await database.fetch_value(select(func.max(table.c.id)))
        before = await are_in(database, lab)
        codes = await refused(
            invitations.revoke(database, ann, newest),
            accept(database, f"Eve {'ABCDE'[number]}", token),
        )
        assert codes in ([], ["invitation_over"])
        assert await are_in(database, lab) == before + 1 - len(codes)
        assert await refused(accept(database, "Too Late", token)) == ["invitation_over"]


async def test_unknown_used_expired_and_revoked_are_all_the_same(database, ann, bob, lab):
    used = await invitations.make(database, ann, wanted(lab))
    await accept(database, "Eve Eager", used)
    revoked = await invitations.make(database, ann, wanted(lab))
    newest = await database.fetch_value(select(func.max(table.c.id)))
    await invitations.revoke(database, ann, newest)
    await invitations.revoke(database, ann, newest)
    expired = await invitations.make(database, ann, wanted(lab))
    async with database.transaction() as tx:
        await tx.execute(update(table).where(table.c.id > newest).values(expires_at=1))
    complaints = set()
    for token in (used, revoked, expired, "never-there", ""):
        for act in (invitations.offer(database, token), accept(database, "Too Late", token)):
            with pytest.raises(Missing) as complaint:
                await act
            complaints.add(str(complaint.value))
    assert len(complaints) == 1


async def test_an_invitation_is_worth_what_its_maker_may_do_now(database, ann, bob, lab):
    async with database.transaction() as tx:
        moderator = memberships.active(lab, bob.id)
        await tx.execute(update(memberships_table).where(moderator).values(role="moderator"))
    token = await invitations.make(database, bob, wanted(lab, uses=9))
    await invitations.offer(database, token)
    async with database.transaction() as tx:
        await tx.execute(update(memberships_table).where(moderator).values(role="member"))
    assert await refused(invitations.offer(database, token)) == ["invitation_over"]


@pytest.mark.parametrize("end", ["steps down", "is deactivated", "account ends", "is a guest"])
async def test_an_administrator_s_invitations_end_with_what_they_are(database, ann, bob, lab, end):
    await administration.set_role(database, ann.id, bob.id, "administrator")
    site = await invitations.make(database, bob, wanted())
    room = await invitations.make(database, bob, wanted(lab))
    await world.carry_out(database, LeaveRoom(bob.id, lab))
    for token in (site, room):
        await invitations.offer(database, token)
    if end == "steps down":
        await administration.set_role(database, ann.id, bob.id, "member")
    elif end == "is a guest":
        await administration.set_role(database, ann.id, bob.id, "guest")
    elif end == "is deactivated":
        await administration.deactivate(database, ann.id, bob.id)
    else:
        await world.carry_out(database, DeleteAccount(bob.id))
    for token in (site, room):
        assert await refused(accept(database, "Eve Eager", token)) == ["invitation_over"]


async def test_rooms_that_are_gone_or_kept_are_left_out(database, ann, lab):
    den, attic = [await world.opens(database, ann, name) for name in ("Den", "Attic")]
    token = await invitations.make(database, ann, wanted(lab, den, attic))
    async with database.transaction() as tx:
        await tx.execute(rooms.delete().where(rooms.c.id == den))
        await tx.execute(update(rooms).where(rooms.c.id == attic).values(archived_at=1))
    assert [place.id for place in (await invitations.offer(database, token)).places] == [lab]


@pytest.mark.parametrize("kind", ["open", "closed", "direct"])
async def test_who_may_invite_into_a_room(database, ann, bob, cat, kind):
    """Its owner and moderators; an administrator where they are, and into open rooms."""
    room = await world.opens(database, bob, "Den", cat)
    async with database.transaction() as tx:
        await tx.execute(update(rooms).values(kind=kind))

    async def may(who: User) -> bool:
        try:
            await invitations.make(database, who, wanted(room))
        except Missing:
            return False
        return True

    assert await may(bob) is (kind != "direct")
    assert await may(cat) is False
    assert await may(ann) is (kind == "open")
    async with database.transaction() as tx:
        await tx.execute(update(memberships_table).values(role="moderator"))
    assert await may(cat) is (kind != "direct")


async def test_only_an_administrator_invites_into_no_room(database, ann, bob):
    await invitations.make(database, ann, wanted())
    with pytest.raises(Invalid):
        await invitations.make(database, bob, wanted())


async def test_a_guest_invites_nobody(database, ann, bob):
    den = await world.opens(database, bob, "Den")
    async with database.transaction() as tx:
        await tx.execute(update(users).where(users.c.id == bob.id).values(is_guest=True))
    assert await invitations.places_of(database, bob.id) == []
    with pytest.raises(Forbidden):
        await invitations.make(database, bob, wanted(den))


async def test_everybody_sees_and_revokes_their_own_and_an_administrator_all(database, ann, bob):
    den = await world.opens(database, bob, "Den")
    await invitations.make(database, bob, wanted(den))
    await invitations.make(database, ann, wanted())
    assert [each.maker.name for each in await invitations.listing(database, bob)] == ["Bob Baker"]
    theirs = await invitations.listing(database, ann)
    assert [each.maker.name for each in theirs] == ["Ann Archer", "Bob Baker"]
    with pytest.raises(Missing):
        await invitations.revoke(database, bob, theirs[0].id)
    await invitations.revoke(database, ann, theirs[1].id)
    states = [each.state for each in await invitations.listing(database, ann)]
    assert states == ["open", "revoked"]


async def test_an_administrator_s_list_does_not_name_closed_rooms_of_others(database, ann, bob):
    den = await world.opens(database, bob, "Den")
    async with database.transaction() as tx:
        await tx.execute(update(rooms).values(kind="closed"))
    await invitations.make(database, bob, wanted(den))
    assert [each.places for each in await invitations.listing(database, ann)] == [()]
    assert [each.places for each in await invitations.listing(database, bob)] == [("Den",)]


async def test_nobody_has_more_open_ones_than_allowed_and_old_ones_are_forgotten(database, ann):
    async with database.transaction() as tx:
        row = {"made_by": ann.id, "note": "", "is_guest": False, "created_at": 0, "uses_most": 1}
        many = [
            {**row, "token_hash": str(n), "expires_at": 2**50 if n else 1}
            for n in range(invitations.OPEN_MOST + 1)
        ]
        await tx.execute(insert(table), many)
    with pytest.raises(Refused):
        await invitations.make(database, ann, wanted())
    async with database.transaction() as tx:
        await tx.execute(update(table).where(table.c.token_hash == "1").values(revoked_at=1))
    await invitations.make(database, ann, wanted())
    expired = select(table.c.id).where(table.c.token_hash == "0")
    assert await database.fetch_value(expired) is None


async def test_an_invitation_stands_in_the_log_of_each_of_its_rooms(database, ann, lab):
    await invitations.make(database, ann, wanted(lab, uses=3))
    await invitations.make(database, ann, wanted())
    (of_room,) = (await audit.of_room(database, lab, None)).entries
    assert (of_room.action, of_room.by, of_room.detail) == ("invite", "Ann Archer", "3")
    assert [each.room_id for each in (await audit.of_site(database, ann.id, None)).entries] == [
        0,
        lab,
    ]


async def test_only_the_hash_of_a_token_is_stored(database, ann, lab):
    token = await invitations.make(database, ann, wanted(lab))
    assert len(token) >= 43  # 256 bits
    for each in (table, invitation_rooms):
        assert token not in repr(await database.fetch_all(select(each)))


def test_what_is_typed_is_checked():
    given = {"note": "", "role": "member", "days": "7", "uses": "5"}
    assert invitations.wanted(**given, room_ids=["3", "3"]).room_ids == {3}
    for wrong in (
        {"role": "administrator"},
        {"days": "0"},
        {"days": "365"},
        {"uses": "0"},
        {"uses": "1001"},
        {"uses": "²"},
        {"uses": "0" * 10 + "1"},
        {"note": "x" * 300},
        {"note": "a\0b"},
    ):
        with pytest.raises(Invalid):
            invitations.wanted(**{**given, **wrong}, room_ids=[])
    for numbers in (["x"], ["1" * 20], ["-1"], [str(n) for n in range(41)]):
        with pytest.raises(Invalid):
            invitations.wanted(**given, room_ids=numbers)
