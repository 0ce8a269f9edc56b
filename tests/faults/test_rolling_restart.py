"""F11: three processes behind nginx are restarted one after another, as for an update. Nobody notices."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.deploy.shipped import ShippedNginx, distrust_seconds
from tests.faults.driver import Client, Crowd, gather_crowd
from tests.faults.observed import Observed
from tests.faults.replicas import shared
from tests.faults.talks import conversation, somebody_is_heard, told
from tests.faults.verdict import short_and_long, tell, verify
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Serve
from tests.support.process import Process
from tests.support.redis_server import RedisServer

SEED = 20261201
PEOPLE = 12
GRACE = 15.0


@dataclass
class Listening(Observed):
    """Remembers for how long it has heard nothing while the others talked."""

    heard_at: float = 0.0
    silences: list[float] = field(default_factory=list)

    async def _apply(self, frame: dict[str, Any]) -> None:
        now = time.monotonic()
        if self.heard_at:
            self.silences.append(now - self.heard_at)
        self.heard_at = now
        await super()._apply(frame)


@asynccontextmanager
async def somebody_uses_pages_and_forms(url: str, client: Client) -> AsyncIterator[list[int]]:
    """All the time, through nginx. Yields the status of every answer; the last one is waited for, since a form that
    nobody waits for may be stored all the same."""
    answers: list[int] = []
    over = asyncio.Event()

    async def use() -> None:
        # A line of their own for each: with few kept ones, some would never meet a process that leaves.
        room = f"/rooms/{client.room}"
        while not over.is_set():
            async with httpx.AsyncClient(
                base_url=url, headers={"cookie": client.cookie, "origin": url}, timeout=30
            ) as browser:
                answers.extend([(await browser.get(room)).status_code for _ in range(3)])
                form = {"body": f"by form {len(answers)}", "key": str(uuid4())}
                answers.append((await browser.post(f"{room}/messages", data=form)).status_code)

    using = asyncio.create_task(use())
    try:
        yield answers
    finally:
        over.set()
        await using


async def roll(servers: list[ChatServer]) -> None:
    """As deploy.sh does: the next one's turn comes when nginx has had time to see that the last is back."""
    for server in servers:
        await asyncio.to_thread(server.stop, timeout=GRACE)
        assert server.exit_code == 0
        await asyncio.to_thread(server.start)
        await asyncio.sleep(distrust_seconds() + 0.5)


def gone(visit: dict[str, Any]) -> bool:
    """Whoever asked did not wait for the answer: the test was over."""
    return bool(visit["status"] == 499)


@short_and_long("rounds", 1, 5)
async def test_f11_a_rolling_restart_is_not_noticed(
    serve: Serve,
    stack: list[Process],
    redis: RedisServer,
    postgresql_url: str,
    tmp_path: Path,
    rounds: int,
) -> None:
    given = shared(postgresql_url, redis.url)
    servers = [await serve(**given, DATABASE_POOL="4") for _ in range(3)]
    front = ShippedNginx(tmp_path / "nginx", [server.url for server in servers])
    stack.append(front)
    await asyncio.to_thread(front.start)
    people = await gather_crowd([front.url], PEOPLE, SEED)
    listeners = [Listening.of(client) for client in people.clients]
    crowd = Crowd([*listeners], people.room)
    async with (
        conversation(crowd),
        somebody_uses_pages_and_forms(front.url, crowd.clients[0]) as answers,
    ):
        await somebody_is_heard(crowd, times=2 * PEOPLE)
        for _ in range(rounds):
            await roll(servers)
        await somebody_is_heard(crowd, times=2 * PEOPLE)
        for client in crowd.clients:
            assert not told(client, "refused", "error", "reload"), client.name
            assert set(client.closes) <= {1012}, "they were asked to come back, not cut off"
    failed = Counter(
        (visit["method"], visit["path"], visit["status"], visit["replica"])
        for visit in front.visits_so_far()
        if visit["status"] >= 400 and not gone(visit)
    )
    assert not failed, "pages, forms and sockets found somebody"
    assert not [answer for answer in answers if answer >= 400]
    silence = max(max(client.silences) for client in listeners)
    longest = max(max(client.ack_seconds) for client in crowd.clients)
    tell(
        f"{rounds} rounds, {len(answers)} pages and forms; longest silence {silence:.2f} s, "
        f"longest wait for an answer {longest:.2f} s"
    )
    forms = sum(answer == 303 for answer in answers)
    await verify(crowd, postgresql_url, strangers=forms)
