"""Links that give somebody a new password."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import func, insert, select, update

from chatapp.database import Database
from chatapp.domain import administration, recovery, users
from chatapp.domain.commands import DeleteAccount
from chatapp.errors import ChatError, Conflict, Invalid, Missing
from chatapp.security import Passwords
from chatapp.tables import recoveries, sessions
from chatapp.tables import users as people
from tests.domain import world

NEW = "another horse battery"


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(4)
    yield made
    made.close()


async def links(database: Database) -> int:
    return int(await database.fetch_value(select(func.count()).select_from(recoveries)))


async def test_a_link_gives_a_new_password_and_ends_all_else(database, ann, bob, passwords):
    async with database.transaction() as tx:
        values = {"user_agent": "", "address": "", "created_at": 0, "seen_at": 0}
        row = {"token_hash": "x", "user_id": bob.id, "expires_at": 2**50}
        await tx.execute(insert(sessions).values(**values, **row))
    others = [await administration.issue_recovery(database, ann.id, bob.id) for _ in range(2)]
    token = await administration.issue_recovery(database, ann.id, bob.id)
    assert (await recovery.holder(database, token)).id == bob.id
    assert await recovery.redeem(database, passwords, token, NEW) == bob.id
    found, _ = await users.authenticate(database, passwords, email=bob.email, password=NEW)
    assert found.id == bob.id
    assert await database.fetch_all(select(sessions)) == []
    for used in (token, *others):
        with pytest.raises(Missing):
            await recovery.redeem(database, passwords, used, "a third password")


async def test_of_many_who_use_a_link_at_once_one_wins(database, ann, bob, passwords):
    token = await administration.issue_recovery(database, ann.id, bob.id)
    tries = [f"password number {n}" for n in range(6)]
    ends = await asyncio.gather(
        *(recovery.redeem(database, passwords, token, each) for each in tries),
        return_exceptions=True,
    )
    won = [each for each, end in zip(tries, ends, strict=True) if end == bob.id]
    assert len(won) == 1
    assert all(isinstance(end, Missing) for end in ends if end != bob.id)
    await users.authenticate(database, passwords, email=bob.email, password=won[0])


async def test_a_password_that_cannot_be_one_uses_nothing_up(database, ann, bob, passwords):
    token = await administration.issue_recovery(database, ann.id, bob.id)
    with pytest.raises(Invalid):
        await recovery.redeem(database, passwords, token, "short")
    assert await recovery.redeem(database, passwords, token, NEW) == bob.id


async def test_expired_unknown_and_ended_are_the_same(database, ann, bob, cat, passwords):
    expired, deactivated, gone = [
        await administration.issue_recovery(database, ann.id, who.id) for who in (ann, bob, cat)
    ]
    async with database.transaction() as tx:
        mine = recoveries.c.user_id == ann.id
        await tx.execute(update(recoveries).where(mine).values(expires_at=1))
    await administration.deactivate(database, ann.id, bob.id)
    await world.carry_out(database, DeleteAccount(cat.id))
    complaints = set()
    for token in (expired, deactivated, gone, "never-there", ""):
        for act in (
            recovery.holder(database, token),
            recovery.redeem(database, passwords, token, NEW),
        ):
            with pytest.raises(ChatError) as complaint:
                await act
            complaints.add(str(complaint.value))
    assert len(complaints) == 1


async def test_a_new_password_from_the_settings_ends_the_links(database, ann, bob, passwords):
    async with database.transaction() as tx:
        hashed = await passwords.hash(b"correct horse")
        await tx.execute(update(people).where(people.c.id == bob.id).values(password_hash=hashed))
    await administration.issue_recovery(database, ann.id, bob.id)
    await users.change_password(database, passwords, bob, current="correct horse", new=NEW)
    assert await links(database) == 0


async def test_somebody_has_few_links_at_once_and_expired_ones_are_forgotten(database, ann, bob):
    first = await administration.issue_recovery(database, ann.id, bob.id)
    async with database.transaction() as tx:
        await tx.execute(update(recoveries).values(expires_at=recoveries.c.expires_at - 1000))
    rest = [
        await administration.issue_recovery(database, ann.id, bob.id)
        for _ in range(recovery.LINKS_MOST)
    ]
    assert await links(database) == recovery.LINKS_MOST
    with pytest.raises(Missing):
        await recovery.holder(database, first)
    for token in rest:
        await recovery.holder(database, token)
    async with database.transaction() as tx:
        await tx.execute(update(recoveries).values(expires_at=1))
    await administration.issue_recovery(database, ann.id, ann.id)
    assert await links(database) == 1


async def test_who_is_deactivated_gets_no_link(database, ann, bob):
    await administration.deactivate(database, ann.id, bob.id)
    with pytest.raises(Conflict):
        await administration.issue_recovery(database, ann.id, bob.id)
    assert await recovery.issue_by_email(database, bob.email) is None


async def test_an_address_is_found_however_it_is_written_and_a_wrong_one_is_not(database, ann, bob):
    found = await recovery.issue_by_email(database, f" {bob.email.upper()} ")
    assert found is not None
    assert (await recovery.holder(database, found[1])).id == bob.id
    for typed in ("", "nobody@people.example", "no address", "a" * 5000):
        assert await recovery.issue_by_email(database, typed) is None


async def test_only_the_hash_of_a_token_is_stored(database, ann, bob):
    token = await administration.issue_recovery(database, ann.id, bob.id)
    assert len(token) >= 43  # 256 bits
    assert token not in repr(await database.fetch_all(select(recoveries)))
