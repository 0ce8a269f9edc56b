"""Several processes on one PostgreSQL and one Redis."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
import websockets
from redis.asyncio import Redis

from chatapp.realtime.backplane import PEOPLE, Hint, MemoryBackplane, room_channel
from chatapp.realtime.redis_backplane import WAITING_MOST, RedisBackplane
from tests.realtime.guest import PASSWORD
from tests.support.redis_server import RedisServer

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"


class Visitor:
    """Somebody with a cookie, who talks to whichever process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cookie = ""
        self.epoch = ""

    async def signs_up(self, server: Any) -> None:
        async with self.at(server) as client:
            email = f"{uuid4().hex}@people.example"
            form = {"name": self.name, "email": email, "password": PASSWORD}
            answer = await client.post("/sign-up", data=form)
            assert answer.status_code == 303, answer.text
            self.cookie = client.cookies["sid"]

    @asynccontextmanager
    async def at(self, server: Any) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
        cookies = {"sid": self.cookie} if self.cookie else {}
        async with httpx.AsyncClient(
            base_url=server.url, headers=headers, cookies=cookies, timeout=20
        ) as client:
            yield client

    async def does(self, server: Any, path: str, **fields: str) -> str:
        async with self.at(server) as client:
            answer = await client.post(path, data=fields)
            assert answer.status_code == 303, answer.text
            where: str = answer.headers["location"]
            assert path == "/sign-out" or not where.startswith("/sign-in"), "one key for all"
            return where

    @asynccontextmanager
    async def socket(self, server: Any) -> AsyncIterator["Line"]:
        async with websockets.connect(
            server.socket_url,
            origin=websockets.Origin(server.url),
            additional_headers={"Cookie": f"sid={self.cookie}"},
        ) as socket:
            line = Line(socket)
            self.epoch = (await line.frame("hello"))["epoch"]
            yield line


