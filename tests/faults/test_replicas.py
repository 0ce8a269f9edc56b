"""Two replicas: one is killed, stands still, or has a wrong clock. People go over to the other one and miss nothing."""

import asyncio
import random
from pathlib import Path

import asyncpg
import pytest

from tests.faults import wrong_clock
from tests.faults.driver import Crowd
from tests.faults.replicas import (
    all_come_again,
    crowd_at,
    crowd_at_two,
    hear_redis,
    kill,
    shared,
    those_at,
)
from tests.faults.talks import (
    assert_nobody_was_refused_or_cut,
    conversation,
    everybody_is_told,
    seconds_until,
    somebody_is_heard,
    spread,
    waits,
)
from tests.faults.verdict import short_and_long, tell, verify
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Serve
from tests.support.process import Process
from tests.support.redis_server import RedisServer

SEED = 20261201
PEOPLE = 4
BY_THEMSELVES = 1000


@short_and_long("kills", 2, 50)
async def test_f1_one_of_two_replicas_is_killed_at_random_moments(
    serve: Serve, redis: RedisServer, postgresql_url: str, kills: int
) -> None:
    servers, crowd = await crowd_at_two(serve, postgresql_url, redis.url, PEOPLE, SEED)
    dice = random.Random(SEED)
    delays = []
    async with conversation(crowd):
        for _ in range(kills):
            await asyncio.sleep(dice.uniform(0.3, 1.2))
            victim = dice.choice(servers)
            delays.append(await kill(victim, crowd))
            await asyncio.to_thread(victim.start)
            await all_come_again(crowd)  # else nobody would be where the next one dies
    sent = sum(len(client.sent) for client in crowd.clients)
    tell(
        f"f1: {kills} kills of one of two, all live again after {spread(delays)}; {sent} messages,"
        f" stored in {waits(crowd)}"
    )
    await verify(crowd, postgresql_url)


@short_and_long("seconds", 5, 90)
async def test_f21_a_replica_that_stood_still_first_learns_what_was_said_meanwhile(
    serve: Serve, redis: RedisServer, postgresql_url: str, seconds: float
) -> None:
    servers, crowd = await crowd_at_two(serve, postgresql_url, redis.url, PEOPLE, SEED + 1)
    stuck, others = (those_at(server, crowd) for server in servers)
    for client in stuck.clients:
        client.pings = None  # else they would be at the other one before this one goes on
    async with conversation(crowd):
        await everybody_is_told(crowd, "ack")
        servers[0].pause()
        going_on = await seconds_until(everybody_is_told(others, "ack"))
        await asyncio.sleep(seconds)
        servers[0].resume()
        back = await seconds_until(everybody_is_told(stuck, "ack", times=1))
        assert_nobody_was_refused_or_cut(crowd)
    tell(
        f"f21: stood still for {seconds} s; three acknowledgements for each at the other after {going_on:.2f} s,"
        f" one for each here {back:.2f} s after its return"
    )
    for client in stuck.clients:
        numbers = [line[1] for line in client.journal if line[0] == "changes"]
        assert numbers == sorted(numbers), "something old came after something new"
    await verify(crowd, postgresql_url)


@pytest.mark.faults
async def test_f21_replicas_with_wrong_clocks_change_no_order_and_sign_nobody_out(
    redis: RedisServer, postgresql_url: str, tmp_path: Path, stack: list[Process]
) -> None:
    """One is an hour ahead, the other an hour behind. People who signed up at either go to the other one and back."""
    given = shared(postgresql_url, redis.url)
    servers = [
        ChatServer(tmp_path / name, wrong_clock.COMMAND, HOURS=hours, **given)
        for name, hours in (("ahead", "1"), ("behind", "-1"))
    ]
    stack += servers
    await asyncio.gather(*(asyncio.to_thread(server.start) for server in servers))
    await hear_redis(servers)
    crowd = await crowd_at(servers, PEOPLE, SEED + 2)
    async with conversation(crowd):
        for _ in range(4):
            await somebody_is_heard(crowd, times=PEOPLE)
            await all_come_again(crowd)
        assert {code for client in crowd.clients for code in client.closes} == {BY_THEMSELVES}
    await verify(crowd, postgresql_url)
    assert await minutes_of(crowd, postgresql_url) < 10, "times are the database's"
    for server in servers:
        await asyncio.to_thread(server.stop)
        assert server.errors() == []


async def minutes_of(crowd: Crowd, database_url: str) -> float:
    """Between the earliest and the latest message of the room."""
    line = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        query = "SELECT max(at) - min(at) FROM messages WHERE room_id = $1"
        return float(await line.fetchval(query, crowd.room)) / 60_000
    finally:
        await line.close()
