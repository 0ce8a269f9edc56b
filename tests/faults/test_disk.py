"""The disk is full, or somebody keeps reading the file. People wait at worst; nothing acknowledged is lost.

A full disk needs a small tmpfs, and thus the right to mount one: see `tests/support/full_disk.py`.
"""

import asyncio
import random
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from signal import SIGKILL

import asyncpg
import httpx
import pytest

from tests.faults.driver import PASSWORD, Client, Crowd, gather_crowd, stored
from tests.faults.observed import short_and_long, tell, verify
from tests.support import databases, run_folder
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Doomed, Serve
from tests.support.full_disk import SmallDisk
from tests.support.postgres_server import PostgresServer
from tests.support.process import Process

SEED = 20261129
PEOPLE = 6
PATIENCE = 30.0  # seconds for what must happen: the machine may be busy
MEGABYTE = 1024 * 1024
LATER = ("busy", "unknown")  # answers that make people try again
LONG_WORDS = " " + "word " * 500  # 2.5 KB: they fill SQLite's log quickly


# -- people -----------------------------------------------------------------------


@asynccontextmanager
async def conversation(crowd: Crowd, words: str = "") -> AsyncIterator[None]:
    """Everybody talks for the time of the block, and then waits until all they said is stored."""
    enough = asyncio.Event()

    async def talk(client: Client) -> None:
        number = 0
        while not enough.is_set():
            await client.say(f"{client.name}{words}-{number}")
            number += 1
            await asyncio.sleep(client.dice.uniform(0, 0.04))

    async with crowd.here():
        talks = [asyncio.create_task(talk(client)) for client in crowd.clients]
        try:
            yield
            enough.set()
            await asyncio.wait_for(asyncio.gather(*talks), PATIENCE)
        finally:
            for task in talks:
                task.cancel()
            await asyncio.gather(*talks, return_exceptions=True)


