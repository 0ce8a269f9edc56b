"""Leases in a real Redis: two processes say whom they have; one of them dies, or Redis does."""

import asyncio

import pytest

from chatapp.clock import HeldClock, SystemClock
from chatapp.realtime.redis_leases import SETTLE_SECONDS, RedisLeases
from tests.support.redis_server import RedisServer


class Pair:
    """Two processes' leases, which last `seconds`."""

    def __init__(self, redis: RedisServer, seconds: float = 55) -> None:
        self.clock = HeldClock()
        self.first = RedisLeases(redis.url, "1" * 32, self.clock, seconds)
        self.second = RedisLeases(redis.url, "2" * 32, self.clock, seconds)


@pytest.fixture
async def pair(redis):
    made = Pair(redis)
    yield made
    await made.first.close()
    await made.second.close()


async def test_each_process_knows_of_the_others_people(pair):
    assert await pair.first.exchange({7: "online", 8: "away"}) == {7: "online", 8: "away"}
    assert await pair.second.exchange({8: "online"}) == {7: "online", 8: "online"}
    assert await pair.first.exchange({7: "away"}) == {7: "away", 8: "online"}
    assert await pair.second.exchange({}) == {7: "away"}
    assert await pair.first.exchange({}) == {}


async def test_whom_a_dead_process_had_is_there_until_the_lease_lapses(redis):
    pair = Pair(redis, seconds=0.5)
    await pair.first.exchange({7: "online"})
    async with asyncio.timeout(5):
        assert await pair.second.exchange({}) == {7: "online"}
        while await pair.second.exchange({}) == {7: "online"}:
            await asyncio.sleep(0.05)
    for each in (pair.first, pair.second):
        await each.close()


async def test_leases_are_put_again_before_they_lapse(redis):
    first = RedisLeases(redis.url, "1" * 32, SystemClock(), 0.6)
    second = RedisLeases(redis.url, "2" * 32, SystemClock(), 0.6)
    async with asyncio.timeout(10):
        for _ in range(40):
            await first.exchange({7: "online"})
            await asyncio.sleep(0.05)
            assert await second.exchange({}) == {7: "online"}
    for each in (first, second):
        await each.close()


async def test_a_redis_that_is_away_is_said_and_one_that_has_forgotten_is_told_again(pair, redis):
    await pair.first.exchange({7: "online"})
    assert await pair.second.exchange({9: "online"}) == {7: "online", 9: "online"}
    await asyncio.to_thread(redis.kill)
    assert await pair.first.exchange({7: "online"}) is None
    await asyncio.to_thread(redis.start)
    assert await pair.first.exchange({7: "online"}) is None
    for _ in range(2):  # its line broke; then it says again whom it has
        assert await pair.second.exchange({9: "online"}) is None
    pair.clock.advance(SETTLE_SECONDS)
    assert await pair.first.exchange({7: "online"}) == {7: "online", 9: "online"}
    assert await pair.second.exchange({9: "online"}) == {7: "online", 9: "online"}


async def test_nonsense_in_redis_is_nobody(pair):
    await pair.first.exchange({7: "online"})
    redis = pair.first._redis
    await redis.zadd(
        "{chatapp:presence}:leases", {b"\xff:\xfe": 9e15, "x:9:z": 9e15, "x:1e9:h": 9e15}
    )
    await redis.set("{chatapp:presence}:version", "x")
    assert await pair.second.exchange({}) == {7: "online"}
