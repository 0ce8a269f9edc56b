"""INF-01: Redis goes, comes back, forgets, cuts off and falls silent. Nobody misses a message.

Left out: another Redis at another address (e), which takes a new setting; a full output buffer at Redis (f), which ends
like CLIENT KILL.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from chatapp.realtime.backplane import PEOPLE
from tests.cases.conftest import Call
from tests.cases.pair import KEY
from tests.faults.driver import Crowd, gather_crowd
from tests.faults.verdict import NONE, check, stored
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Serve
from tests.support.process import Process
from tests.support.redis_server import RedisServer
from tests.support.swamp import swamp

SEED = 20261127


async def subscribers(redis: RedisServer, count: int) -> None:
    """Waits until so many processes listen."""
    async with Redis.from_url(redis.url) as client, asyncio.timeout(30):
        while (await client.pubsub_numsub(PEOPLE))[0][1] != count:
            await asyncio.sleep(0.05)


async def talk_while(crowd: Crowd, harm: Callable[[], Awaitable[None]]) -> None:
    """Everybody says something every 200 ms, until the harm is over and a little longer."""
    over = asyncio.Event()

    async def talk(number: int) -> None:
        client, n = crowd.clients[number], 0
        while not over.is_set():
            await client.say(f"{client.name}-{len(client.sent)}")
            n += 1
            await asyncio.sleep(0.2)

    talking = asyncio.gather(*map(talk, range(len(crowd.clients))))
    try:
        await harm()
    finally:
        over.set()
        await talking


async def pages_are_drawn(crowd: Crowd) -> None:
    for client in crowd.clients:
        async with httpx.AsyncClient(base_url=client.url, headers={"Cookie": client.cookie}) as who:
            for path in (f"/rooms/{crowd.room}", "/rooms", "/up", "/ready"):
                assert (await who.get(path)).status_code == 200, path


async def verified(crowd: Crowd, database_url: str) -> None:
    room = await stored(database_url, crowd.room)
    await crowd.settle(room.last_seq)
    assert check(crowd, room) == NONE
    assert not any(client.closes for client in crowd.clients), "nobody had to come again"


async def heard(crowd: Crowd) -> None:
    """Everybody hears everybody."""
    for client in crowd.clients:
        await client.say(f"{client.name}-{len(client.sent)}")
        seq = max(client.acked.values())
        async with asyncio.timeout(30):
            await asyncio.gather(*(other.reached(seq) for other in crowd.clients))


async def test_whatever_happens_to_redis_people_at_two_processes_miss_nothing(
    serve: Serve, redis: RedisServer, postgresql_url: str
) -> None:
    """INF-01 (a) stopped and started, (d) CLIENT KILL TYPE pubsub, (h) FLUSHALL"""
    given = {"DATABASE_URL": postgresql_url, "REDIS_URL": redis.url, "SECRET_KEY": KEY}
    servers = await asyncio.gather(*(serve(**given, LIMIT_FACTOR="1000") for _ in range(2)))
    crowd = await gather_crowd([server.url for server in servers], 4, SEED)
    await subscribers(redis, 2)

    async def is_stopped() -> None:
        await asyncio.to_thread(redis.stop)
        await heard(crowd)
        await pages_are_drawn(crowd)
        await asyncio.sleep(3)
        await asyncio.to_thread(redis.start)
        await subscribers(redis, 2)

    async def cuts_off() -> None:
        async with Redis.from_url(redis.url) as client:
            for _ in range(3):
                assert await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub") == 2
                await subscribers(redis, 2)

    async def forgets() -> None:
        async with Redis.from_url(redis.url) as client:
            await client.flushall()
        await heard(crowd)
        await pages_are_drawn(crowd)

    async with crowd.here():
        for harm in (is_stopped, cuts_off, forgets):
            await talk_while(crowd, harm)
            await heard(crowd)
        await subscribers(redis, 2)
        await verified(crowd, postgresql_url)


@pytest.mark.faults
async def test_a_process_starts_while_redis_is_away_and_finds_it_later(
    serve: Serve, redis: RedisServer, postgresql_url: str
) -> None:
    """INF-01 (g)"""
    await asyncio.to_thread(redis.stop)
    given = {"DATABASE_URL": postgresql_url, "REDIS_URL": redis.url, "SECRET_KEY": KEY}
    servers = await asyncio.gather(*(serve(**given, LIMIT_FACTOR="1000") for _ in range(2)))
    crowd = await gather_crowd([server.url for server in servers], 2, SEED + 1)
    async with crowd.here():
        await heard(crowd)
        await pages_are_drawn(crowd)
        await asyncio.to_thread(redis.start)
        await subscribers(redis, 2)
        await heard(crowd)
        await verified(crowd, postgresql_url)


@pytest.mark.faults
async def test_a_line_to_redis_that_dies_without_a_word_is_replaced(
    redis: RedisServer, postgresql_url: str, tmp_path: Path, stack: list[Process]
) -> None:
    """INF-01 (c): packets between one process and Redis are dropped, nobody is told. Members who leave and sessions
    that end over there are still told here at once when it is over."""
    given = {"DATABASE_URL": postgresql_url, "SECRET_KEY": KEY, "LIMIT_FACTOR": "1000"}
    async with swamp(redis.port) as between:
        through = f"redis://127.0.0.1:{between.port}/0"
        servers = [
            ChatServer(tmp_path / name, **given, REDIS_URL=url)
            for name, url in (("first", redis.url), ("second", through))
        ]
        for server in servers:
            stack.append(server)
            await asyncio.to_thread(server.start)
        crowd = await gather_crowd([server.url for server in servers], 4, SEED + 2)
        await subscribers(redis, 2)
        async with crowd.here():
            between.swallow()
            await talk_while(crowd, lambda: heard(crowd))
            await pages_are_drawn(crowd)
            async with Redis.from_url(redis.url) as client:  # Redis' own end times out one day
                await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            between.clear()
            await subscribers(redis, 2)
            await heard(crowd)
            await verified(crowd, postgresql_url)
        for server in servers:
            await asyncio.to_thread(server.stop)
            assert server.errors() == []


async def test_the_health_of_a_process_tells_whether_redis_is_there(
    serve: Serve, redis: RedisServer, postgresql_url: str, call: Call
) -> None:
    """INF-01: ready either way, since people can talk; but whoever looks after the site can see it."""
    server = await serve(DATABASE_URL=postgresql_url, REDIS_URL=redis.url, SECRET_KEY=KEY)
    ann = await call("Ann Archer")
    await subscribers(redis, 1)

    async def told() -> object:
        answer = await ann.at(server).get("/ready")
        assert answer.status_code == 200
        return answer.json().get("redis")

    async def tells(wanted: object) -> None:
        async with asyncio.timeout(30):
            while await told() is not wanted:
                await asyncio.sleep(0.1)

    await tells(True)
    await asyncio.to_thread(redis.stop)
    await tells(False)
    await asyncio.to_thread(redis.start)
    await tells(True)
