"""The writer stands still and the queue fills up: whoever pours in most is refused first, the others are told to come
again, nobody is cut off, nothing is lost, and nobody waits longer than the rest when it goes on."""

import asyncio
import contextlib
import json
import os
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from chatapp.realtime.writer import OLDEST_SECONDS, QUEUE_MOST, USER_SHARE
from tests.faults.driver import Client, Crowd, gather_crowd
from tests.faults.observed import Observed
from tests.faults.verdict import short_and_long, stored, tell, verify
from tests.support.fixtures import Serve
from tests.support.postgres_server import PostgresServer

SEED = 20261129
FLOOD = USER_SHARE + 200
NOISE_SECONDS = 2.0  # what a busy machine may add to anybody's wait
RSS_MOST = 100 * 1024 * 1024  # bytes more than before


@dataclass(frozen=True)
class Freezer:
    """A database, and a way to make it stand still for the time of a block."""

    url: str
    stands_still: Callable[[], AbstractContextManager[None]]


def sqlite_freezer(url: str) -> Freezer:
    """Somebody else writes and does not come to an end."""

    @contextmanager
    def stands_still() -> Iterator[None]:
        path = url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    return Freezer(url, stands_still)


def postgresql_freezer(server: PostgresServer) -> Freezer:
    @contextmanager
    def stands_still() -> Iterator[None]:
        server.pause()
        try:
            yield
        finally:
            server.resume()

    server.create_database("chat")
    return Freezer(server.url("chat"), stands_still)


@pytest.fixture(params=["sqlite", "postgresql"])
def freezer(request: pytest.FixtureRequest) -> Freezer:
    if request.param == "sqlite":
        return sqlite_freezer(request.getfixturevalue("sqlite_url"))
    return postgresql_freezer(request.getfixturevalue("own_postgres"))


@dataclass
class Pourer:
    """Somebody who posts without waiting for answers. `answers`: key → the answer, once there is one."""

    name: str
    room: int
    line: ClientConnection
    sent: dict[str, str] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    round_trips: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        try:
            async for text in self.line:
                frame = json.loads(text)
                if frame["type"] == "error":
                    self.round_trips += 1
                elif "key" in frame:
                    self.answers[frame["key"]] = frame
                self._news.set()
        finally:
            self._news.set()  # whoever waits learns that the line is gone

    async def pour(self, count: int, filling: str = "") -> None:
        for _ in range(count):
            key, words = str(uuid.uuid4()), f"{self.name}{filling}-{len(self.sent)}"
            self.sent[key] = words
            frame = {"type": "post", "room": self.room, "key": key, "body": words}
            await self.line.send(json.dumps(frame, ensure_ascii=False))

    async def all_taken(self) -> None:
        """Until the server has read all that was sent, and refused what it refuses: frames are taken in order, and
        nonsense is answered at once. A writer that was idle has then begun with the first post."""
        wanted = self.round_trips + 1
        await self.line.send('{"type":"dance"}')
        await self.until(lambda: self.round_trips >= wanted)

    async def until(self, come_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not come_true():
                assert self.line.close_code is None, "somebody was cut off for pouring"
                self._news.clear()
                await self._news.wait()

    async def all_answered(self) -> None:
        await self.until(lambda: self.answers.keys() == self.sent.keys())

    def told(self, kind: str) -> set[str]:
        return {key for key, answer in self.answers.items() if answer["type"] == kind}


@asynccontextmanager
async def pouring(client: Client) -> AsyncIterator[Pourer]:
    """`client` at the server, following no room."""
    async with websockets.connect(
        client.url.replace("http", "ws") + "/ws",
        additional_headers={"Cookie": client.cookie},
        origin=websockets.Origin(client.url),
        compression=None,
        max_queue=None,
    ) as line:
        pourer = Pourer(client.name, client.room, line)
        listening = asyncio.create_task(pourer.listen())
        try:
            await pourer.all_taken()  # nothing at its beginning waits for the database any more
            yield pourer
            assert line.close_code is None, "somebody was cut off for pouring"
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def check_poured(pourer: Pourer, database_url: str) -> int:
    """What was acknowledged is stored under its number, what was refused is not. Returns how many are stored."""
    room = await stored(database_url, pourer.room)
    numbers = {key: seq for seq, (key, _) in room.messages.items() if key in pourer.sent}
    acked = {key: pourer.answers[key]["seq"] for key in pourer.told("ack")}
    assert acked.items() <= numbers.items(), "lost"
    assert not pourer.told("busy") & numbers.keys(), "refused and stored all the same"
    assert numbers.keys() <= pourer.told("ack") | pourer.told("unknown")
    return len(numbers)


@pytest.mark.expects_errors
@short_and_long("seconds", 0, 25)
async def test_f12_while_the_writer_stands_still_a_flooder_is_refused_and_nobody_else_suffers(
    serve: Serve, freezer: Freezer, seconds: float
) -> None:
    """It stands still until everybody was told to come again (a bit more than 5 s), and `seconds` longer."""
    server = await serve(DATABASE_URL=freezer.url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], 7, SEED)
    flooder = crowd.clients.pop()
    quiet, *people = everybody = [Observed.of(client) for client in crowd.clients]
    crowd = Crowd([*everybody], crowd.room)
    loop = asyncio.get_running_loop()

    async def heard_at(person: Observed, words: str) -> float:
        await person.say(words)
        return loop.time()

    async with crowd.here(), pouring(flooder) as flood:
        with freezer.stands_still():
            await flood.pour(1)
            await flood.all_taken()  # the writer holds this one: what follows queues behind it
            poured_at = loop.time()
            await flood.pour(FLOOD)
            await flood.all_taken()
            assert len(flood.told("busy")) >= FLOOD - USER_SHARE
            speaking = [asyncio.create_task(heard_at(person, "may I?")) for person in people]
            async with asyncio.timeout(30):
                await asyncio.gather(*(person.told_to_wait.wait() for person in people))
            assert min(person.told_at for person in people) - poured_at > OLDEST_SECONDS
            asked_at = loop.time()
            speaking.append(asyncio.create_task(heard_at(quiet, "for once")))
            await asyncio.wait_for(quiet.told_to_wait.wait(), 30)
            refused_after = quiet.told_at - asked_at
            await asyncio.sleep(seconds)
            assert not any(task.done() for task in speaking)
            assert not flood.told("ack")
            first = set(flood.sent)
        goes_on_at = loop.time()
        await flood.pour(FLOOD)
        *waits, quiet_wait = [
            at - goes_on_at for at in await asyncio.wait_for(asyncio.gather(*speaking), 90)
        ]
        await flood.all_answered()
        assert len(first & flood.told("ack")) <= 1 + USER_SHARE
        told = [flood.answers[key]["retry_after"] for key in flood.told("busy")]
        told += [wait for person in everybody for wait in person.waits]
        assert all(0 < wait <= 5 for wait in told)
        await asyncio.gather(*(person.talk(2) for person in everybody))
        assert not any(person.closes for person in everybody), "somebody was cut off"
    stored_flood = await check_poured(flood, freezer.url)
    assert quiet_wait < 2 * median(waits) + NOISE_SECONDS
    tell(
        f"f12: of {FLOOD} posts in one go {FLOOD - USER_SHARE} were refused; the others were told to wait"
        f" {min(p.told_at for p in people) - poured_at:.2f} s after, the quiet one within {refused_after:.3f} s;"
        f" {len(told)} times busy;"
        f" wait after it went on: quiet {quiet_wait:.2f} s, crowd {median(waits):.2f} s (median),"
        f" {max(waits):.2f} s (longest)"
    )
    await verify(crowd, freezer.url, strangers=stored_flood)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells")
