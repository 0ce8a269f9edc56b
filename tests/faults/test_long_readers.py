"""F16: somebody keeps reading SQLite's file, the server is killed, a second one comes. Nobody has to wait."""

import asyncio
import random
import sqlite3
import subprocess
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from signal import SIGKILL

import pytest

from tests.faults.driver import Client, Crowd, gather_crowd
from tests.faults.talks import (
    LATER,
    PATIENCE,
    assert_nobody_was_refused_or_cut,
    becomes,
    browser,
    conversation,
    everybody_is_told,
    recovers,
    somebody_is_heard,
    told,
    until,
)
from tests.faults.verdict import short_and_long, tell, verify
from tests.support.beside import beside
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Serve
from tests.support.process import Process

SEED = 20261129
PEOPLE = 6
MEGABYTE = 1024 * 1024
LONG_WORDS = " " + "word " * 500  # 2.5 KB: they fill SQLite's log quickly


@asynccontextmanager
async def outsiders_read(
    file: Path, count: int, most_seconds: float = 1.5
) -> AsyncIterator[list[int]]:
    """Other programs read the database, each for a second or so as of one moment, again and again, so that at all
    times some are at it. Yields how often each has read."""
    done = [0] * count
    enough = threading.Event()

    def read(number: int) -> None:
        dice = random.Random(SEED + number)
        while not enough.is_set():
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as line:
                line.execute("BEGIN")
                first = scan(line)
                enough.wait(dice.uniform(0.3, most_seconds))
                assert scan(line) == first
            done[number] += 1

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(count) as threads:
        readers = [loop.run_in_executor(threads, read, number) for number in range(count)]
        try:
            yield done
        finally:
            enough.set()
            await asyncio.gather(*readers)


def scan(line: sqlite3.Connection) -> tuple[int, int, int]:
    """Through all messages, by their table and by an index."""
    found: tuple[int, int, int] = line.execute(
        "SELECT count(*), sum(length(body)), (SELECT count(DISTINCT author_id) FROM messages) "
        "FROM messages"
    ).fetchone()
    return found


@asynccontextmanager
async def people_read(server: ChatServer, clients: list[Client]) -> AsyncIterator[list[int]]:
    """Some page through the room. Yields how many pages each was given."""
    done = [0] * len(clients)
    enough = asyncio.Event()

    async def read(number: int) -> None:
        client = clients[number]
        room = f"/rooms/{client.room}"
        async with browser(server, client) as person:
            while not enough.is_set():
                before = client.dice.randint(1, max(1, client.seq))
                for path in (room, f"{room}/messages?before={before}", f"{room}?around={before}"):
                    answer = await person.get(path, headers={"hx-request": "true"})
                    assert answer.status_code == 200, f"{path}: {answer.text[:500]}"
                    done[number] += 1
                await asyncio.sleep(client.dice.uniform(0, 0.2))

    readers = [asyncio.create_task(read(number)) for number in range(len(clients))]
    try:
        yield done
    finally:
        enough.set()
        await asyncio.gather(*readers)


