"""Two processes behind one address: people do not know, and need not."""

import asyncio
from pathlib import Path

from playwright.async_api import expect

from tests.browser.actions import LOST, comes, join, open_room, say, shown, two_in_a_room
from tests.deploy.shipped import ShippedNginx, distrust_seconds
from tests.faults.replicas import two_replicas
from tests.support.fixtures import Arrive, Serve
from tests.support.process import Process
from tests.support.redis_server import RedisServer


async def test_people_at_different_processes_talk_as_in_one_room(
    serve: Serve, person: Arrive, redis: RedisServer, postgresql_url: str
) -> None:
    first, second = await two_replicas(serve, postgresql_url, redis.url)
    ann, ben, _ = await two_in_a_room(person, first, second)
    await say(ann.page, "good morning")
    await shown(ben.page, "good morning")
    await say(ben.page, "to you too")
    for somebody in (ann, ben):
        await shown(somebody.page, "good morning", "to you too")


async def test_what_people_write_during_an_update_arrives_and_they_see_no_error(
    serve: Serve,
    person: Arrive,
    redis: RedisServer,
    postgresql_url: str,
    stack: list[Process],
    tmp_path: Path,
) -> None:
    """Both processes are replaced, one after the other, while Ann writes to Ben."""
    servers = await two_replicas(serve, postgresql_url, redis.url)
    front = ShippedNginx(tmp_path / "nginx", [server.url for server in servers])
    stack.append(front)
    await asyncio.to_thread(front.start)
    ann, ben = await person("Ann", front.url), await person("Ben", front.url)
    await comes(ann)
    room = await open_room(ann, "Lab")
    await comes(ben)
    await join(ben, room)
    for somebody in (ann, ben):
        somebody.allow(LOST)  # the browser's own remark on a line that ended
    said: list[str] = []
    for server in servers:
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))
        while not stopping.done():
            said.append(f"words {len(said)}")
            await say(ann.page, said[-1])
            await asyncio.sleep(0.2)
        await stopping
        await asyncio.to_thread(server.start)
        await asyncio.sleep(distrust_seconds() + 0.5)
        await shown(ben.page, *said)
    await shown(ann.page, *said)
    await expect(ann.page.locator(".msg.is-failed")).to_have_count(0)
    await ben.page.reload()
    await shown(ben.page, *said)
