"""Processes and databases die under people who talk. Nothing acknowledged is lost, nothing shows twice."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from tests.faults.driver import Crowd, gather_crowd
from tests.faults.talks import seconds_until, spread, waits
from tests.faults.verdict import short_and_long, tell, verify
from tests.support.fixtures import Serve
from tests.support.postgres_server import PostgresServer

SEED = 20261125
PEOPLE = 6


async def talk_while(crowd: Crowd, harm: Callable[[], Awaitable[None]], messages: int) -> None:
    """Everybody talks; meanwhile `harm` happens."""
    async with crowd.here():
        talking = asyncio.gather(*(client.talk(messages, pause=0.02) for client in crowd.clients))
        await harm()
        await asyncio.wait_for(talking, 90)


@pytest.mark.expects_errors
@short_and_long("kills", 3, 50)
async def test_f1_the_server_is_killed_at_random_moments(
    serve: Serve, database_url: str, kills: int
) -> None:
    server = await serve(DATABASE_URL=database_url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], PEOPLE, SEED)
    dice = random.Random(SEED)
    delays = []

    async def harm() -> None:
        for number in range(kills):
            await asyncio.sleep(dice.uniform(0.3, 1.2))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            delays.append(await seconds_until(crowd.clients[number % PEOPLE].say("it is back")))

    await talk_while(crowd, harm, 20 * kills + 20)
    tell(f"f1: {kills} kills, heard again {spread(delays)} after the server's return")
    await verify(crowd, database_url)


@pytest.mark.expects_errors
@short_and_long("times", 2, 10)
async def test_f3_postgresql_is_killed_and_started_again(
    serve: Serve, own_postgres: PostgresServer, times: int
) -> None:
    own_postgres.create_database("chat")
    url = own_postgres.url("chat")
    server = await serve(DATABASE_URL=url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], PEOPLE, SEED + 1)
    dice = random.Random(SEED)
    delays = []

    async def harm() -> None:
        for number in range(times):
            await asyncio.sleep(dice.uniform(0.3, 1.0))
            await asyncio.to_thread(own_postgres.kill)
            await asyncio.to_thread(own_postgres.start)
            delays.append(await seconds_until(crowd.clients[number % PEOPLE].say("it is back")))

    await talk_while(crowd, harm, 40 * times)
    tell(f"f3: {times} kills, heard again {spread(delays)} after PostgreSQL's return")
    await verify(crowd, url)


@pytest.mark.expects_errors
@short_and_long("seconds", 7, 60)
async def test_f4_while_postgresql_stands_still_sockets_stay_open_and_words_wait(
    serve: Serve, own_postgres: PostgresServer, seconds: float
) -> None:
    own_postgres.create_database("chat")
    url = own_postgres.url("chat")
    server = await serve(DATABASE_URL=url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], PEOPLE, SEED + 2)

    async def harm() -> None:
        await asyncio.sleep(0.5)
        own_postgres.pause()
        await asyncio.sleep(seconds)
        assert all(client.connected.is_set() for client in crowd.clients)
        own_postgres.resume()
        delay = await seconds_until(crowd.clients[0].say("it is back"))
        tell(f"f4: it stood still for {seconds} s, heard again {delay:.2f} s after")
        assert not any(client.closes for client in crowd.clients)

    await talk_while(crowd, harm, 60)
    await verify(crowd, url)


@pytest.mark.expects_errors
async def test_f13_two_processes_write_into_one_room(serve: Serve, postgresql_url: str) -> None:
    """Without Redis: each finds the other's messages by comparing numbers."""
    servers = [
        await serve(
            DATABASE_URL=postgresql_url, LIMIT_FACTOR="1000", SECRET_KEY="4f9d3b7c1e6a8052" * 4
        )
        for _ in range(2)
    ]
    crowd = await gather_crowd([server.url for server in servers], PEOPLE, SEED + 3)

    async def harm() -> None:
        return

    await talk_while(crowd, harm, 60)
    tell(
        f"f13: {sum(len(client.sent) for client in crowd.clients)} messages, stored in {waits(crowd)}"
    )
    await verify(crowd, postgresql_url)
