"""What administrators may change about accounts, and who may sign up."""

import asyncio

import pytest
from sqlalchemy import insert, select, update

from chatapp.database import Database
from chatapp.domain import administration, audit, entry
from chatapp.domain.commands import DeleteAccount
from chatapp.domain.entry import Entry
from chatapp.errors import Conflict, Forbidden, Invalid, Missing
from chatapp.tables import sessions, users
from tests.domain import world


async def admins(database: Database) -> list[str]:
    query = select(users.c.name).where(users.c.is_admin, users.c.deleted_at.is_(None))
    return [row.name for row in await database.fetch_all(query.order_by(users.c.id))]


async def test_an_administrator_makes_another_one_and_steps_down(database, ann, bob):
    await administration.set_role(database, ann.id, bob.id, "administrator")
    await administration.set_role(database, bob.id, ann.id, "member")
    assert await admins(database) == ["Bob Baker"]


async def test_the_last_administrator_stays_one(database, ann, bob):
    for role in ("member", "guest"):
        with pytest.raises(Conflict):
            await administration.set_role(database, ann.id, ann.id, role)
    await administration.set_role(database, ann.id, ann.id, "administrator")
    assert await admins(database) == ["Ann Archer"]


async def test_a_deactivated_administrator_does_not_count_as_another(database, ann, bob):
    await administration.set_role(database, ann.id, bob.id, "administrator")
    await administration.deactivate(database, ann.id, bob.id)
    with pytest.raises(Conflict):
        await administration.set_role(database, ann.id, ann.id, "member")


async def test_of_administrators_who_unmake_one_another_at_once_one_remains(database, ann, bob):
    for _ in range(5):
        async with database.transaction() as tx:
            await tx.execute(update(users).values(is_admin=True))
        await asyncio.gather(
            administration.set_role(database, ann.id, bob.id, "member"),
            administration.set_role(database, bob.id, ann.id, "member"),
            return_exceptions=True,
        )
        assert len(await admins(database)) == 1


async def test_of_all_who_step_down_at_once_one_stays(database, ann, bob, cat):
    people = (ann, bob, cat)
    async with database.transaction() as tx:
        await tx.execute(update(users).values(is_admin=True))
    ends = await asyncio.gather(
        *(administration.set_role(database, each.id, each.id, "guest") for each in people),
        return_exceptions=True,
    )
    assert [type(end) for end in ends if end] == [Conflict]
    assert len(await admins(database)) == 1


async def test_an_account_that_ends_while_the_other_administrator_steps_down_leaves_one(
    database, ann, bob
):
    await administration.set_role(database, ann.id, bob.id, "administrator")
    await asyncio.gather(
        world.carry_out(database, DeleteAccount(ann.id)),
        administration.set_role(database, bob.id, bob.id, "member"),
        return_exceptions=True,
    )
    assert await admins(database) == ["Bob Baker"]


async def test_whoever_is_no_administrator_any_more_changes_nothing(database, ann, bob, cat):
    for act in (
        administration.set_role(database, bob.id, bob.id, "administrator"),
        administration.deactivate(database, bob.id, cat.id),
        administration.reactivate(database, bob.id, cat.id),
        administration.issue_recovery(database, bob.id, cat.id),
    ):
        with pytest.raises(Forbidden):
            await act
    assert await admins(database) == ["Ann Archer"]


async def test_nobody_can_be_found_under_a_number_that_nobody_has(database, ann):
    with pytest.raises(Missing):
        await administration.account(database, 999)
    with pytest.raises(Missing):
        await administration.set_role(database, ann.id, 999, "member")


