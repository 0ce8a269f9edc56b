"""Redis stands still, or was never there. Acknowledgements do not wait for it, and everybody still hears everybody."""

import asyncio

import pytest

from tests.faults.replicas import crowd_at, crowd_at_two, hear_redis, heard_elsewhere, two_replicas
from tests.faults.talks import (
    LATER,
    assert_nobody_was_refused_or_cut,
    conversation,
    everybody_is_told,
    spread,
    told,
    waits,
)
from tests.faults.verdict import short_and_long, stored, tell, verify
from tests.support import run_folder
from tests.support.fixtures import Serve
from tests.support.redis_server import RedisServer

SEED = 20261202
PEOPLE = 4


@short_and_long("seconds", 3, 30)
async def test_f6_while_redis_stands_still_people_are_acknowledged_and_heard(
    serve: Serve, redis: RedisServer, postgresql_url: str, seconds: float
) -> None:
    servers, crowd = await crowd_at_two(serve, postgresql_url, redis.url, PEOPLE, SEED)
    async with conversation(crowd):
        await everybody_is_told(crowd, "ack", times=20)
        before = waits(crowd)
        redis.pause()
        for client in crowd.clients:
            client.ack_seconds.clear()
        await asyncio.sleep(seconds)
        await everybody_is_told(crowd, "ack", times=20)
        during = waits(crowd)
        await crowd.settle((await stored(postgresql_url, crowd.room)).last_seq)
        assert_nobody_was_refused_or_cut(crowd)
        assert not any(told(client, *LATER) for client in crowd.clients)
        redis.resume()
        await hear_redis(servers)
        await everybody_is_told(crowd, "ack")
        assert_nobody_was_refused_or_cut(crowd)
    async with crowd.here():
        delays = await heard_elsewhere(crowd, 2 * PEOPLE)
    tell(
        f"f6: stored in {before} with Redis, {during} while it stood still for {seconds} s;"
        f" afterwards heard at the other replica after {spread(delays)}"
    )
    await verify(crowd, postgresql_url)


@pytest.mark.faults
@short_and_long("times", 4, 100)
async def test_f5_without_redis_for_the_whole_run_everybody_hears_everybody(
    serve: Serve, postgresql_url: str, times: int
) -> None:
    """It is set, but nobody listens there."""
    nobody = f"redis://127.0.0.1:{run_folder.free_port()}/0"
    servers = await two_replicas(serve, postgresql_url, nobody)
    crowd = await crowd_at(servers, PEOPLE, SEED + 1)
    async with crowd.here():
        await asyncio.gather(*(client.talk(10) for client in crowd.clients))
        delays = await heard_elsewhere(crowd, times)
        assert_nobody_was_refused_or_cut(crowd)
        assert not any(told(client, *LATER) for client in crowd.clients)
    tell(
        f"f5: no Redis, heard at the other replica after {spread(delays)}, stored in {waits(crowd)}"
    )
    await verify(crowd, postgresql_url)
