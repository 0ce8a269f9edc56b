"""PRE-01 for calls: nobody stays in a call whose process died, whose tab is gone, or while Redis begins anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.cases.callers import Caller, Line
from tests.cases.conftest import Call
from tests.cases.lab import lab_at_two
from tests.support.chat_server import ChatServer
from tests.support.process import Process
from tests.support.redis_server import RedisServer

LEASE = 6
GRACE = 2
SLACK = 15.0  # a busy machine


class Scene:
    """Two processes, Ann in a call at the second, and Bob who comes into it at the first."""

    def __init__(self, servers: list[ChatServer], ann: Caller, bob: Caller, room: int) -> None:
        self.first, self.second = servers
        self.ann, self.bob, self.room = ann, bob, room
        self.hers: Line

    async def comes(self, stack: AsyncExitStack, who: Caller, server: ChatServer) -> Line:
        line = await stack.enter_async_context(who.line(server))
        await line.watches(self.room)
        await line.send(type="call_join", room=self.room)
        await line.frame("call_joined")
        return line

    def inside(self) -> list[str]:
        return [person["name"] for person in self.hers.of("call")[-1]["people"]]

    async def sees(self, *names: str) -> None:
        await self.hers.until(lambda: self.inside() == list(names), LEASE + SLACK)

    async def page_says(self, people: str) -> None:
        """A fresh page, as soon as its process has looked."""
        async with asyncio.timeout(SLACK):
            while f"<bdi data-people>{people}</bdi>" not in await self.ann.sees(
                self.second, self.room
            ):
                await asyncio.sleep(0.2)


@pytest.fixture
async def scene(
    redis: RedisServer, postgresql_url: str, tmp_path: Path, stack: list[Process], call: Call
) -> AsyncIterator[Scene]:
    servers, ann, bob, room = await lab_at_two(
        redis, postgresql_url, tmp_path, stack, call, lease=LEASE, grace=GRACE
    )
    made = Scene(servers, ann, bob, room)
    async with AsyncExitStack() as lines:
        made.hers = await made.comes(lines, ann, servers[1])
        yield made
    for server in servers:
        assert server.errors() == []


async def test_pre_01_nobody_is_a_ghost_in_a_call(scene: Scene, redis: RedisServer) -> None:
    async with AsyncExitStack() as lines:
        await scene.comes(lines, scene.bob, scene.first)
        await scene.sees("Ann Archer", "Bob Baker")
        await scene.page_says("Ann Archer, Bob Baker")
        # (a) his process is killed, and he is gone before it is back
        await asyncio.to_thread(scene.first.kill)
    await scene.sees("Ann Archer")
    await scene.page_says("Ann Archer")
    await asyncio.to_thread(scene.first.start)
    # (c) Redis begins anew while his tab is closed
    async with AsyncExitStack() as lines:
        await scene.comes(lines, scene.bob, scene.first)
        await scene.sees("Ann Archer", "Bob Baker")
        await asyncio.to_thread(redis.kill)
    await asyncio.to_thread(redis.start)
    await scene.sees("Ann Archer")
    # (d) he comes again, and is there once; and who stays is not taken out meanwhile
    async with AsyncExitStack() as lines:
        await scene.comes(lines, scene.bob, scene.second)
        await scene.sees("Ann Archer", "Bob Baker")
        await asyncio.sleep(LEASE + 1)
        assert scene.inside() == ["Ann Archer", "Bob Baker"]
        assert scene.hers.of("call_over") == []
        await scene.hers.send(type="call_leave", room=scene.room)
        await scene.sees("Bob Baker")
    await scene.sees()
    await scene.hers.until(lambda: "call_ended" in scene.hers.of("changes")[-1]["html"])
