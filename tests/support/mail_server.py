"""A mail server of the test's own: aiosmtpd, which keeps what it takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope


class MailServer:
    """`answers`: what it says to the next mails, before it takes them again."""

    url: str

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.tries = 0
        self.users: list[tuple[bytes, bytes]] = []
        self._mails: asyncio.Queue[EmailMessage] = asyncio.Queue()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        self.tries += 1
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self._mails.put_nowait(found)
        return "250 OK"

    def authenticate(self, *given: Any) -> AuthResult:
        self.users.append((given[4].login, given[4].password))
        return AuthResult(success=True)

    async def mail(self, seconds: float = 10) -> EmailMessage:
        """The next one that comes in."""
        async with asyncio.timeout(seconds):
            return await self._mails.get()

    def is_empty(self) -> bool:
        return self._mails.empty()


@asynccontextmanager
async def mail_server(**options: Any) -> AsyncIterator[MailServer]:
    kept = MailServer()
    if options:
        options["authenticator"] = kept.authenticate
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(kept, loop=loop, hostname="localhost", enable_SMTPUTF8=True, **options),
        "127.0.0.1",
        0,
    )
    kept.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield kept
    finally:
        server.close()
