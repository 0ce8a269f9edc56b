"""Mails that people ask for, written in the background: whoever asks learns nothing, not even by the time it takes.

`ask` never waits and answers the same for every address. At most `WAITING_MOST` wait; then it is `Busy`, for everybody.
"""

import asyncio
import logging
from html import unescape
from typing import Final

from chatapp.database import CommitUnknown, Database
from chatapp.domain import recovery
from chatapp.domain.emails import deliverable
from chatapp.errors import Busy, ChatError
from chatapp.mail import SENDERS, Mail, Mailer
from chatapp.realtime.supervisor import Supervisor
from chatapp.templating import Templates
from chatapp.trouble import is_worth_retrying
from chatapp.words import RECOVERY_SUBJECT

WAITING_MOST: Final = 200

log = logging.getLogger(__name__)


class Letters:
    """Owner of the requests that wait."""

    def __init__(
        self, database: Database, templates: Templates, mailer: Mailer, site_name: str
    ) -> None:
        self._database = database
        self._templates = templates
        self.mailer = mailer
        self._site_name = site_name
        self._queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(WAITING_MOST)

    def start(self, supervisor: Supervisor) -> None:
        supervisor.keep(self.run, "letters")
        for _ in range(SENDERS):
            supervisor.keep(self.mailer.run, "mails out")

    def waiting(self) -> int:
        return self._queue.qsize() + self.mailer.waiting()

    def ask(self, email: str, site: str) -> None:
        """A recovery link for an address, if somebody here has it. `site`: our origin. Raises `Busy`."""
        try:
            self._queue.put_nowait((email, site))
        except asyncio.QueueFull:
            raise Busy("busy", 10) from None

    async def run(self) -> None:
        while True:
            email, site = await self._queue.get()
            try:
                await self._write(email, site)
            except ChatError:
                continue  # the account ended meanwhile
            except Exception as error:
                if not (isinstance(error, CommitUnknown) or is_worth_retrying(error)):
                    raise
                log.warning("a recovery link could not be made")

    async def _write(self, email: str, site: str) -> None:
        found = await recovery.issue_by_email(self._database, email)
        if found is None:
            return
        user, token = found
        values = {"name": user.name, "link": f"{site}/recover/{token}"}
        self.mailer.send(
            Mail(
                deliverable(user.email),
                RECOVERY_SUBJECT.format(site=self._site_name),
                unescape(self._templates.render("mails/recover.txt", values)),  # it is no HTML
                self._templates.render("mails/recover.html", values),
            )
        )
        log.info("a recovery link was mailed", extra={"user": user.id})