async def until(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Waits for something that no event tells of."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


def told(client: Client, *kinds: str) -> int:
    """How many answers of these kinds somebody got."""
    return sum(line[0] in kinds for line in client.journal)


async def everybody_is_told(
    crowd: Crowd, *kinds: str, times: int = 3, seconds: float = PATIENCE
) -> None:
    """Each of them so many times from now on. Nobody is refused meanwhile."""
    wanted = [(client, told(client, *kinds) + times) for client in crowd.clients]

    def are_told() -> bool:
        assert not any(told(client, "refused", "error") for client in crowd.clients)
        return all(told(client, *kinds) >= count for client, count in wanted)

    try:
        await until(are_told, seconds)
    except TimeoutError:
        answers = Counter(line[0] for client in crowd.clients for line in client.journal)
        pytest.fail(f"not everybody was told {kinds} {times} times: {answers}")


async def somebody_is_heard(crowd: Crowd, times: int = 1) -> None:
    """So many words are acknowledged from now on, whoever's they are."""
    wanted = sum(len(client.acked) for client in crowd.clients) + times
    await until(lambda: sum(len(client.acked) for client in crowd.clients) >= wanted)


def assert_nobody_was_refused_or_cut(crowd: Crowd) -> None:
    """To be asked while they are connected: who goes counts the end of their line as well."""
    for client in crowd.clients:
        assert not told(client, "refused", "error"), client.name
        assert not client.closes, client.name


def browser(server: ChatServer, client: Client | None = None) -> httpx.AsyncClient:
    """Of somebody who is signed in, or of a stranger."""
    headers = {"origin": server.url} | ({"cookie": client.cookie} if client else {})
    return httpx.AsyncClient(base_url=server.url, headers=headers, timeout=PATIENCE)


async def becomes(server: ChatServer, status: int) -> None:
    """Until /ready answers so."""
    async with asyncio.timeout(PATIENCE):
        while await asyncio.to_thread(server.status, "/ready") != status:
            await asyncio.sleep(0.05)


# -- F15: a full disk ---------------------------------------------------------------


@pytest.fixture
def small_disk(doomed: Doomed) -> Callable[[int], SmallDisk]:
    """small_disk(megabytes) mounts one. It goes when everything that uses it has stopped."""

    def mount(megabytes: int) -> SmallDisk:
        folder = run_folder.path() / databases.new_name()
        folder.mkdir()
        disk = SmallDisk(folder, megabytes)
        doomed.append(disk.unmount)
        return disk

    return mount


@pytest.fixture
def postgres_disk(small_disk: Callable[[int], SmallDisk]) -> SmallDisk:
    """Fresh, a database takes 46 MB. What is left is room for two more pieces of PostgreSQL's log."""
    return small_disk(96)


@pytest.fixture
def cramped_postgres(postgres_disk: SmallDisk) -> Iterator[PostgresServer]:
    """A PostgreSQL that lies on `postgres_disk`."""
    server = PostgresServer(postgres_disk.folder / "postgres", durable=True)
    server.create()
    server.start()
    yield server
    server.close()


async def an_hour_passes(database_url: str) -> None:
    """Behind the server's back. Whose visit comes next has it written down, and the session lasts longer."""
    statement = "UPDATE sessions SET seen_at = seen_at - 3600000"
    if database_url.startswith("sqlite"):
        path = database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as file, file:
            file.execute(statement)
    else:
        line = await asyncpg.connect(database_url.replace("+asyncpg", ""))
        await line.execute(statement)
        await line.close()


async def pages_open(server: ChatServer, client: Client) -> None:
    """All that can be read is there."""
    room = f"/rooms/{client.room}"
    async with browser(server, client) as person:
        for path in (
            "/rooms",
            room,
            f"{room}?before=4",
            f"{room}/members",
            "/sidebar",
            "/settings",
        ):
            answer = await person.get(path)
            assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"


async def a_stranger_signs_in(server: ChatServer, client: Client) -> int:
    """Which must be written down. What came of it: a status."""
    async with browser(server) as stranger:
        form = {"email": f"{client.name}@f.example", "password": PASSWORD}
        return (await stranger.post("/sign-in", data=form)).status_code


async def assert_acknowledged_is_stored(crowd: Crowd, database_url: str) -> None:
    acknowledged = {key for client in crowd.clients for key in client.acked}
    known = {key for key, _ in (await stored(database_url, crowd.room)).messages.values()}
    assert acknowledged <= known


async def disk_is_full_for_a_while(
    server: ChatServer, disk: SmallDisk, database_url: str, times: int
) -> None:
    """Six people talk, one comes back after an hour just when nothing fits any more. All go on when something does."""
    everybody = await gather_crowd([server.url], PEOPLE + 1, SEED)
    talkers = Crowd(everybody.clients[:-1], everybody.room)
    late = Crowd(everybody.clients[-1:], everybody.room)
    await an_hour_passes(database_url)
    dice = random.Random(SEED)
    async with conversation(talkers), AsyncExitStack() as visits:
        for number in range(times):
            await everybody_is_told(talkers, "ack", times=dice.randint(3, 6))
            await becomes(server, 200)
            with disk.full():
                await everybody_is_told(talkers, *LATER, times=dice.randint(2, 4))
                await becomes(server, 503)
                await pages_open(server, talkers.clients[0])
                await pages_open(server, late.clients[0])
                if not number:
                    await visits.enter_async_context(late.here())
                assert await a_stranger_signs_in(server, talkers.clients[0]) in {303, 503}
                await assert_acknowledged_is_stored(talkers, database_url)
                await everybody_is_told(talkers, *LATER, times=1)
            await recovers(server, talkers)
        assert_nobody_was_refused_or_cut(everybody)
    await verify(everybody, database_url)


async def recovers(server: ChatServer, crowd: Crowd) -> None:
    """People are heard again, and the server is ready."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await somebody_is_heard(crowd)
    tell(f"recovered after {loop.time() - began:.1f} s")
    await becomes(server, 200)


@pytest.mark.expects_errors
@short_and_long("times", 1, 10)
async def test_f15_while_the_disk_under_sqlite_is_full_words_wait(
    serve: Serve, small_disk: Callable[[int], SmallDisk], times: int
) -> None:
    disk = small_disk(16)
    data = disk.folder / "data"
    server = await serve(DATA_DIR=str(data), LIMIT_FACTOR="1000")
    await disk_is_full_for_a_while(server, disk, f"sqlite:///{data}/chatapp.db", times)


@pytest.mark.expects_errors
@short_and_long("times", 1, 10)
async def test_f15_while_the_disk_under_postgresql_is_full_words_wait(
    serve: Serve, cramped_postgres: PostgresServer, postgres_disk: SmallDisk, times: int
) -> None:
    """Its tables cannot grow: it says so and lives on."""
    cramped_postgres.create_database("chat")
    url = cramped_postgres.url("chat")
    server = await serve(DATABASE_URL=url, LIMIT_FACTOR="1000")
    await disk_is_full_for_a_while(server, postgres_disk, url, times)


@pytest.mark.expects_errors
@short_and_long("times", 1, 6)
async def test_f15_postgresql_ends_because_its_log_cannot_grow_and_words_wait(
    serve: Serve, cramped_postgres: PostgresServer, postgres_disk: SmallDisk, times: int
) -> None:
    """Without room for the next piece of its log it gives up, and cannot start before there is some."""
    cramped_postgres.create_database("chat")
    url = cramped_postgres.url("chat")
    server = await serve(DATABASE_URL=url, LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], PEOPLE, SEED + 1)
    async with conversation(crowd):
        for _ in range(times):
            await everybody_is_told(crowd, "ack")
            with postgres_disk.full():
                await asyncio.to_thread(wants_room_for_its_log, cramped_postgres)
                await everybody_is_told(crowd, *LATER)
                await becomes(server, 503)
                async with browser(server, crowd.clients[0]) as person:
                    answer = await person.get(f"/rooms/{crowd.room}")
                    assert answer.status_code in {200, 503}
            await asyncio.to_thread(starts_again, cramped_postgres)
            await recovers(server, crowd)
        assert_nobody_was_refused_or_cut(crowd)
    await verify(crowd, url)


def wants_room_for_its_log(postgres: PostgresServer) -> None:
    """Piece after piece, until it ends or has had enough of them."""
    pid = postgres.pid
    until = time.monotonic() + PATIENCE
    pieces = 0
    while is_up(postgres) and pieces < 20 and time.monotonic() < until:
        try:
            postgres.execute(
                "SELECT pg_logical_emit_message(false, 'a', 'b')", "SELECT pg_switch_wal()"
            )
            pieces += 1
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            time.sleep(0.05)
    if not is_up(postgres):
        run_folder.stopped(pid)


def is_up(postgres: PostgresServer) -> bool:
    return (postgres.folder / "data/postmaster.pid").exists()


def starts_again(postgres: PostgresServer) -> None:
    """Unless it lives on."""
    if not is_up(postgres):
        postgres.start()


@pytest.mark.expects_errors
async def test_f15_a_server_killed_while_the_disk_is_full_starts_when_there_is_room(
    serve: Serve, small_disk: Callable[[int], SmallDisk]
) -> None:
    disk = small_disk(16)
    data = disk.folder / "data"
    server = await serve(DATA_DIR=str(data), LIMIT_FACTOR="1000")
    crowd = await gather_crowd([server.url], PEOPLE, SEED + 2)
    async with conversation(crowd):
        await everybody_is_told(crowd, "ack")
        with disk.full():
            await everybody_is_told(crowd, *LATER)
            await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await recovers(server, crowd)
    await verify(crowd, f"sqlite:///{data}/chatapp.db")


# -- F16: long readers beside the writer of SQLite --------------------------------------


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

        task = asyncio.create_task(watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def assert_nobody_had_to_wait(server: ChatServer, crowd: Crowd) -> None:
    assert_nobody_was_refused_or_cut(crowd)
    assert not any(told(client, *LATER) for client in crowd.clients)
    assert "locked" not in server.log_text()


def database_file(server: ChatServer) -> Path:
    return server.folder / "data" / "chatapp.db"


def database_url_of(server: ChatServer) -> str:
    return f"sqlite:///{database_file(server)}"


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


@pytest.mark.parametrize("name", ["its own", "a linked folder", "a linked file"])
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
