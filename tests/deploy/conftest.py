"""nginx as it is shipped, in front of two real processes."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from tests.cases.callers import Caller
from tests.cases.conftest import Call, call
from tests.cases.pair import Pair, running_pair
from tests.deploy.shipped import ShippedNginx
from tests.support.postgres_server import PostgresServer
from tests.support.process import Process

__all__ = ["Call", "Pair", "Shipped", "call", "pair"]


class Shipped(Protocol):
    def __call__(
        self, *replicas: str, other: dict[str, str] | None = None, tls: bool = False
    ) -> ShippedNginx: ...


@pytest.fixture
def shipped(tmp_path: Path, stack: list[Process]) -> Shipped:
    """shipped(server.url, …) puts an nginx of the test's own in front of them."""
    numbers = itertools.count(1)

    def start(
        *replicas: str, other: dict[str, str] | None = None, tls: bool = False
    ) -> ShippedNginx:
        front = ShippedNginx(tmp_path / f"nginx-{next(numbers)}", replicas, other, tls)
        stack.append(front)
        front.start()
        return front

    return start


@pytest.fixture(scope="package")
def pair(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running_pair(postgres, tmp_path_factory.mktemp("pair")) as two:
        yield two


@pytest.fixture(scope="package")
def front(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShippedNginx]:
    """The door of the site that the pair serves."""
    nginx = ShippedNginx(tmp_path_factory.mktemp("front") / "nginx", [each.url for each in pair])
    nginx.start()
    yield nginx
    nginx.close()


@pytest.fixture(scope="package")
async def ann(front: ShippedNginx) -> AsyncIterator[Caller]:
    ann = await Caller("Ann Archer").signs_up(front)
    yield ann
    await ann.goes()


@pytest.fixture(scope="package")
async def bob(front: ShippedNginx) -> AsyncIterator[Caller]:
    bob = await Caller("Bob Baker").signs_up(front)
    yield bob
    await bob.goes()


def asking(front: ShippedNginx, path: str, *headers: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", f"Host: {front.host}", *headers, "", "")).encode()


@asynccontextmanager
async def by_hand(front: ShippedNginx, request: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """Bytes that no client would send, and what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    try:
        writer.write(request)
        async with asyncio.timeout(30):
            yield reader
    finally:
        writer.close()


async def head(front: ShippedNginx, request: bytes) -> bytes:
    async with by_hand(front, request) as answer:
        return await answer.readuntil(b"\r\n\r\n")


async def all_until_hung_up(front: ShippedNginx, request: bytes) -> bytes:
    async with by_hand(front, request) as answer:
        return await answer.read()
