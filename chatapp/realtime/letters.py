"""Mails that people ask for, written in the background: whoever asks learns nothing, not even by the time it takes.

`ask` never waits and answers the same for every address. At most `WAITING_MOST` wait; then it is `Busy`, for everybody.
"""

import asyncio
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from html import unescape
from typing import Final, Literal

from chatapp.database import CommitUnknown, Database
from chatapp.domain import recovery, users
from chatapp.domain.emails import deliverable
from chatapp.errors import Busy, ChatError, Missing
from chatapp.mail import SENDERS, Mail, Mailer
from chatapp.realtime.supervisor import Supervisor
from chatapp.security import Seal
from chatapp.templating import Templates
from chatapp.trouble import is_worth_retrying
from chatapp.words import SUBJECTS

WAITING_MOST: Final = 200
PROOF_LIFE_SECONDS: Final = 30 * 60  # of a link that proves an address

Kind = Literal["recover", "sign_up"]

log = logging.getLogger(__name__)


class Letters:
    """Owner of the requests that wait."""

    def __init__(
        self, database: Database, templates: Templates, mailer: Mailer, site_name: str, seal: Seal
    ) -> None:
        self._database = database
        self._templates = templates
        self.mailer = mailer
        self._site_name = site_name
        self._seal = seal
        self._queue: asyncio.Queue[tuple[Kind, str, str]] = asyncio.Queue(WAITING_MOST)

    def start(self, supervisor: Supervisor) -> None:
        supervisor.keep(self.run, "letters")
        for _ in range(SENDERS):
            supervisor.keep(self.mailer.run, "mails out")

    def waiting(self) -> int:
        return self._queue.qsize() + self.mailer.waiting()

    def ask(self, kind: Kind, email: str, site: str) -> None:
        """A recovery link for an address, if somebody here has it; or a link to sign up with, if nobody has, which
        proves that the address is theirs. `site`: our origin. Raises `Busy`."""
        try:
            self._queue.put_nowait((kind, email, site))
        except asyncio.QueueFull:
            raise Busy("busy", 10) from None

    async def run(self) -> None:
        while True:
            kind, email, site = await self._queue.get()
            try:
                await self._write(kind, email, site)
            except ChatError:
                continue  # the account ended meanwhile
            except Exception as error:
                if not (isinstance(error, CommitUnknown) or is_worth_retrying(error)):
                    raise
                log.warning("a recovery link could not be made")

    async def _write(self, kind: Kind, email: str, site: str) -> None:
        if kind == "sign_up":
            known = await users.by_email(self._database, email)
            if known is None:
                self._send("sign_up", email, {"link": f"{site}/join/{self._proof(email)}"})
            else:
                self._send("known", known.email, {"name": known.name, "link": f"{site}/sign-in"})
            return
        found = await recovery.issue_by_email(self._database, email)
        if found is not None:
            user, token = found
            values = {"name": user.name, "link": f"{site}/recover/{token}"}
            self._send("recover", user.email, values)
            log.info("a recovery link was mailed", extra={"user": user.id})

    def _send(self, name: str, email: str, values: dict[str, str]) -> None:
        text = self._templates.render(f"mails/{name}.txt", values)
        self.mailer.send(
            Mail(
                deliverable(email),
                SUBJECTS[name].format(site=self._site_name),
                unescape(text),  # it is no HTML
                self._templates.render(f"mails/{name}.html", values),
            )
        )

    def _proof(self, email: str) -> str:
        return self._seal.seal(urlsafe_b64encode(email.encode()).decode())

    def proven(self, token: str) -> str:
        """The address to which we sent the link with this token. Raises `Missing`."""
        value = self._seal.open(token)
        if value is None:
            raise Missing("proof_over")
        return urlsafe_b64decode(value).decode()
