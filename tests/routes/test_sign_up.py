"""Making an account."""

import asyncio
import unicodedata

import pytest
from sqlalchemy import select

from chatapp.tables import sessions, users
from tests.routes import pages
from tests.routes.people import PASSWORD, Person, services, somebody


async def test_ann_signs_up_and_is_inside(site):
    ann = Person(site, "Ann Archer")
    answer = await ann.tries_to_sign_up()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = await ann.get("/")
    assert "Start with one room" in page.text
    assert "Ann Archer" in page.text


async def test_the_first_person_is_told_that_they_look_after_the_site(site):
    assert (
        "Whoever signs up first is its administrator" in (await Person(site).get("/sign-up")).text
    )
    ann = await somebody(site)
    assert "Whoever signs up first" not in (await Person(site).get("/sign-up")).text
    assert "Administrator" in (await ann.get("/settings")).text
    bob = await somebody(site)
    assert "Administrator" not in (await bob.get("/settings")).text


async def test_of_ten_who_sign_up_first_at_once_one_is_the_administrator(site):
    people = [Person(site) for _ in range(10)]
    answers = await asyncio.gather(*(person.tries_to_sign_up() for person in people))
    assert {answer.status_code for answer in answers} == {303}
    rows = await services(site).database.fetch_all(select(users.c.is_admin))
    assert sorted(bool(row.is_admin) for row in rows) == [False] * 9 + [True]


async def test_nobody_becomes_an_administrator_by_asking_for_it(site):
    await somebody(site)
    eve = Person(site)
    fields = {"name": eve.name, "email": eve.email, "password": PASSWORD}
    await eve.post("/sign-up", {**fields, "is_admin": "true", "role": "admin", "id": "1"})
    await eve.post("/settings/profile", {"name": eve.name, "hue": "1", "is_admin": "1"})
    assert "Administrator" not in (await eve.get("/settings")).text


async def test_what_was_typed_stays_and_each_field_says_what_is_wrong_with_it(site):
    answer = await Person(site).post(
        "/sign-up", {"name": " \t", "email": "ann at home", "password": "short"}
    )
    assert answer.status_code == 422
    assert pages.complaint(answer.text, "name") == "Please enter a name."
    assert "such as ann@example.org" in pages.complaint(answer.text, "email")
    assert pages.complaint(answer.text, "password") == "A password has at least 8 characters."
    assert pages.typed(answer.text, "email") == "ann at home"
    assert "short" not in pages.read(answer.text).one(id="password").attributes.values()


async def test_a_password_is_never_sent_back_into_the_page(site):
    answer = await Person(site).tries_to_sign_up(email="nonsense", password="correct h0rse!")
    assert answer.status_code == 422
    assert "correct h0rse!" not in answer.text


async def test_a_taken_address_is_said_to_be_taken(ann):
    answer = await Person(ann.site).tries_to_sign_up(email=ann.email)
    assert answer.status_code == 422
    assert "account for this address already" in pages.complaint(answer.text, "email")


async def test_a_refused_sign_up_signs_nobody_in(ann):
    thief = Person(ann.site)
    await thief.tries_to_sign_up(email=ann.email)
    assert not await thief.is_signed_in()


async def test_two_at_once_get_one_account_for_one_address(site):
    people = [Person(site, email="same@people.example") for _ in range(8)]
    answers = await asyncio.gather(*(person.tries_to_sign_up() for person in people))
    assert sorted(answer.status_code for answer in answers) == [303] + [422] * 7
    assert [await person.is_signed_in() for person in people].count(True) == 1


async def test_two_at_once_get_one_account_for_one_name(site):
    people = [Person(site, "Same Name", f"n{number}@people.example") for number in range(8)]
    answers = await asyncio.gather(*(person.tries_to_sign_up() for person in people))
    assert sorted(answer.status_code for answer in answers) == [303] + [422] * 7
    lost = next(answer for answer in answers if answer.status_code == 422)
    assert "is taken" in pages.complaint(lost.text, "name")
    assert pages.typed(lost.text, "name") == "Same Name"


@pytest.mark.parametrize(
    ("typed", "tried"),
    [
        ("Bob@X.example", ["bob@x.example", "BOB@X.EXAMPLE", " bob@x.example "]),
        ("bob@bücher.example", ["BOB@BÜCHER.example", "bob@xn--bcher-kva.example"]),
        ("bob@xn--bcher-kva.example", ["bob@bücher.example"]),
        ("jos\u00e9@x.example", ["jose\u0301@x.example", "JOS\u00c9@X.example"]),
    ],
)
async def test_every_way_to_write_an_address_signs_the_same_person_in(site, typed, tried):
    bob = await Person(site, email=typed).signs_up()
    shown = pages.typed((await bob.get("/settings")).text, "email")
    assert unicodedata.normalize("NFC", shown).split("@")[0] == unicodedata.normalize(
        "NFC", typed.split("@")[0]
    )
    for way in tried:
        assert (await bob.elsewhere().tries_to_sign_in(email=way)).status_code == 303, way
        again = await Person(site).tries_to_sign_up(email=way)
        assert again.status_code == 422, way


async def test_a_dotless_i_is_another_letter(site):
    await Person(site, email="I@x.example").signs_up()
    await Person(site, email="\u0131@x.example").signs_up()


async def test_what_is_no_address_is_refused_and_kept(site):
    for email in [
        "",
        "@",
        "ann",
        "ann@",
        "@x.example",
        "ann@x",
        "ann@@x.example",
        "ann@x.example, bob@x.example",
        "ann\0@x.example",
        "ann@x.example\0",
        "ann@x.example\r\nBcc: bob@x.example",
        "ann\u202e@x.example",
        "a" * 260 + "@x.example",
        "ann@" + "x" * 300 + ".example",
        "a" * 5000,
        "<script>@x.example",
    ]:
        answer = await Person(site).tries_to_sign_up(email=email)
        assert answer.status_code == 422, ascii(email)
        assert pages.complaint(answer.text, "email")


async def test_of_password_and_session_only_hashes_are_stored(ann):
    database = services(ann.site).database
    row = await database.fetch_one(select(users))
    everything = repr(row) + repr(await database.fetch_one(select(sessions)))
    token = ann.cookie.split(".")[0]
    assert len(token) >= 43  # 256 bits
    assert row.password_hash.startswith("$2b$")
    for secret in (PASSWORD, token, ann.cookie):
        assert secret not in everything
