"""CON-04 and INF-04: a server goes and comes back under many people, who all return in the same moment."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from signal import SIGTERM

import httpx
import pytest

from tests.faults.driver import Client, Crowd, gather_crowd
from tests.faults.observed import Observed
from tests.faults.talks import (
    conversation,
    seconds_until,
    somebody_is_heard,
    spread,
    until,
    waits,
)
from tests.faults.verdict import tell, verify
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Serve
from tests.support.past import FIRST, remember
from tests.support.raw_line import RawLine

SEED = 20261130
GRACE = 15.0  # seconds that a stop may take
RESTART = 1012
PATIENCE = 60.0
MUCH = 600  # messages of 16 KB


def tabs_of(crowd: Crowd, count: int) -> list[Client]:
    """So many more tabs for each of them."""
    return [tab(client, number) for client in crowd.clients for number in range(count)]


def tab(of: Client, number: int) -> Client:
    name = f"{of.name} tab {number}"
    dice = random.Random(f"{SEED} {name}")
    return Client(name, of.url, of.cookie, of.room, of.cursor, dice)


@asynccontextmanager
async def somebody_loads_pages(server: ChatServer, reader: Client) -> AsyncIterator[list[float]]:
    """All the time; where there is a server, it must not fail. Yields the seconds of each load."""
    took: list[float] = []

    async def load(browser: httpx.AsyncClient) -> None:
        answer = await browser.get(f"/rooms/{reader.room}")
        assert answer.status_code == 200, answer.status_code

    async def go_on() -> None:
        async with httpx.AsyncClient(
            base_url=server.url, headers={"cookie": reader.cookie}, timeout=PATIENCE
        ) as browser:
            while True:
                with suppress(httpx.TransportError):  # nobody is there
                    took.append(await seconds_until(load(browser)))
                await asyncio.sleep(0.05)

    loading = asyncio.create_task(go_on())
    try:
        yield took
        assert not loading.done(), "a page failed"
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)


async def everybody_is_back(crowd: Crowd) -> None:
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(client.connected.wait() for client in crowd.clients))


async def with_much_to_read(client: Client, database_url: str) -> Client:
    """A tab of theirs in another room, with 10 MB to catch up with: more than any line holds on its way."""
    headers = {"origin": client.url, "cookie": client.cookie}
    async with httpx.AsyncClient(base_url=client.url, headers=headers) as browser:
        made = await browser.post("/rooms", data={"name": "Much"})
    reader = tab(client, 0)
    reader.room = int(made.headers["location"].rsplit("/", 1)[1])
    reader.cursor = f"{client.cursor.rsplit(':', 1)[0]}:1"
    remember(database_url, reader.room, [(FIRST, "😀" * 4000)] * MUCH)
    return reader


def stopped_by_asking(server: ChatServer) -> bool:
    return server.exit_code == 0


async def test_a_hundred_are_told_of_a_restart_return_at_once_and_have_everything(
    serve: Serve, sqlite_url: str
) -> None:
    """INF-04, and CON-04 (b): all come within a quarter of a second, and pages are loaded meanwhile."""
    server = await serve(DATABASE_URL=sqlite_url, LIMIT_FACTOR="1000")
    people = await gather_crowd([server.url], 5, SEED)
    talkers = Crowd([Observed.of(client) for client in people.clients[:2]], people.room)
    readers = Crowd([*people.clients[2:], *tabs_of(people, 19)], people.room)
    everybody = Crowd([*talkers.clients, *readers.clients], people.room)
    async with readers.here(), conversation(talkers):
        await somebody_is_heard(talkers, times=6)
        took = await seconds_until(asyncio.to_thread(server.stop, timeout=GRACE))
        assert stopped_by_asking(server)
        await until(lambda: all(client.closes for client in everybody.clients))
        assert {code for client in everybody.clients for code in client.closes} == {RESTART}
        async with somebody_loads_pages(server, people.clients[0]) as loads:
            await asyncio.to_thread(server.start)
            back = await seconds_until(everybody_is_back(everybody))
            await somebody_is_heard(talkers, times=6)
            await until(lambda: len(loads) >= 5)
    tell(
        f"inf-04: {len(everybody.clients)} sockets, stopped in {took:.1f} s; con-04: all back after"
        f" {back:.1f} s, pages meanwhile {spread(loads)}, stored in {waits(talkers)}"
    )
    await verify(everybody, sqlite_url)


@pytest.mark.faults
async def test_a_server_that_is_asked_twice_to_stop_waits_for_no_stuck_line(
    serve: Serve, sqlite_url: str
) -> None:
    """INF-04: the second signal comes while it is stopping, which a line keeps it from that has not read the half of
    what it asked for. Besides there are some in the middle of a handshake."""
    server = await serve(DATABASE_URL=sqlite_url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], 2, SEED + 1)
    talkers = Crowd([Observed.of(client) for client in crowd.clients], crowd.room)
    stuck = await with_much_to_read(crowd.clients[0], sqlite_url)
    lines = [RawLine(server.url, stuck.cookie) for _ in range(4)]
    for line, share in zip(lines, (1.0, 0.9, 0.5, 0.0), strict=True):
        await line.connect(share)
    await lines[0].send(type="watch", room=stuck.room, cursor=stuck.cursor)
    async with conversation(talkers):
        await somebody_is_heard(talkers, times=6)
        server.signal(SIGTERM)
        stopping = asyncio.create_task(seconds_until(asyncio.to_thread(server.wait, 2 * GRACE)))
        await until(lambda: all(client.closes for client in talkers.clients))
        assert server.running, "it is still stopping"
        server.signal(SIGTERM)
        took = await stopping
        assert stopped_by_asking(server)
        assert took < GRACE
        assert {code for client in talkers.clients for code in client.closes} == {RESTART}
        await asyncio.to_thread(server.start)
        back = await seconds_until(somebody_is_heard(talkers))
    for line in lines:
        line.close()
    tell(f"inf-04: asked twice, stopped in {took:.1f} s, heard again {back:.1f} s after its return")
    await verify(talkers, sqlite_url)
    await verify(Crowd([stuck], stuck.room), sqlite_url, strangers=MUCH)