class Line:
    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def frame(self, kind: str, seconds: float = 10) -> dict[str, Any]:
        """The next frame of a kind."""
        async with asyncio.timeout(seconds):
            while True:
                found: dict[str, Any] = json.loads(await self.socket.recv())
                if found["type"] == kind:
                    return found

    async def watch(self, room: int, epoch: str, seq: int) -> None:
        frame = {"type": "watch", "room": room, "cursor": f"{epoch}:{seq}"}
        await self.socket.send(json.dumps(frame))
        await self.frame("watching")

    async def says(self, room: int, body: str) -> None:
        frame = {"type": "post", "room": room, "key": str(uuid4()), "body": body}
        await self.socket.send(json.dumps(frame))

    async def silent(self, seconds: float = 0.3) -> None:
        """Nothing of any room comes."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                frame = json.loads(await asyncio.wait_for(self.socket.recv(), left))
            except TimeoutError:
                return
            assert frame["type"] in {"beat", "sidebar"}, frame


async def test_people_on_two_processes_talk_and_no_accident_of_redis_parts_them(
    serve, postgresql_url, redis
):
    given = {"DATABASE_URL": postgresql_url, "REDIS_URL": redis.url, "DATABASE_POOL": "3"}
    given |= {"LIMIT_FACTOR": "100", "SECRET_KEY": KEY}
    first, second = await asyncio.gather(serve(**given), serve(**given))
    ann, bob = Visitor("Ann Archer"), Visitor("Bob Baker")
    await ann.signs_up(first)
    await bob.signs_up(second)
    room = int((await ann.does(first, "/rooms", name="Lab", topic="")).rsplit("/", 1)[1])
    await bob.does(second, f"/rooms/{room}/join")

    async with ann.socket(first) as hers, bob.socket(second) as his:
        await hers.watch(room, ann.epoch, 2)
        await his.watch(room, bob.epoch, 2)
        seq = 2

        async def heard() -> float:
            """Ann speaks; how long until Bob sees it."""
            nonlocal seq
            start = time.monotonic()
            await hers.says(room, f"this is {seq}")
            shown = await his.frame("changes")
            seq += 1
            assert shown["seq"] == seq
            assert f'id="m-{seq}"' in shown["html"]
            await hers.frame("changes")
            return time.monotonic() - start

        assert min([await heard() for _ in range(5)]) < 0.3, "hints, not the comparison"

        await hostile_hints(redis.url, room, his, hers)
        assert min([await heard() for _ in range(3)]) < 0.3

        await asyncio.to_thread(redis.kill)
        assert [await heard() < 5 for _ in range(3)] == [True] * 3, "by comparison"
        await asyncio.to_thread(redis.start)
        async with Redis.from_url(redis.url) as client, asyncio.timeout(15):
            while (await client.pubsub_numsub(room_channel(room)))[0][1] < 2:
                await asyncio.sleep(0.05)
        await heard()
        await asyncio.sleep(1.1)  # the sender's pause after its last failure
        assert min([await heard() for _ in range(6)]) < 0.3, "hints again"

        await bob.does(first, f"/rooms/{room}/leave")  # over there; his socket is here
        assert (await his.frame("removed", 3))["room"] == room
        await hers.says(room, "secret")
        await hers.frame("ack")
        await his.silent()

        await bob.does(first, "/sign-out")
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await his.frame("never", 3)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


async def hostile_hints(url: str, room: int, his: Line, hers: Line) -> None:
    """Whoever gets at Redis can neither put words into a room nor put anybody out."""
    hints: list[Any] = [
        b"\xff\xfe garbage",
        b"",
        b"null",
        b"[" * 10_000,
        b'{"kind": "nonsense"}',
        b'{"kind": "room", "room_id": "1"}',
        {"kind": "room", "room_id": 999_999, "seq": 5},
        {"kind": "room", "room_id": room, "seq": 999_999},
        {"kind": "room", "room_id": -1},
        {"kind": "room", "room_id": room, "html": "<script>alert(1)</script>"},
        {"kind": "depart", "room_id": room},
        *({"kind": "depart", "room_id": room, "user_id": user} for user in (1, 2, 3, 2**62)),
        {"kind": "session", "session_id": 2**62},
        *({"kind": "session", "session_id": session} for session in range(1, 5)),
        *({"kind": "user", "user_id": user} for user in range(1, 5)),
        {"kind": "user"},
        {"kind": "sidebar", "user_id": 999},
        {"kind": "sidebar"},
    ]
    async with Redis.from_url(url) as client:
        for hint in hints:
            data = hint if isinstance(hint, bytes) else json.dumps(hint)
            for channel in (PEOPLE, room_channel(room)):
                assert await client.publish(channel, data) == 2
    await asyncio.gather(his.silent(), hers.silent())


async def test_without_redis_people_on_two_processes_still_talk_and_part(serve, postgresql_url):
    given = {"DATABASE_URL": postgresql_url, "DATABASE_POOL": "3", "SECRET_KEY": KEY}
    first, second = await asyncio.gather(serve(**given), serve(**given))
    ann, bob = Visitor("Ann Archer"), Visitor("Bob Baker")
    await ann.signs_up(first)
    await bob.signs_up(second)
    room = int((await ann.does(first, "/rooms", name="Lab", topic="")).rsplit("/", 1)[1])
    await bob.does(second, f"/rooms/{room}/join")
    async with ann.socket(first) as hers, bob.socket(second) as his:
        await hers.watch(room, ann.epoch, 2)
        await his.watch(room, bob.epoch, 2)
        await hers.says(room, "hello")
        assert (await his.frame("changes"))["seq"] == 3
        await bob.does(first, f"/rooms/{room}/leave")
        await hers.says(room, "secret")
        assert (await his.frame("removed"))["reason"] == "left"
        await his.silent()


# -- the bus alone ---------------------------------------------------------------------


async def test_hints_reach_the_others_and_not_oneself(redis):
    mine, theirs = RedisBackplane(redis.url, "me"), RedisBackplane(redis.url, "them")
    got: dict[str, list[Hint]] = {"me": [], "them": []}
    ready = [asyncio.Event(), asyncio.Event()]
    arrived = asyncio.Event()

    def take(hint: Hint) -> None:
        got["them"].append(hint)
        arrived.set()

    tasks = [
        asyncio.ensure_future(mine.send_forever()),
        asyncio.ensure_future(mine.receive_forever(got["me"].append, ready[0].set)),
        asyncio.ensure_future(theirs.receive_forever(take, ready[1].set)),
    ]
    try:
        theirs.follow(5, wanted=True)
        await asyncio.wait_for(asyncio.gather(*(each.wait() for each in ready)), 5)
        await listeners(redis, 5, 1)
        mine.publish(Hint("room", room_id=4, seq=9))
        mine.publish(Hint("room", room_id=5, seq=9))
        await asyncio.wait_for(arrived.wait(), 5)
        assert got == {"me": [], "them": [Hint("room", room_id=5, seq=9, sender="me")]}
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await mine.close()
        await theirs.close()


async def listeners(redis: RedisServer, room_id: int, count: int) -> None:
    """Waits until so many processes listen to a room."""
    async with Redis.from_url(redis.url) as client, asyncio.timeout(10):
        while (await client.pubsub_numsub(room_channel(room_id)))[0][1] != count:
            await asyncio.sleep(0.02)


async def test_a_process_listens_to_the_rooms_that_somebody_watches_there(redis):
    bus = RedisBackplane(redis.url, "me")
    connected = 0

    def count() -> None:
        nonlocal connected
        connected += 1

    task = asyncio.ensure_future(bus.receive_forever(lambda _: None, count))
    try:
        for room_id in range(1, 1201):  # more than one trip
            bus.follow(room_id, wanted=True)
        await listeners(redis, 1200, 1)
        await listeners(redis, 1, 1)
        for room_id in range(1, 1200):
            bus.follow(room_id, wanted=False)
        await listeners(redis, 1, 0)
        await listeners(redis, 1200, 1)
        before = connected
        async with Redis.from_url(redis.url) as client:
            await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await listeners(redis, 1200, 0)
        await listeners(redis, 1200, 1)
        await listeners(redis, 1, 0)
        assert bus.is_connected()
        assert 0 < connected - before <= 3, "a comparison for all rooms, not one for each"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


async def test_hints_that_nobody_takes_are_bounded():
    bus = RedisBackplane("redis://127.0.0.1:1/0", "me")
    for n in range(WAITING_MOST + 500):
        bus.publish(Hint("room", room_id=n))
    assert len(bus._waiting) == WAITING_MOST
    assert bus._waiting[-1].room_id == WAITING_MOST + 499, "the oldest went"
    await bus.close()


def test_alone_there_is_nobody_to_tell():
    bus = MemoryBackplane()
    bus.follow(5, wanted=True)
    bus.publish(Hint("room", room_id=5))
