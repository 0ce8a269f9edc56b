"""A new site: who comes first is its administrator and has a room."""

import asyncio

from sqlalchemy import select

from chatapp.tables import rooms, users
from tests.routes import pages
from tests.routes.people import PASSWORD, Person, services


def form(person: Person, **other: str) -> dict[str, str]:
    given = {"name": person.name, "email": person.email, "password": PASSWORD, "room": "General"}
    return {**given, **other}


async def test_whoever_comes_first_is_led_to_the_beginning(site):
    ann = Person(site, "Ann Archer")
    assert (await ann.get("/")).headers["location"] == "/welcome"
    page = await ann.get("/welcome")
    assert pages.typed(page.text, "room") == "General"
    answer = await ann.post("/welcome", form(ann))
    assert answer.status_code == 303
    room = answer.headers["location"]
    assert "General" in (await ann.get(room)).text
    assert (await ann.get("/admin")).status_code == 200


async def test_afterwards_there_is_no_such_page(site):
    ann, bob = Person(site), Person(site)
    await ann.post("/welcome", form(ann))
    for who in (ann, bob):
        assert (await who.get("/welcome")).status_code == 404
        assert (await who.post("/welcome", form(bob))).status_code == 404
    assert not await bob.is_signed_in()
    assert (await bob.get("/")).status_code == 200


async def test_of_many_who_begin_at_once_one_is_the_administrator(site):
    people = [Person(site) for _ in range(6)]
    answers = await asyncio.gather(*(each.post("/welcome", form(each)) for each in people))
    assert sorted(answer.status_code for answer in answers) == [303] + [404] * 5
    database = services(site).database
    assert [bool(row.is_admin) for row in await database.fetch_all(select(users))] == [True]
    assert [row.name for row in await database.fetch_all(select(rooms))] == ["General"]


async def test_everything_that_is_wrong_is_said_and_nobody_is_made(site):
    ann = Person(site)
    wrong = form(ann, email="ann at home", room=" ")
    answer = await ann.post("/welcome", wrong)
    assert answer.status_code == 422
    assert "such as ann@example.org" in pages.complaint(answer.text, "email")
    assert pages.complaint(answer.text, "room") == "Please give the room a name."
    assert pages.typed(answer.text, "name") == ann.name
    answer = await ann.post("/welcome", form(ann, room="x" * 100))
    assert "at most 80" in pages.complaint(answer.text, "room")
    assert (await ann.get("/welcome")).status_code == 200


async def test_a_room_that_outlived_all_accounts_is_in_nobody_s_way(site):
    ann, bob = Person(site), Person(site)
    await ann.post("/welcome", form(ann))
    await ann.leaves(1)
    async with services(site).database.transaction() as tx:
        await tx.execute(users.update().values(deleted_at=1, name_key=None, email_key=None))
    answer = await bob.post("/welcome", form(bob))
    assert answer.headers["location"] == "/"
    assert await bob.is_signed_in()


async def test_the_first_may_sign_up_by_the_usual_form_too(site):
    ann = await Person(site).signs_up()
    assert (await ann.get("/admin")).status_code == 200
    assert (await Person(site).get("/welcome")).status_code == 404