async def test_people_are_found_by_parts_of_name_and_address(database, ann, bob, cat):
    async def found(search: str = "", show: str = "all") -> list[str]:
        people, *_ = await administration.listing(database, search=search, show=show, page=1)
        return [person.name for person in people]

    await administration.set_role(database, ann.id, cat.id, "guest")
    await administration.deactivate(database, ann.id, bob.id)
    assert await found() == ["Ann Archer", "Bob Baker", "Cat Carver"]
    assert await found("ARCH") == ["Ann Archer"]
    assert await found("B.Baker@") == ["Bob Baker"]
    assert await found("%") == []
    assert await found(show="administrators") == ["Ann Archer"]
    assert await found(show="guests") == ["Cat Carver"]
    assert await found("bob", show="deactivated") == ["Bob Baker"]
    counts = await administration.counts(database)
    assert (counts.active, counts.administrators, counts.deactivated) == (2, 1, 1)


async def test_people_come_in_pages(database, ann):
    async with database.transaction() as tx:
        rows = [
            {"name": f"P{n:03}", "name_key": f"p{n:03}", "name_skeleton": f"p{n:03}", "email": ""}
            | {"hue": 0, "is_admin": False, "created_at": 0}
            for n in range(administration.PAGE)
        ]
        await tx.execute(insert(users), rows)
    people, page, pages = await administration.listing(database, search="", show="all", page=9)
    assert ([person.name for person in people], page, pages) == (["P049"], 2, 2)


async def test_deactivating_ends_every_session(database, ann, bob):
    async with database.transaction() as tx:
        await tx.execute(
            insert(sessions).values(
                token_hash="x",
                user_id=bob.id,
                user_agent="",
                address="",
                created_at=0,
                seen_at=0,
                expires_at=2**50,
            )
        )
    await administration.deactivate(database, ann.id, bob.id)
    assert await database.fetch_all(select(sessions)) == []


@pytest.mark.parametrize(
    ("typed", "domains"),
    [
        ("Example.org", ("example.org",)),
        ("b.example, @a.example  b.example", ("a.example", "b.example")),
        ("bücher.example", ("xn--bcher-kva.example",)),
    ],
)
def test_domains_are_typed_as_people_do(typed, domains):
    assert entry.typed("domain", typed) == Entry("domain", domains)


@pytest.mark.parametrize(
    ("way", "domains"),
    [
        ("nobody", ""),
        ("domain", ""),
        ("domain", " , "),
        ("domain", "nonsense"),
        ("domain", "a@b.example"),
        ("domain", "*.example.org"),
        ("open", "http://x"),
        ("domain", " ".join(f"d{n}.example" for n in range(51))),
    ],
)
def test_what_is_no_choice_is_refused(way, domains):
    with pytest.raises(Invalid):
        entry.typed(way, domains)


async def test_a_choice_is_kept_and_may_be_made_by_two_at_once(database, ann):
    assert await entry.read(database) == Entry()
    choices = [Entry("domain", ("a.example",)), Entry("invitation")]
    await asyncio.gather(*(administration.set_entry(database, ann.id, each) for each in choices))
    assert await entry.read(database) in choices


async def test_who_may_sign_up_is_an_administrator_s_choice(database, ann, bob):
    with pytest.raises(Forbidden):
        await administration.set_entry(database, bob.id, Entry("invitation"))


async def test_what_administrators_do_stands_in_the_log_of_the_site(database, ann, bob):
    await administration.set_role(database, ann.id, bob.id, "guest")
    await administration.issue_recovery(database, ann.id, bob.id)
    await administration.deactivate(database, ann.id, bob.id)
    await administration.reactivate(database, ann.id, bob.id)
    await administration.set_entry(database, ann.id, Entry("invitation"))
    with pytest.raises(Conflict):
        await administration.set_role(database, ann.id, ann.id, "member")
    found = (await audit.of_site(database, ann.id, None)).entries
    assert [(each.action, each.by, each.person, each.detail, each.room_id) for each in found] == [
        ("entry", "Ann Archer", "", "invitation", 0),
        ("reactivate", "Ann Archer", "Bob Baker", "", 0),
        ("deactivate", "Ann Archer", "Bob Baker", "", 0),
        ("recovery", "Ann Archer", "Bob Baker", "", 0),
        ("role", "Ann Archer", "Bob Baker", "guest", 0),
    ]
