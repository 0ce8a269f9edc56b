"""Ann, Ben and their server, kept from one test to the next: a server, two browsers and two accounts cost a test more
than what it is about. What a test left behind is put right by means of the product; where something stays, or the
test failed, all three are thrown away and the next test gets new ones.
"""

import asyncio
import contextlib
import inspect
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, Protocol

from playwright.async_api import Browser, Error

from tests.browser.actions import comes, join, open_room, send_form
from tests.support import chromium
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person

# What stays in a browser for good: a test that has any of these shares with nobody. A page is closed, and with it goes
# what was done to it alone or told to it by Chromium's own protocol, but not what was told to the browser.
LASTING = re.compile(
    r"(?<!page\.)add_init_script|expose_|\bclock\b|grant_permissions|set_extra_http|[\"']Browser\."
)
SESSIONS = "SELECT id FROM sessions ORDER BY id"


class Meet(Protocol):
    async def __call__(self, name: str = "Lab", topic: str = "") -> tuple[Person, Person, str]:
        """As `two_in_a_room`: Ann, who opened a room, Ben, who joined it, and its path; both have it open.

        They are the only accounts, it is the only room, and its number may be any."""
        ...

    async def alone(self, name: str = "Lab", topic: str = "") -> tuple[Person, str]:
        """Ann, who opened a room and has it open, and its path. Ben is no member, and nowhere."""
        ...

    @property
    def database_url(self) -> str:
        """For `past`."""
        ...


def leaves_something(test: Callable[..., Any]) -> bool:
    """Whether anything `LASTING` is in a test, or in the functions, fixtures and scripts it uses of tests/browser."""
    found: list[Any] = [test]
    for each in found:
        text = each if isinstance(each, str) else inspect.getsource(each)
        if LASTING.search(text):
            return True
        if isinstance(each, FunctionType):
            for word in set(re.findall(r"\w+", text)):
                used = inspect.unwrap(each.__globals__.get(word, ""))
                is_ours = getattr(used, "__module__", "").startswith("tests.browser.")
                if (isinstance(used, str) or is_ours) and used not in found:
                    found.append(used)
    return False


class Meeting:
    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._times = 0
        self._server: ChatServer | None = None
        self._people: list[Person] = []
        self._came: list[Person] = []
        self._cookies: list[Any] = []
        self._kept: list[Any] = []

    async def __call__(self, name: str = "Lab", topic: str = "") -> tuple[Person, Person, str]:
        ann, room = await self.alone(name, topic)
        ben = self._people[1]
        self._came.append(ben)
        await join(ben, room)
        return ann, ben, room

    async def alone(self, name: str = "Lab", topic: str = "") -> tuple[Person, str]:
        if self._server is None:
            await self._set_up()
        ann = self._people[0]
        self._came = [ann]
        return ann, await open_room(ann, name, topic)

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self._file()}"

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
        self._people, self._came, self._cookies, self._server = [], [], [], None

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
            for somebody, cookies in zip(self._came, self._cookies, strict=False):
                await somebody.refresh()
                await somebody.context.add_cookies(cookies)
                # they may have come on other devices as well
                if self._ask(SESSIONS) != self._kept[0]:
                    await send_form(somebody, "/settings/devices/sign-out-others")
        except (Error, AssertionError):
            return False
        for number, name in self._ask("SELECT id, name FROM rooms"):
            with contextlib.suppress(AssertionError):
                await send_form(self._people[0], f"/rooms/{number}/delete", confirm=name)
        return self._rows() == self._kept

    def _rows(self) -> list[Any]:
        """What nothing that is put right may have changed."""
        others = ("SELECT * FROM users ORDER BY id", "SELECT id FROM rooms")
        return [self._ask(question) for question in (SESSIONS, *others)]

    def _file(self) -> Path:
        assert self._server is not None
        return self._server.folder / "data" / "chatapp.db"

    def _ask(self, question: str) -> list[Any]:
        address = f"file:{self._file()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as database:
            return database.execute(question).fetchall()
