"""Two processes on one PostgreSQL and one Redis, and the people who talk there, shared by the tests of a module."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from tests.cases.callers import Caller, Where
from tests.support import databases
from tests.support.chat_server import ChatServer
from tests.support.postgres_server import PostgresServer
from tests.support.redis_server import RedisServer

KEY = "7c1e5f3a9b2d4860" * 4


@dataclass(frozen=True)
class Pair:
    first: ChatServer
    second: ChatServer
    database_url: str

    def __iter__(self) -> Iterator[ChatServer]:
        return iter((self.first, self.second))

    def at(self, number: int) -> ChatServer:
        """The first or the second, in turns."""
        return (self.first, self.second)[number % 2]


@pytest.fixture(scope="module")
def pair(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    name, url = databases.postgresql(postgres)
    folder: Path = tmp_path_factory.mktemp("pair")
    redis = RedisServer(folder / "redis")
    redis.start()
    given = {"DATABASE_URL": url, "REDIS_URL": redis.url, "SECRET_KEY": KEY, "DATABASE_POOL": "4"}
    given["LIMIT_FACTOR"] = "1000"
    servers = [ChatServer(folder / f"chatapp-{number}", **given) for number in (1, 2)]
    for server in servers:
        server.start(wait=False)
    for server in servers:
        server.wait_ready()
    yield Pair(servers[0], servers[1], url)
    for process in (*servers, redis):
        process.close()
    postgres.drop_database(name)
    errors = [error for server in servers for error in server.errors()]
    assert errors == []


@pytest.fixture(scope="module")
async def folk(pair: Pair) -> AsyncIterator[list[Caller]]:
    """Six people, who have signed up at one of the two."""
    names = ("Ann Archer", "Bob Baker", "Cat Carver", "Dan Dyer", "Eve Eager", "Fay Fisher")
    people = [await Caller(name).signs_up(pair.at(n)) for n, name in enumerate(names)]
    yield people
    for person in people:
        await person.goes()


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
