"""PRE-01 and PRE-02, and issue 6: who is here and who writes, when people are at two processes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from chatapp.realtime.redis_leases import SETTLE_SECONDS
from tests.cases.callers import Caller, Line
from tests.cases.conftest import Call
from tests.cases.lab import lab_at_two
from tests.faults.verdict import tell
from tests.routes import pages
from tests.support.chat_server import ChatServer
from tests.support.process import Process
from tests.support.redis_server import RedisServer

LEASE = 6.0
GRACE = 2.0
SLACK = 10.0  # to be read, to be shown, and a busy machine


class Scene:
    """Two processes, Ann in front of the second, and Bob who comes and goes."""

    def __init__(self, servers: list[ChatServer], ann: Caller, bob: Caller, room: int) -> None:
        self.first, self.second = servers
        self.ann, self.bob, self.room = ann, bob, room
        self.hers: Line
        self.his_id = 0

    def said_of_bob(self) -> list[str]:
        """What Ann was told, one after another, without repetitions."""
        said: list[str] = []
        for frame in self.hers.of("presence"):
            state = frame["people"].get(str(self.his_id))
            if frame["here"] is None:
                state = "unknown"
            elif state is None and frame["whole"]:
                state = "offline"
            if state is not None and (not said or said[-1] != state):
                said.append(state)
        return said

    async def sees_bob(self, state: str, seconds: float) -> float:
        began = time.monotonic()
        await self.hers.until(lambda: self.said_of_bob()[-1:] == [state], seconds)
        return time.monotonic() - began

    async def page_says(self, state: str) -> bool:
        """A fresh page at either process."""
        found = set()
        for server in (self.first, self.second):
            if server.status("/up") == 200:
                page = pages.read(await self.ann.sees(server, self.room))
                person = next(
                    each
                    for each in page.all("li", class_="person")
                    if each.attributes["data-person"] == str(self.his_id)
                )
                found.add(person.one("span", class_="avatar").attributes.get("data-presence"))
        return found == {state}


async def here(stack: AsyncExitStack, who: Caller, server: ChatServer, room: int) -> Line:
    line = await stack.enter_async_context(who.line(server))
    await line.send(type="presence", state="here")
    await line.watches(room)
    return line


@pytest.fixture
async def scene(
    redis: RedisServer, postgresql_url: str, tmp_path: Path, stack: list[Process], call: Call
) -> AsyncIterator[Scene]:
    servers, ann, bob, room = await lab_at_two(
        redis, postgresql_url, tmp_path, stack, call, lease=LEASE, grace=GRACE
    )
    made = Scene(servers, ann, bob, room)
    async with AsyncExitStack() as lines:
        made.hers = await here(lines, ann, servers[1], room)
        async with bob.line(servers[0]) as his:
            made.his_id = (await his.frame("hello"))["user"]
        yield made
    for server in servers:
        assert server.errors() == []


@pytest.mark.faults
async def test_pre_02_somebody_is_online_until_their_last_tab_is_gone(scene: Scene) -> None:
    """Also: typing and invisibility go from one process to the other."""
    places = (scene.first, scene.first, scene.second)
    async with AsyncExitStack() as rest:
        tabs = []
        for server in places:
            stack = await rest.enter_async_context(AsyncExitStack())
            tabs.append((stack, await here(stack, scene.bob, server, scene.room)))
        await scene.sees_bob("online", GRACE + SLACK)
        await scene.hers.until(lambda: scene.hers.of("presence")[-1]["here"] == 2)
        while not scene.hers.of("typing"):  # not before his process has read who he is
            await tabs[0][1].send(type="typing", room=scene.room)
            await asyncio.sleep(1)
        typing: dict[str, Any] = scene.hers.of("typing")[0]
        assert (typing["user"], typing["name"]) == (scene.his_id, "Bob Baker")
        assert [tab.of("typing") for _, tab in tabs] == [[], [], []]
        await scene.bob.does(scene.second, "/settings/presence", invisible="on")
        await scene.sees_bob("offline", SLACK)
        heard = len(scene.hers.of("typing"))
        await tabs[0][1].send(type="typing", room=scene.room)
        await tabs[0][1].has_heard_all()
        await scene.bob.does(scene.second, "/settings/presence")
        await scene.sees_bob("online", SLACK)
        assert len(scene.hers.of("typing")) == heard
        before = scene.said_of_bob()
        for stack, _ in tabs[:2]:
            await stack.aclose()
            await asyncio.sleep(GRACE + 1)
            assert scene.said_of_bob() == before
        await tabs[2][0].aclose()
        for _ in range(10):  # the page is loaded again, many times
            async with AsyncExitStack() as stack:
                await here(stack, scene.bob, scene.first, scene.room)
        assert scene.said_of_bob() == before
        await scene.sees_bob("offline", GRACE + SLACK)
        assert scene.said_of_bob() == [*before, "offline"]
        assert await scene.page_says("offline")


async def test_pre_01_whom_a_dead_process_had_is_gone_within_the_lease(
    scene: Scene, redis: RedisServer
) -> None:
    async with AsyncExitStack() as lines:
        await here(lines, scene.bob, scene.first, scene.room)
        await scene.sees_bob("online", SLACK)
        assert await scene.page_says("online")
        # (c) Redis starts again, and has forgotten everything
        before = scene.said_of_bob()
        await asyncio.to_thread(redis.kill)
        await asyncio.to_thread(redis.start)
        await asyncio.sleep(SETTLE_SECONDS + 4)
        assert "offline" not in scene.said_of_bob()[len(before) :]
        assert scene.said_of_bob()[-1] == "online"
        # (a) his process is killed, and he is gone before it is back
        await asyncio.to_thread(scene.first.kill)
    gone = await scene.sees_bob("offline", LEASE + SLACK)
    assert await scene.page_says("offline")
    tell(f"pre-01: {gone:.1f} s after the kill, with leases of {LEASE:g} s")
    # Redis is away: nobody is called offline
    await asyncio.to_thread(redis.kill)
    await scene.hers.until(lambda: scene.hers.of("presence")[-1]["here"] is None)
    assert 'data-group="unknown"' in await scene.ann.sees(scene.second, scene.room)
