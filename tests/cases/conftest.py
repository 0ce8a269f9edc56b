"""Two processes, and the people who talk there, shared by the tests of a module."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest

from tests.cases.callers import Caller, Where
from tests.cases.pair import Pair, running_pair
from tests.support import databases
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person
from tests.support.fixtures import Arrive
from tests.support.postgres_server import PostgresServer


@pytest.fixture(scope="module")
def pair(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running_pair(postgres, tmp_path_factory.mktemp("pair")) as two:
        yield two


@pytest.fixture(scope="module")
async def folk(pair: Pair) -> AsyncIterator[list[Caller]]:
    """Six people, who have signed up at one of the two."""
    names = ("Ann Archer", "Bob Baker", "Cat Carver", "Dan Dyer", "Eve Eager", "Fay Fisher")
    people = [await Caller(name).signs_up(pair.at(n)) for n, name in enumerate(names)]
    yield people
    for person in people:
        await person.goes()


@dataclass(frozen=True)
class House:
    """One server, which believes to be on an island where it is tomorrow, and two people who live there."""

    server: ChatServer
    database_url: str
    ann: Caller
    ben: Caller

    async def room(self) -> int:
        """A new one, opened by Ann and joined by Ben."""
        room = await self.ann.opens(self.server, f"Room {uuid4()}")
        await self.ben.joins(self.server, room)
        return room


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder: Path = tmp_path_factory.mktemp("house")
    url = databases.sqlite(folder / "sqlite")
    server = ChatServer(
        folder / "chatapp", DATABASE_URL=url, LIMIT_FACTOR="1000", TZ="Pacific/Kiritimati"
    )
    await asyncio.to_thread(server.start)
    ann, ben = [await Caller(name).signs_up(server) for name in ("Ann Archer", "Ben Baker")]
    yield House(server, url, ann, ben)
    for each in (ann, ben):
        await each.goes()
    server.close()
    assert server.errors() == []


class Open(Protocol):
    def __call__(
        self,
        who: Caller,
        server: ChatServer,
        room: int,
        now: datetime | None = None,
        **options: str,
    ) -> Awaitable[Person]: ...


@pytest.fixture
async def open_room(person: Arrive) -> Open:
    """await open_room(house.ben, house.server, 7) is a browser of Ben's with that room open. With `now`, its clock
    stands still there from before it has seen any page."""

    async def arrive(
        who: Caller, server: ChatServer, room: int, now: datetime | None = None, **options: str
    ) -> Person:
        somebody = await person(who.name, server, **options)
        await somebody.context.add_cookies(
            [{"name": "sid", "value": who.cookie, "url": server.url}]
        )
        if now is not None:
            await somebody.context.clock.install(time=now)
        await somebody.goto(f"/rooms/{room}")
        return somebody

    return arrive


class Call(Protocol):
    def __call__(self, name: str, server: Where | None = None) -> Awaitable[Caller]: ...


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    """await call('Ann', server) is somebody who has signed up there; without a server, a visitor."""
    people: list[Caller] = []

    async def come(name: str, server: Where | None = None) -> Caller:
        people.append(Caller(name))
        return people[-1] if server is None else await people[-1].signs_up(server)

    yield come
    for person in people:
        await person.goes()


@pytest.fixture
def ann(folk: list[Caller]) -> Caller:
    return folk[0]


@pytest.fixture
def bob(folk: list[Caller]) -> Caller:
    return folk[1]


@pytest.fixture
def cat(folk: list[Caller]) -> Caller:
    return folk[2]


@pytest.fixture
def dan(folk: list[Caller]) -> Caller:
    return folk[3]
