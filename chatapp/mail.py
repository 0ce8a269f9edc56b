"""Mail by SMTP: a bounded queue and `SENDERS` tasks that empty it. The one door to `aiosmtplib`.

A mail that the server does not take is tried again, ever more slowly, `TRIES` times; one whose process dies is lost.
"""

import asyncio
import logging
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

QUEUE_MOST: Final = 200
TRIES: Final = 3
SENDERS: Final = 2  # at once: a mail that waits for its second try holds up no other
RETRY_SECONDS: Final = 5.0  # then four times as long
SEND_SECONDS: Final = 20.0
PORTS: Final = {"smtp": 587, "smtps": 465}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mail:
    to: str
    subject: str
    text: str
    html: str


class Mailer:
    """Owner of what waits. MUST run as `SENDERS` of `run`.

    `url`: smtp://user:password@host:587, which uses TLS when the server offers it and always before a password, or
    smtps:// for TLS from the first byte.
    """

    def __init__(self, url: str, sender: str, retry_seconds: float = RETRY_SECONDS) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or PORTS[parts.scheme]
        self._user = unquote(parts.username or "") or None
        self._password = unquote(parts.password or "") or None
        self._is_tls = parts.scheme == "smtps"
        self._sender = sender
        self._retry_seconds = retry_seconds
        self._queue: asyncio.Queue[Mail] = asyncio.Queue(QUEUE_MOST)

    def waiting(self) -> int:
        return self._queue.qsize()

    def send(self, mail: Mail) -> bool:
        """Comes back at once; False when too many wait, and this one is dropped."""
        try:
            self._queue.put_nowait(mail)
        except asyncio.QueueFull:
            log.warning("a mail was dropped: too many wait")
            return False
        return True

    async def run(self) -> None:
        while True:
            await self._deliver(await self._queue.get())

    async def _deliver(self, mail: Mail) -> None:
        message = self._message(mail)
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(self._retry_seconds * 4 ** (attempt - 1))
            try:
                await self._hand_over(message)
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                code = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else 0
                log.warning("a mail was not taken", extra={"code": code or type(error).__name__})
                if 500 <= code < 600:
                    return  # it never will be
            else:
                return
        log.error("a mail was given up")

    async def _hand_over(self, message: EmailMessage) -> None:
        try:
            await aiosmtplib.send(
                message,
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._is_tls,
                # a password never goes over an open line
                start_tls=None if self._user is None or self._is_tls else True,
                timeout=SEND_SECONDS,
            )
        finally:
            task = asyncio.current_task()
            if (
                task is not None and task.cancelling()
            ):  # which aiosmtplib, saying QUIT, takes for a lost line
                raise asyncio.CancelledError

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2].strip("> "))
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        return message
