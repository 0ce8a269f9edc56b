"""Ann, Ben and their server, kept from one test to the next: a server, two browsers and two accounts cost a test more
than what it is about. What a test left behind is put right by means of the product; where something stays, or the
test failed, all three are thrown away and the next test gets new ones.
"""

import asyncio
import contextlib
import re
import sqlite3
from pathlib import Path
from typing import Any, Protocol

from playwright.async_api import Browser, Error

from tests.browser.actions import comes, join, open_room, send_form
from tests.support import chromium
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person

# What stays in a browser for good: a test whose file has any of these shares with nobody.
LASTING = re.compile(
    r"add_init_script|expose_|\bclock\b|grant_permissions|set_extra_http|cdp_session"
)


class Meet(Protocol):
    async def __call__(self, name: str = "Lab", topic: str = "") -> tuple[Person, Person, str]:
        """As `two_in_a_room`: Ann, who opened a room, Ben, who joined it, and its path; both have it open.

        They are the only accounts, it is the only room, and its number may be any."""
        ...


class Meeting:
    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._times = 0
        self._server: ChatServer | None = None
        self._people: list[Person] = []
        self._cookies: list[Any] = []
        self._kept: list[Any] = []

    async def begin(self, name: str = "Lab", topic: str = "") -> tuple[Person, Person, str]:
        if self._server is None:
            await self._set_up()
        ann, ben = self._people
        room = await open_room(ann, name, topic)
        await join(ben, room)
        return ann, ben, room

    async def end(self, *, is_whole: bool) -> list[str]:
        """Returns what went wrong: complaints of the browsers, errors in the server's log."""
        if self._server is None:
            return []
        wrong = [problem for somebody in self._people for problem in somebody.unexpected()]
        wrong += self._server.errors()
        if wrong or not is_whole or not await self._is_as_before():
            await self.close()
        return wrong

    async def screenshots(self, folder: Path, test: str) -> None:
        for somebody in self._people:
            await somebody.screenshot(folder, test)

    async def close(self) -> None:
        for somebody in self._people:
            with contextlib.suppress(Error):
                await somebody.context.close()
        if self._server is not None:
            await asyncio.to_thread(self._server.close)
        self._people, self._cookies, self._server = [], [], None

    # -- how it was -----------------------------------------------------------------

    async def _set_up(self) -> None:
        self._times += 1
        self._server = ChatServer(self._folder / str(self._times), LIMIT_FACTOR="100")
        await asyncio.to_thread(self._server.start)
        for name in ("Ann", "Ben"):
            self._people.append(await chromium.arrive(self._browser, name, self._server.url))
            await comes(self._people[-1])
            self._cookies.append(await self._people[-1].context.cookies())
        self._kept = self._rows()

    async def _is_as_before(self) -> bool:
        try:
            for somebody, cookies in zip(self._people, self._cookies, strict=True):
                await somebody.refresh()
                await somebody.context.add_cookies(cookies)
        except Error:
            return False
        for number, name in self._ask("SELECT id, name FROM rooms"):
            with contextlib.suppress(AssertionError):
                await send_form(self._people[0], f"/rooms/{number}/delete", confirm=name)
        return self._rows() == self._kept

    def _rows(self) -> list[Any]:
        """What nothing that is put right may have changed."""
        questions = ("SELECT * FROM users", "SELECT id FROM sessions", "SELECT id FROM rooms")
        return [self._ask(f"{question} ORDER BY id") for question in questions]

    def _ask(self, question: str) -> list[Any]:
        assert self._server is not None
        file = self._server.folder / "data" / "chatapp.db"
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return database.execute(question).fetchall()
