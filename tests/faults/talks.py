"""Conversations that go on for the time of a block, and waiting for what people are told meanwhile."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from statistics import median
from typing import Any

import httpx
import pytest

from tests.faults.driver import Client, Crowd
from tests.faults.verdict import tell
from tests.support.chat_server import ChatServer

LATER = ("busy", "unknown")  # answers that make people try again
PATIENCE = 30.0  # seconds for what must happen: the machine may be busy


@asynccontextmanager
async def conversation(crowd: Crowd, words: str = "") -> AsyncIterator[None]:
    """Everybody talks for the time of the block, and then waits until all they said is stored."""
    enough = asyncio.Event()

    async def talk(client: Client) -> None:
        number = 0
        while not enough.is_set():
            await client.say(f"{client.name}{words}-{number}")
            number += 1
            await asyncio.sleep(client.dice.uniform(0, 0.04))

    async with crowd.here():
        talks = [asyncio.create_task(talk(client)) for client in crowd.clients]
        try:
            yield
            enough.set()
            await asyncio.wait_for(asyncio.gather(*talks), PATIENCE)
        finally:
            left = set(talks)
            while left:  # `wait_for` may swallow a cancellation that comes together with an answer
                for task in left:
                    task.cancel()
                _, left = await asyncio.wait(left, timeout=1)


async def until(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Waits for something that no event tells of."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def seconds_until(work: Awaitable[Any]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await work
    return loop.time() - began


def spread(seconds: list[float]) -> str:
    """The middle one and the longest, in words."""
    return f"{median(seconds):.2f} s (median), {max(seconds):.2f} s (longest)"


def waits(crowd: Crowd) -> str:
    """How long people waited for the answers to what they said."""
    return spread([wait for client in crowd.clients for wait in client.ack_seconds])


def told(client: Client, *kinds: str) -> int:
    """How many answers of these kinds somebody got."""
    return sum(line[0] in kinds for line in client.journal)


async def everybody_is_told(
    crowd: Crowd, *kinds: str, times: int = 3, seconds: float = PATIENCE
) -> None:
    """Each of them so many times from now on. Nobody is refused meanwhile."""
    wanted = [(client, told(client, *kinds) + times) for client in crowd.clients]

    def are_told() -> bool:
        assert not any(told(client, "refused", "error") for client in crowd.clients)
        return all(told(client, *kinds) >= count for client, count in wanted)

    try:
        await until(are_told, seconds)
    except TimeoutError:
        answers = Counter(line[0] for client in crowd.clients for line in client.journal)
        pytest.fail(f"not everybody was told {kinds} {times} times: {answers}")


async def somebody_is_heard(crowd: Crowd, times: int = 1) -> None:
    """So many words are acknowledged from now on, whoever's they are."""
    wanted = sum(len(client.acked) for client in crowd.clients) + times
    await until(lambda: sum(len(client.acked) for client in crowd.clients) >= wanted)


def assert_nobody_was_refused_or_cut(crowd: Crowd) -> None:
    """To be asked while they are connected: who goes counts the end of their line as well."""
    for client in crowd.clients:
        assert not told(client, "refused", "error"), client.name
        assert not client.closes, client.name


def browser(server: ChatServer, client: Client | None = None) -> httpx.AsyncClient:
    """Of somebody who is signed in, or of a stranger."""
    headers = {"origin": server.url} | ({"cookie": client.cookie} if client else {})
    return httpx.AsyncClient(base_url=server.url, headers=headers, timeout=PATIENCE)


async def becomes(server: ChatServer, status: int) -> None:
    """Until /ready answers so."""
    async with asyncio.timeout(PATIENCE):
        while await asyncio.to_thread(server.status, "/ready") != status:
            await asyncio.sleep(0.05)


async def recovers(server: ChatServer, crowd: Crowd) -> None:
    """People are heard again, and the server is ready."""
    tell(f"recovered after {await seconds_until(somebody_is_heard(crowd)):.1f} s")
    await becomes(server, 200)
