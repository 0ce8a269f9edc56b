"""A process is killed between COMMIT and the first word of it to anybody. The words are stored: everybody gets to see
them, and the sender, whose answer never came, says them again without saying them twice."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from signal import SIGKILL

import pytest

from tests.faults.dies_before_publish import COMMAND, LAST_WORDS
from tests.faults.driver import Client, Crowd, gather_crowd
from tests.faults.replicas import SAME_KEY, all_connected
from tests.faults.talks import seconds_until, spread
from tests.faults.verdict import short_and_long, stored, tell, verify
from tests.support.chat_server import ChatServer
from tests.support.process import Process

SEED = 20261127
PEOPLE = 4

ServeMortal = Callable[..., Awaitable[ChatServer]]


@pytest.fixture
def serve_mortal(tmp_path: Path, stack: list[Process]) -> ServeMortal:
    """await serve_mortal(…) starts a chatapp that does not survive the storing of last words."""

    async def start(**settings: str) -> ChatServer:
        folder = tmp_path / f"mortal-{len(stack) + 1}"
        server = ChatServer(folder, COMMAND, LIMIT_FACTOR="1000", **settings)
        stack.append(server)
        await asyncio.to_thread(server.start)
        return server

    return start


@pytest.fixture(params=["alone", pytest.param("redis", marks=pytest.mark.faults)])
def bus(request: pytest.FixtureRequest) -> dict[str, str]:
    """How processes tell each other: not at all, or over Redis."""
    return {"REDIS_URL": request.getfixturevalue("redis").url} if request.param == "redis" else {}


async def say_and_lose_the_server(
    sender: Client, words: str, server: ChatServer, database_url: str
) -> tuple["asyncio.Task[None]", str, int]:
    """Who says it (and goes on trying), under which key, and the number it was stored with, unknown to them."""
    saying = asyncio.create_task(sender.say(words))
    assert await asyncio.to_thread(server.wait, 30) == -SIGKILL
    key = next(key for key, said in sender.sent.items() if said == words)
    room = await stored(database_url, sender.room)
    assert room.messages[room.last_seq] == (key, words), "the process died before COMMIT"
    assert key not in sender.acked, "the process died after its answer"
    return saying, key, room.last_seq


async def everybody_up_to_date(crowd: Crowd, database_url: str) -> None:
    await all_connected(crowd)
    await crowd.settle((await stored(database_url, crowd.room)).last_seq)


@short_and_long("deaths", 2, 10)
async def test_f2_what_a_process_stored_and_told_nobody_is_seen_at_the_other_process(
    serve_mortal: ServeMortal, postgresql_url: str, bus: dict[str, str], deaths: int
) -> None:
    """The room is quiet: no later message shows that one is missing. The two processes die in turn, and those whose
    answer did not come ask again there when it is back, or at the other one."""
    settings = {"DATABASE_URL": postgresql_url, "SECRET_KEY": SAME_KEY, **bus}
    servers = await asyncio.gather(*(serve_mortal(**settings) for _ in range(2)))
    crowd = await gather_crowd([server.url for server in servers], PEOPLE, SEED)
    delays = []
    async with crowd.here():
        await asyncio.gather(*(client.talk(3) for client in crowd.clients))
        for number in range(deaths):
            await everybody_up_to_date(crowd, postgresql_url)
            victim, other = servers[number % 2], servers[1 - number % 2]
            sender = next(client for client in crowd.clients if client.url == victim.url)
            elsewhere = [client for client in crowd.clients if client.url == other.url]
            shown = asyncio.create_task(
                seconds_until(Crowd(elsewhere, crowd.room).settle(sender.seq + 1))
            )
            saying, key, stored_as = await say_and_lose_the_server(
                sender, f"{LAST_WORDS} {number}", victim, postgresql_url
            )
            delays.append(await shown)
            assert all(client.screen[stored_as][0] == key for client in elsewhere)
            assert not saying.done()
            if number % 4 in {0, 3}:
                sender.url = other.url
            await asyncio.gather(asyncio.to_thread(victim.start), asyncio.wait_for(saying, 30))
            assert sender.acked[key] == stored_as
        await everybody_up_to_date(crowd, postgresql_url)
        await crowd.clients[0].say("life goes on")
    tell(f"f2: {deaths} deaths, seen elsewhere after {spread(delays)}")
    await verify(crowd, postgresql_url)


@short_and_long("deaths", 2, 10)
async def test_f2_what_the_only_process_stored_and_told_nobody_is_seen_when_it_is_back(
    serve_mortal: ServeMortal, sqlite_url: str, deaths: int
) -> None:
    server = await serve_mortal(DATABASE_URL=sqlite_url)
    crowd = await gather_crowd([server.url], PEOPLE, SEED + 1)
    delays = []
    async with crowd.here():
        await asyncio.gather(*(client.talk(3) for client in crowd.clients))
        for number in range(deaths):
            await everybody_up_to_date(crowd, sqlite_url)
            sender = crowd.clients[number % PEOPLE]
            saying, key, stored_as = await say_and_lose_the_server(
                sender, f"{LAST_WORDS} {number}", server, sqlite_url
            )
            await asyncio.to_thread(server.start)
            delays.append(await seconds_until(crowd.settle(stored_as)))
            await asyncio.wait_for(saying, 30)
            assert sender.acked[key] == stored_as
        await crowd.clients[0].say("life goes on")
    tell(f"f2: {deaths} deaths of one process, all see it {max(delays):.2f} s after its return")
    await verify(crowd, sqlite_url)
