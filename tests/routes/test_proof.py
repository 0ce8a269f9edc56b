"""Signing up by email domain where mail can be sent: the address must be theirs."""

import re
from collections.abc import AsyncIterator
from email.message import EmailMessage

import pytest

from tests.routes import pages
from tests.routes.people import PASSWORD, Person, somebody
from tests.support.asgi import Site
from tests.support.fixtures import MakeSite
from tests.support.mail_server import MailServer, mail_server


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def site(make_site: MakeSite, database_url: str, mails: MailServer) -> Site:
    """Only addresses of good.example may sign up by themselves."""
    made = await make_site(DATABASE_URL=database_url, SMTP_URL=mails.url)
    ann = await somebody(made, "Ann Archer")
    await ann.post("/admin/entry", {"way": "domain", "domains": "good.example"})
    return made


def link_of(mail: EmailMessage) -> str:
    text = mail.get_body(("plain",))
    assert text is not None
    (link,) = re.findall(r"http://localhost(/\S+)", text.get_content())
    return str(link)


async def asks(site: Site, email: str) -> tuple[int, str]:
    answer = await Person(site).post("/sign-up", {"email": email})
    return answer.status_code, answer.text


async def test_eve_signs_up_by_the_link_that_was_sent_to_her(site, mails):
    eve = Person(site, "Eve Eager", "Eve@good.example")
    page = pages.read((await eve.get("/sign-up")).text)
    assert [field.attributes["id"] for field in page.all("input")] == ["email"]
    assert "Look into your mail" in (await asks(site, eve.email))[1]
    mail = await mails.mail()
    assert mail["To"] == eve.email
    path = link_of(mail)
    answer = await eve.get(path)
    assert answer.headers["referrer-policy"] == "strict-origin"
    assert eve.email in answer.text
    short = await eve.post(path, {"name": eve.name, "password": "short"})
    assert pages.complaint(short.text, "password") == "A password has at least 8 characters."
    assert pages.typed(short.text, "name") == eve.name
    assert (await eve.post(path, {"name": eve.name, "password": PASSWORD})).status_code == 303
    await eve.elsewhere().signs_in()
    again = await Person(site).post(path, {"name": "Another One", "password": PASSWORD})
    assert again.status_code == 422
    assert "account for this address already" in pages.alert(again.text)


async def test_a_name_and_a_password_alone_make_no_account(site, mails):
    eve = Person(site, email="eve@good.example")
    assert (await eve.tries_to_sign_up()).status_code == 200
    assert not await eve.is_signed_in()
    assert (await eve.tries_to_sign_in()).status_code == 422


async def test_nobody_learns_who_has_an_account(site, mails):
    eve = Person(site, email="eve@good.example")
    first = await asks(site, eve.email)
    path = link_of(await mails.mail())
    assert (await eve.post(path, {"name": eve.name, "password": PASSWORD})).status_code == 303
    assert await asks(site, eve.email) == first
    mail = await mails.mail()
    assert (mail["Subject"], link_of(mail)) == ("You have an account at chatapp", "/sign-in")


async def test_an_address_of_elsewhere_is_refused_and_sent_nothing(site, mails):
    status, text = await asks(site, "eve@evil.example")
    assert status == 422
    assert "certain domains" in pages.complaint(text, "email")
    assert mails.is_empty()


async def test_links_that_we_did_not_make_are_one_page(site, mails):
    await asks(site, "eve@good.example")
    path = link_of(await mails.mail())
    visitor = Person(site)
    # Not the last sign: two of its bits mean nothing.
    other = path[:-9] + ("A" if path[-9] != "A" else "B") + path[-8:]
    forged = [other, "/join/nothing", "/join/a.b.c"]
    answers = [await visitor.get(each) for each in forged]
    answers += [await visitor.post(each, {"name": "Eve", "password": PASSWORD}) for each in forged]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}


async def test_a_link_is_worth_nothing_once_the_site_is_closed(site, mails):
    await asks(site, "eve@good.example")
    path = link_of(await mails.mail())
    ann = await Person(site, "Ann Archer").signs_in()
    await ann.post("/admin/entry", {"way": "invitation"})
    answer = await Person(site).post(path, {"name": "Eve Eager", "password": PASSWORD})
    assert answer.status_code == 404


async def test_one_address_is_sent_few_links(site, mails):
    statuses = [(await asks(site, "eve@good.example"))[0] for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