@pytest.mark.parametrize(
    "filling", ["", pytest.param("😀" * 800, marks=pytest.mark.faults)], ids=["words", "emoji"]
)
@short_and_long("people", 5, QUEUE_MOST // USER_SHARE + 1)
async def test_f12_a_full_queue_has_room_in_memory(
    serve: Serve, sqlite_url: str, people: int, filling: str
) -> None:
    """Everybody pours in their share while the writer stands still; in the long form that is one share too many.
    With 800 emoji a message, the queue is as heavy as it may become."""
    freezer = sqlite_freezer(sqlite_url)
    server = await serve(DATABASE_URL=sqlite_url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], people, SEED + 1)
    async with contextlib.AsyncExitStack() as lines:
        pourers = [await lines.enter_async_context(pouring(client)) for client in crowd.clients]
        await pourers[0].pour(1)
        await pourers[0].all_answered()
        before = rss(server.pid)
        with freezer.stands_still():
            await pourers[0].pour(1)
            await pourers[0].all_taken()
            await asyncio.gather(*(pourer.pour(USER_SHARE, filling) for pourer in pourers))
            await asyncio.gather(*(pourer.all_taken() for pourer in pourers))
            full = rss(server.pid)
            refused = sum(len(pourer.told("busy")) for pourer in pourers)
        queued = people * USER_SHARE - refused
        assert queued <= QUEUE_MOST
        await asyncio.gather(*(pourer.all_answered() for pourer in pourers))
        after = rss(server.pid)
    for pourer in pourers:
        assert len(pourer.told("ack") | pourer.told("busy")) == len(pourer.sent)
        await check_poured(pourer, sqlite_url)
    mega = 1024 * 1024
    tell(
        f"f12: {queued} posts queued, {refused} refused: {(full - before) / mega:+.1f} MB"
        f" ({(full - before) / max(queued, 1) / 1024:.1f} KB each) over {before / mega:.0f} MB,"
        f" {(after - before) / mega:+.1f} MB when all were stored"
    )
    assert full - before < RSS_MOST


def rss(pid: int) -> int:
    """Bytes of memory that the process has in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
