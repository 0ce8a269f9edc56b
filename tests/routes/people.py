"""The people of these tests, and what they do over HTTP."""

import asyncio
import itertools
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import update

from chatapp.tables import users
from tests.support.asgi import Site
from tests.support.asgi_socket import AsgiSocket

PASSWORD = "correct horse battery"
ROOMY = "100000"  # LIMIT_FACTOR of a site on which nobody meets a rate limit
JSON = {"Accept": "application/json"}
HTMX = {"HX-Request": "true"}

_numbers = itertools.count(1)
_TENS = ("Ada", "Bea", "Cid", "Dov", "Eve", "Fay", "Gus", "Hal", "Ira", "Jet")
_ONES = ("Ash", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gum", "Hazel", "Ivy", "Juniper")


def some_name() -> str:
    """A name that nobody has yet and that looks like nobody else's."""
    number = next(_numbers)
    words = [_TENS[number % 10], *(_ONES[int(digit)] for digit in str(number // 10))]
    return " ".join(words)


class Person:
    """Somebody with one browser."""

    def __init__(self, site: Site, name: str = "", email: str = "", **client: Any) -> None:
        self.site = site
        self.name = name or some_name()
        self.email = email or self.name.lower().replace(" ", ".") + "@people.example"
        self.password = PASSWORD
        self.client = site.client(**client)

    # -- addresses --------------------------------------------------------------

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(path, **options)

    async def post(
        self, path: str, fields: dict[str, Any] | None = None, **options: Any
    ) -> httpx.Response:
        return await self.client.post(path, data=fields or {}, **options)

    def socket(self, **options: Any) -> AbstractAsyncContextManager[AsgiSocket]:
        return self.site.socket(self.client, **options)

    # -- accounts ---------------------------------------------------------------

    async def tries_to_sign_up(self, **fields: str) -> httpx.Response:
        given = {"name": self.name, "email": self.email, "password": self.password}
        return await self.post("/sign-up", {**given, **fields})

    async def signs_up(self) -> "Person":
        answer = await self.tries_to_sign_up()
        assert answer.status_code == 303, answer.text
        return self

    async def tries_to_sign_in(self, **fields: str) -> httpx.Response:
        return await self.post(
            "/sign-in", {"email": self.email, "password": self.password, **fields}
        )

    async def signs_in(self) -> "Person":
        answer = await self.tries_to_sign_in()
        assert answer.status_code == 303, answer.text
        return self

    def elsewhere(self, **client: Any) -> "Person":
        """The same person with another browser, in which they have not signed in yet."""
        other = Person(self.site, self.name, self.email, **client)
        other.password = self.password
        return other

    def with_cookie(self, value: str) -> "Person":
        """Somebody who got hold of a session cookie."""
        thief = Person(self.site)
        thief.client.cookies.set("sid", value)
        return thief

    @property
    def cookie(self) -> str:
        return self.client.cookies["sid"]

    async def is_signed_in(self) -> bool:
        answer = await self.get("/sidebar")
        assert answer.status_code in {200, 303}, answer.text
        return answer.status_code == 200

    async def becomes_administrator(self) -> "Person":
        async with services(self.site).database.transaction() as tx:
            await tx.execute(update(users).where(users.c.name == self.name).values(is_admin=True))
        return self

    # -- rooms ------------------------------------------------------------------

    async def opens(self, name: str = "", topic: str = "") -> int:
        answer = await self.post("/rooms", {"name": name or f"Room of {self.name}", "topic": topic})
        assert answer.status_code == 303, answer.text
        return int(answer.headers["location"].removeprefix("/rooms/"))

    async def joins(self, room: int) -> None:
        answer = await self.post(f"/rooms/{room}/join")
        assert answer.status_code == 303, answer.text

    async def leaves(self, room: int) -> None:
        """An owner leaves it to whom the page proposes."""
        answer = await self.post(f"/rooms/{room}/leave")
        if answer.headers.get("location") == f"/rooms/{room}/leave":
            page = (await self.get(f"/rooms/{room}/leave")).text
            found = re.search(r'value="(\d+)"(?: selected)?>', page)
            proposed = re.search(r'value="(\d+)" selected>', page) or found
            heir = proposed[1] if proposed else ""
            answer = await self.post(f"/rooms/{room}/leave", {"heir": heir})
        assert answer.headers.get("location") == "/rooms", answer.text

    async def tries_to_say(self, room: int, body: str, **fields: str) -> httpx.Response:
        given = {"body": body, "key": str(uuid4())}
        return await self.post(f"/rooms/{room}/messages", {**given, **fields}, headers=JSON)

    async def says(self, room: int, body: str) -> int:
        """Returns the number of the message."""
        answer = await self.tries_to_say(room, body)
        assert answer.status_code == 200, answer.text
        seq: int = answer.json()["seq"]
        return seq

    async def sees(self, room: int) -> str:
        """The room's page."""
        answer = await self.get(f"/rooms/{room}")
        assert answer.status_code == 200
        return answer.text


async def somebody(site: Site, name: str = "", **client: Any) -> Person:
    """A person who has just signed up."""
    return await Person(site, name, **client).signs_up()


def services(site: Site) -> Any:
    return site.app.state.services  # type: ignore[attr-defined]


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Waits for something that no event tells of."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)
