"""What processes tell each other of rooms through Redis: of use only when it is exactly what the database has."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from chatapp.domain.commands import Message
from chatapp.realtime.shared_tails import SharedTails
from tests.support.fixtures import MakeSite, Site
from tests.support.redis_server import RedisServer

KEY = "9e8d7c6b5a493827" * 4


def row(seq: int, body: str = "hello") -> Message:
    return Message(7, seq, seq, "message", 1, "Ann", 3, f"key-{seq}", body, 1000)


def tails(redis: RedisServer, key: str = KEY, epoch: str = "now") -> SharedTails:
    return SharedTails(redis.url, (key,), epoch)


@pytest.fixture
async def ours(redis: RedisServer) -> AsyncIterator[SharedTails]:
    found = tails(redis)
    yield found
    await found.close()


async def test_what_one_process_has_read_another_need_not_read(
    ours: SharedTails, redis: RedisServer
) -> None:
    rows = [row(1), row(2, "日本 <b>")]
    await ours.keep(7, 2, rows)
    other = tails(redis)
    assert await other.find(7, 2) == rows
    await other.close()


async def test_a_room_that_went_on_is_read_afresh(ours: SharedTails) -> None:
    await ours.keep(7, 2, [row(1), row(2)])
    assert await ours.find(7, 3) is None
    assert await ours.find(7, 1) is None
    assert await ours.find(8, 2) is None


async def test_whoever_gets_at_redis_can_put_no_words_into_a_room(
    ours: SharedTails, redis: RedisServer
) -> None:
    """Not their own, not another room's, not those of a database that was restored, not those of another site."""
    await ours.keep(7, 2, [row(1), row(2)])
    other_site, other_epoch = tails(redis, key=KEY[::-1]), tails(redis, epoch="yesterday")
    assert await other_site.find(7, 2) is None
    assert await other_epoch.find(7, 2) is None
    async with Redis.from_url(redis.url) as client:
        good = await client.get("chatapp:tail:7")
        assert isinstance(good, bytes)
        await client.set("chatapp:tail:8", good)
        assert await ours.find(8, 2) is None
        for bad in (b"", b"\xff", b"{}", good[:-1], b"x" + good, good.replace(b".", b"", 1)):
            await client.set("chatapp:tail:7", bad)
            assert await ours.find(7, 2) is None, bad
        await client.delete("chatapp:tail:7")
        await client.rpush("chatapp:tail:7", "a list")
        assert await ours.find(7, 2) is None
    await other_site.close()
    await other_epoch.close()


async def test_a_tail_that_is_too_large_is_left_out(ours: SharedTails) -> None:
    dice = random.Random(1)
    await ours.keep(7, 200, [row(n, dice.randbytes(500).hex()) for n in range(200)])
    assert await ours.find(7, 200) is None


async def test_without_redis_everybody_reads_for_themselves(
    ours: SharedTails, redis: RedisServer
) -> None:
    await ours.keep(7, 2, [row(1), row(2)])
    redis.kill()
    assert await ours.find(7, 2) is None
    await ours.keep(7, 2, [row(1), row(2)])
    redis.start()
    assert await ours.find(7, 2) is None, "it rests for a while"


async def test_people_at_a_process_that_never_saw_their_room_get_its_page_all_the_same(
    make_site: MakeSite, postgresql_url: str, redis: RedisServer
) -> None:
    given: Any = {"DATABASE_URL": postgresql_url, "REDIS_URL": redis.url, "SECRET_KEY": KEY}
    first, second = await make_site(**given), await make_site(**given)

    def found(site: Site) -> float:
        app: Any = site.app
        metrics = app.state.services.metrics
        return float(metrics.value("chatapp_shared_tails_total", found="yes"))

    ann = first.client()
    form = {"name": "Ann", "email": "ann@two.example", "password": "correct horse battery"}
    await ann.post("/sign-up", data=form)
    path = (await ann.post("/rooms", data={"name": "Lab"})).headers["location"]
    key = "0d0cbb8c-8a53-4d5c-a7a9-0b3a1d0a6d10"
    await ann.post(f"{path}/messages", data={"body": "good morning", "key": key})
    page = await ann.get(path)
    assert "good morning" in page.text
    there = second.client()
    there.cookies.update(ann.cookies)
    async with Redis.from_url(redis.url) as client, asyncio.timeout(20):
        while not await client.dbsize():  # the first shares it after its answer
            await asyncio.sleep(0.01)
    assert found(second) == 0
    assert "good morning" in (await there.get(path)).text
    assert found(second) == 1
    assert (await there.get(path)).status_code == 200
    assert found(second) == 1, "now it knows the room"
