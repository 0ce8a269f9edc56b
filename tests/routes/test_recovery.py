"""A new password for who lost the old one."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from chatapp.tables import recoveries
from tests.routes import pages
from tests.routes.people import ROOMY, Person, services, somebody
from tests.support.asgi import Site
from tests.support.fixtures import MakeSite
from tests.support.mail_server import MailServer, mail_server

NEW = "another horse battery"


async def link_for_bob(ann: Person) -> str:
    answer = await ann.post("/admin/people/2/recovery")
    assert answer.status_code == 200
    return "/recover/" + pages.typed(answer.text, "link").rpartition("/")[2]


async def test_bob_gets_a_link_from_ann_and_is_back(ann, bob):
    path = await link_for_bob(ann)
    visitor = bob.elsewhere()
    assert bob.email in (await visitor.get(path)).text
    async with bob.socket() as socket:
        await socket.receive_json("hello")
        answer = await visitor.post(path, {"password": NEW})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert await socket.closed() == 4401
    assert "Your password is changed" in (await visitor.get("/sign-in")).text
    assert not await bob.is_signed_in()
    assert (await visitor.tries_to_sign_in()).status_code == 422
    assert (await visitor.tries_to_sign_in(password=NEW)).status_code == 303


async def test_used_and_unknown_links_are_one_page(ann, bob):
    path = await link_for_bob(ann)
    await Person(ann.site).post(path, {"password": NEW})
    visitor = Person(ann.site)
    answers = [await visitor.get(each) for each in (path, "/recover/nothing")]
    answers += [await visitor.post(each, {"password": NEW}) for each in (path, "/recover/nothing")]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert "This link is over" in answers[0].text


async def test_looking_and_a_password_too_short_use_nothing_up(ann, bob):
    path = await link_for_bob(ann)
    visitor = Person(ann.site)
    for _ in range(3):
        assert (await visitor.get(path)).status_code == 200
    answer = await visitor.post(path, {"password": "short"})
    assert answer.status_code == 422
    assert pages.complaint(answer.text, "password") == "A password has at least 8 characters."
    assert (await visitor.post(path, {"password": NEW})).status_code == 303


async def test_the_address_of_a_link_goes_into_no_referer(ann, bob):
    path = await link_for_bob(ann)
    for each in (path, "/recover/nothing"):
        answer = await Person(ann.site).get(each)
        assert answer.headers["referrer-policy"] == "strict-origin"


async def test_without_a_mail_server_the_page_says_whom_to_ask(ann):
    assert "/forgot" in (await Person(ann.site).get("/sign-in")).text
    page = await Person(ann.site).get("/forgot")
    assert "Ask an administrator" in page.text
    assert pages.read(page.text).all("form") == []
    assert (await Person(ann.site).post("/forgot", {"email": ann.email})).status_code == 404


# -- with a mail server ---------------------------------------------------------------


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def mailing(make_site: MakeSite, database_url: str, mails: MailServer) -> Site:
    return await make_site(DATABASE_URL=database_url, SMTP_URL=mails.url, SITE_NAME="Tom & Co")


async def forgets(site: Site, email: str) -> tuple[int, str]:
    answer = await Person(site).post("/forgot", {"email": email})
    return answer.status_code, answer.text


async def test_a_mail_leads_to_a_new_password(mailing, mails):
    bob = await somebody(mailing, "Bob O'Baker")
    assert await forgets(mailing, bob.email.upper()) != (404, "")
    mail = await mails.mail()
    assert (mail["To"], mail["Subject"]) == (bob.email, "A new password for Tom & Co")
    assert mail["From"] == "Tom & Co <no-reply@localhost>"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Hello Bob O'Baker," in text.get_content()
    assert "Tom &amp; Co" in html.get_content()
    (link,) = re.findall(r"http://\S+", text.get_content())
    assert link in html.get_content()
    path = "/recover/" + link.rpartition("/")[2]
    assert (await Person(mailing).post(path, {"password": NEW})).status_code == 303
    assert (await bob.elsewhere().tries_to_sign_in(password=NEW)).status_code == 303


async def test_every_address_gets_the_same_answer_and_only_people_get_mail(mailing, mails):
    ann = await somebody(mailing)
    answers = {
        await forgets(mailing, email)
        for email in ("nobody@people.example", "no address", "", "a" * 5000, ann.email)
    }
    assert len(answers) == 1
    ((status, text),) = answers
    assert status == 200
    assert "If there is an account" in text
    assert (await mails.mail())["To"] == ann.email  # they were asked for in this order
    assert mails.is_empty()
    rows = await services(mailing).database.fetch_all(select(recoveries))
    assert len(rows) == 1


async def test_nothing_is_looked_up_before_the_answer(mailing, mails, monkeypatch):
    """Time tells nothing: the answer is there while the database has not been asked yet."""
    ann = await somebody(mailing)
    hold = asyncio.Event()
    letters = services(mailing).letters
    write = letters._write

    async def held(*asked: str) -> None:
        await hold.wait()
        await write(*asked)

    monkeypatch.setattr(letters, "_write", held)
    assert (await forgets(mailing, ann.email))[0] == 200
    assert await services(mailing).database.fetch_all(select(recoveries)) == []
    hold.set()
    assert (await mails.mail())["To"] == ann.email


async def test_one_address_is_sent_few_mails_whether_it_is_known_or_not(mailing, mails):
    ann = await somebody(mailing)
    for email in (ann.email, "nobody@people.example"):
        statuses = [(await forgets(mailing, email))[0] for _ in range(4)]
        assert statuses == [200, 200, 200, 429], email


async def test_when_too_many_wait_everybody_is_told_so(make_site, database_url, mails, monkeypatch):
    site = await make_site(DATABASE_URL=database_url, SMTP_URL=mails.url, LIMIT_FACTOR=ROOMY)
    ann = await somebody(site)
    hold = asyncio.Event()

    async def held(*_: str) -> None:
        await hold.wait()

    monkeypatch.setattr(services(site).letters, "_write", held)
    letters = services(site).letters
    letters.ask("recover", "x", "y")
    await asyncio.sleep(0)
    while letters.waiting() < 200:
        letters.ask("recover", "x", "y")
    assert {(await forgets(site, email))[0] for email in (ann.email, "nobody@x.example")} == {503}


async def test_a_mail_leads_to_the_name_that_others_know(make_site, database_url, mails):
    site = await make_site(
        DATABASE_URL=database_url, SMTP_URL=mails.url, ALLOWED_HOSTS="chat.example.org"
    )
    ann = await somebody(site)
    await forgets(site, ann.email)
    mail = await mails.mail()
    text = mail.get_body(("plain",))
    assert text is not None
    assert "https://chat.example.org/recover/" in text.get_content()
    assert mail["From"] == "chatapp <no-reply@chat.example.org>"
