"""INF-03: some read nothing, or a byte now and then, or never answer. Whoever sits beside them notices nothing."""

import asyncio
import re
import sys
from pathlib import Path

import httpx
import pytest

from tests.faults.driver import Client, Crowd, gather_crowd
from tests.faults.talks import PATIENCE, seconds_until, waits
from tests.faults.verdict import tell, verify
from tests.support import run_folder
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Serve
from tests.support.process import Process
from tests.support.raw_line import RawLine

SEED = 20261201
TOKEN = "a-token-that-only-the-monitoring-knows"
LOUD = {"LIMIT_FACTOR": "1000", "METRICS_TOKEN": TOKEN}
HEAVY = "😀" * 3900  # 16 KB: a few hundred fill whatever a line holds on its way
HALF_OPEN = 200
# As `python -m chatapp`, which asks every 15 s and waits for 30.
# Sockets of the older library are not taken over: uvicorn goes on to serve and to ping them.
ASKS_OFTEN = (
    *("uvicorn", "chatapp:app", "--ws", "websockets"),
    *("--ws-ping-interval", "0.5", "--ws-ping-timeout", "2"),
)


async def figures(server: ChatServer) -> dict[str, float]:
    """What monitoring sees of open sockets and of the tasks for them."""
    async with httpx.AsyncClient(timeout=PATIENCE) as monitoring:
        answer = await monitoring.get(
            f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
        )
    found = re.findall(r"^chatapp_(connections|tasks) (\S+)$", answer.text, re.MULTILINE)
    return {name: float(value) for name, value in found}


async def own_tasks(server: ChatServer) -> float:
    """How many tasks it has while nobody is there. One that ends just now is none of them."""
    return min([(await figures(server))["tasks"] for _ in range(3)])


async def is_at_rest(server: ChatServer, sockets: int, tasks: float) -> None:
    """Until monitoring sees that many sockets and tasks."""
    async with asyncio.timeout(PATIENCE):
        while await figures(server) != {"connections": sockets, "tasks": tasks}:
            await asyncio.sleep(0.05)


async def follows(client: Client) -> RawLine:
    """A line of theirs that follows the room; whether anybody reads from it is another question."""
    line = RawLine(client.url, client.cookie)
    await line.connect()
    await line.send(type="watch", room=client.room, cursor=client.cursor)
    return line


@pytest.fixture
async def asks_often(tmp_path: Path, stack: list[Process], sqlite_url: str) -> ChatServer:
    """A server that pings its sockets every half second."""
    port = str(run_folder.free_port())
    command = (sys.executable, "-m", *ASKS_OFTEN, "--port", port)
    server = ChatServer(tmp_path / "often", command, PORT=port, DATABASE_URL=sqlite_url, **LOUD)
    stack.append(server)
    await asyncio.to_thread(server.start)
    return server


@pytest.mark.faults
async def test_readers_who_are_stuck_are_cut_and_have_everything_when_they_come_back(
    serve: Serve, sqlite_url: str
) -> None:
    """Six lines that read nothing, one that reads a byte at a time, and 200 that never finish their handshake."""
    server = await serve(DATABASE_URL=sqlite_url, **LOUD)
    crowd = await gather_crowd([server.url], 5, SEED)
    ann, bob, *others = crowd.clients
    own = await own_tasks(server)
    async with Crowd([ann, bob], crowd.room).here():
        lines = [await follows(client) for client in others for _ in range(2)]
        slow = await follows(others[0])
        reading = asyncio.create_task(slow.reads_slowly())
        half_open = [RawLine(server.url, others[0].cookie) for _ in range(HALF_OPEN)]
        for line in half_open:
            await line.connect(0.8)
        await is_at_rest(server, 2 + 7, own)
        spoken = 0
        delays = []
        while not all(line.was_cut() for line in [*lines, slow]):
            assert spoken < 900, "stuck readers were kept for ever"
            words = [f"{ann.name}-{spoken + number} {HEAVY}" for number in range(20)]
            await asyncio.gather(*map(ann.say, words))
            spoken += len(words)
            delays.append(await seconds_until(asyncio.wait_for(bob.reached(ann.seq), PATIENCE)))
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await asyncio.wait_for(slow.is_ended(), PATIENCE)
        await is_at_rest(server, 2, own)
        assert not ann.closes
        assert not bob.closes
    for line in [*lines, slow, *half_open]:
        line.close()
    tell(
        f"inf-03: {len(lines) + 1} stuck readers were cut after {spoken} messages; stored in"
        f" {waits(Crowd([ann], crowd.room))}, at bob's at most {max(delays):.2f} s later"
    )
    await verify(crowd, sqlite_url)


@pytest.mark.faults
async def test_who_reads_and_never_answers_a_ping_is_given_up_and_misses_nothing(
    asks_often: ChatServer, sqlite_url: str
) -> None:
    crowd = await gather_crowd([asks_often.url], 3, SEED + 1)
    ann, bob, silent = crowd.clients
    own = await own_tasks(asks_often)
    async with Crowd([ann, bob], crowd.room).here():
        line = await follows(silent)
        ended = asyncio.create_task(seconds_until(line.is_ended()))
        number = 0
        while not ended.done():
            await ann.say(f"{ann.name}-{number}")
            await asyncio.wait_for(bob.reached(ann.seq), PATIENCE)
            number += 1
            # Who misses more than a thousand rows has to load the page again.
            await asyncio.sleep(0.01)
        await is_at_rest(asks_often, 2, own + 2)  # each has a task there
    line.close()
    tell(f"inf-03: who answered no ping was given up after {await ended:.1f} s")
    await verify(crowd, sqlite_url)
    assert asks_often.errors() == []
