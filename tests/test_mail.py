"""Mail: what goes out, and what happens when the mail server does not want it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatapp.mail import QUEUE_MOST, Mail, Mailer
from tests.support.mail_server import MailServer, mail_server
from tests.support.run_folder import free_port

MAIL = Mail("bob@people.example", "Hello Bob", "plain – text", "<p>marked text</p>")


@asynccontextmanager
async def mailing(
    server: MailServer, sender: str = "Chat <chat@x.example>"
) -> AsyncIterator[Mailer]:
    mailer = Mailer(server.url, sender, retry_seconds=0.01)
    task = asyncio.create_task(mailer.run())
    try:
        yield mailer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_mail_has_both_forms_and_says_who_it_is_from():
    async with mail_server() as server, mailing(server) as mailer:
        assert mailer.send(MAIL)
        got = await server.mail()
    assert (got["To"], got["From"], got["Subject"]) == (
        MAIL.to,
        "Chat <chat@x.example>",
        MAIL.subject,
    )
    assert got["Message-ID"].endswith("@x.example>")
    assert got["Date"]
    plain, html = got.get_body(("plain",)), got.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == MAIL.text
    assert html.get_content().strip() == MAIL.html


async def test_what_is_refused_for_now_is_sent_again():
    async with mail_server() as server, mailing(server) as mailer:
        server.answers = ["451 later", "421 later"]
        mailer.send(MAIL)
        assert (await server.mail())["To"] == MAIL.to
        assert server.tries == 3


async def test_what_is_refused_for_good_is_not_and_the_next_one_goes_out():
    async with mail_server() as server, mailing(server) as mailer:
        server.answers = ["550 nobody here"]
        mailer.send(MAIL)
        mailer.send(Mail("cat@people.example", "s", "t", "h"))
        assert (await server.mail())["To"] == "cat@people.example"
        assert server.tries == 2
        assert server.is_empty()


async def test_a_server_that_is_away_is_given_up_after_some_tries():
    async with mail_server() as server, mailing(server) as mailer:
        away = Mailer(f"smtp://127.0.0.1:{free_port()}", "chat@x.example", retry_seconds=0.01)
        await away._deliver(MAIL)
        mailer.send(MAIL)
        await server.mail()


async def test_a_password_never_goes_over_an_open_line():
    async with mail_server(auth_require_tls=False) as server:
        url = server.url.replace("smtp://", "smtp://chat:pa55w0rd@")
        mailer = Mailer(url, "chat@x.example", retry_seconds=0.01)
        await mailer._deliver(MAIL)
        assert server.users == []
        assert server.is_empty()


async def test_what_waits_has_a_bound():
    mailer = Mailer("smtp://127.0.0.1:1", "chat@x.example")
    assert all(mailer.send(MAIL) for _ in range(QUEUE_MOST))
    assert not mailer.send(MAIL)
    assert mailer.waiting() == QUEUE_MOST