class Log:
    """SQLite's write-ahead log. It grows until all of it is in the database and nobody reads it; then it is written
    anew from its start, under another salt. The file itself need not become shorter."""

    def __init__(self, database: Path) -> None:
        self._file = database.with_name(database.name + "-wal")
        self.most = 0

    def size(self) -> int:
        size = self._file.stat().st_size
        self.most = max(self.most, size)
        return size

    def salt(self) -> bytes:
        with self._file.open("rb") as file:
            return file.read(24)[16:]

    async def is_begun_anew(self) -> None:
        salt = self.salt()
        await until(lambda: self.salt() != salt)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Keeps `most` up to date."""

        async def watch() -> None:
            while True:
                self.size()
                await asyncio.sleep(0.02)

        async with beside(watch()):
            yield


def assert_nobody_had_to_wait(server: ChatServer, crowd: Crowd) -> None:
    assert_nobody_was_refused_or_cut(crowd)
    assert not any(told(client, *LATER) for client in crowd.clients)
    assert "locked" not in server.log_text()


def database_file(server: ChatServer) -> Path:
    return server.folder / "data" / "chatapp.db"


def database_url_of(server: ChatServer) -> str:
    return f"sqlite:///{database_file(server)}"


@pytest.mark.faults
@short_and_long("messages", 40, 800)
async def test_f16_eight_long_readers_keep_nobody_from_writing(serve: Serve, messages: int) -> None:
    """Four people page through the room, four programs read the file; all the time some of them are at it."""
    server = await serve(LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], PEOPLE, SEED + 3)
    log = Log(database_file(server))
    async with conversation(crowd, LONG_WORDS), log.watched():
        async with (
            outsiders_read(database_file(server), 4) as scans,
            people_read(server, crowd.clients[:4]) as pages,
        ):
            await everybody_is_told(crowd, "ack", times=messages, seconds=10 * PATIENCE)
            await until(lambda: min(scans) >= 2 and min(pages) >= 6)
        await log.is_begun_anew()
        assert_nobody_had_to_wait(server, crowd)
    tell(f"{sum(scans)} scans, {sum(pages)} pages, the log had {log.most / MEGABYTE:.1f} MB")
    assert log.most < 64 * MEGABYTE
    await verify(crowd, database_url_of(server))


@pytest.mark.faults
async def test_f16_what_a_forgotten_reader_makes_the_log_grow_to_is_used_again(
    serve: Serve,
) -> None:
    """Nothing can be done while somebody looks at how things were. When they go, the log does not grow any more."""
    server = await serve(LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], PEOPLE, SEED + 4)
    log = Log(database_file(server))
    async with conversation(crowd, LONG_WORDS):
        with closing(sqlite3.connect(database_file(server))) as forgotten:
            forgotten.execute("BEGIN")
            before = scan(forgotten)
            await until(lambda: log.size() > 8 * MEGABYTE, 2 * PATIENCE)
            assert scan(forgotten) == before
            grown = log.salt()
        await until(lambda: log.salt() != grown)
        size = log.size()
        await everybody_is_told(crowd, "ack", times=20)
        await log.is_begun_anew()
        assert log.size() <= size
        assert_nobody_had_to_wait(server, crowd)
    tell(f"the log had {log.most / MEGABYTE:.1f} MB")
    await verify(crowd, database_url_of(server))


@pytest.mark.faults
@pytest.mark.expects_errors
@short_and_long("kills", 2, 20)
async def test_f16_the_server_is_killed_among_its_readers(serve: Serve, kills: int) -> None:
    """`verify` has SQLite check the whole file."""
    server = await serve(LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], PEOPLE, SEED + 5)
    dice = random.Random(SEED)
    async with conversation(crowd, LONG_WORDS):
        for number in range(kills):
            async with AsyncExitStack() as readers:
                if number % 2 == 0:  # else nobody is there, and the next start finds the log alone
                    await readers.enter_async_context(outsiders_read(database_file(server), 8))
                await somebody_is_heard(crowd, dice.randint(10, 60))
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
                await recovers(server, crowd)
        for client in crowd.clients:
            assert not told(client, "refused", "error")
    await verify(crowd, database_url_of(server))


@pytest.mark.parametrize(
    "name",
    [
        "its own",
        *(
            pytest.param(f"a linked {each}", marks=pytest.mark.faults)
            for each in ("folder", "file")
        ),
    ],
)
async def test_f16_a_second_server_on_the_same_file_says_why_it_ends_and_does_no_harm(
    serve: Serve, stack: list[Process], tmp_path: Path, name: str
) -> None:
    server = await serve(LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], PEOPLE, SEED + 6)
    file = database_file(server)
    settings = {"DATABASE_URL": f"sqlite:///{file}"}
    if name == "its own":
        settings = {"DATA_DIR": str(file.parent)}
    elif name == "a linked folder":
        (tmp_path / "link").symlink_to(file.parent)
        settings = {"DATA_DIR": str(tmp_path / "link")}
    else:
        (tmp_path / "link").mkdir()
        (tmp_path / "link" / "other.db").symlink_to(file)
        settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/link/other.db"}
    second = ChatServer(tmp_path / "second", **settings)
    stack.append(second)
    async with conversation(crowd), outsiders_read(file, 4):
        await everybody_is_told(crowd, "ack")
        second.start(wait=False)
        try:
            code = await asyncio.to_thread(second.wait, PATIENCE)
        except subprocess.TimeoutExpired:
            pytest.fail("the second server stays", pytrace=False)
        assert code not in {0, -SIGKILL}
        assert "Another process already serves" in second.log_text()
        assert "Traceback" not in second.log_text()
        await everybody_is_told(crowd, "ack")
        await becomes(server, 200)
        assert_nobody_had_to_wait(server, crowd)
    await verify(crowd, database_url_of(server))
