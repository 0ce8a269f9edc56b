"""F15: the disk is full. People wait at worst; nothing acknowledged is lost.

Needs a small tmpfs, and thus the right to mount one: see `tests/support/full_disk.py`.
"""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing

import asyncpg
import pytest

from tests.faults.driver import PASSWORD, Client, Crowd, gather_crowd
from tests.faults.talks import (
    LATER,
    PATIENCE,
    assert_nobody_was_refused_or_cut,
    becomes,
    browser,
    conversation,
    everybody_is_told,
    recovers,
)
from tests.faults.verdict import short_and_long, stored, verify
from tests.support import databases, run_folder
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Doomed, Serve
from tests.support.full_disk import SmallDisk
from tests.support.postgres_server import PostgresServer

SEED = 20261129
PEOPLE = 6


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
    """Fresh, a database takes 46 MB. What is left is room for the pieces of its log that PostgreSQL leaves behind each
    time it ends for want of the next one."""
    return small_disk(256)


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


@pytest.mark.expects_errors
@short_and_long("times", 1, 10)
async def test_f15_while_the_disk_under_sqlite_is_full_words_wait(
    serve: Serve, small_disk: Callable[[int], SmallDisk], times: int
) -> None:
    disk = small_disk(16)
    data = disk.folder / "data"
    server = await serve(DATA_DIR=str(data), LIMIT_FACTOR="1000")
    await disk_is_full_for_a_while(server, disk, f"sqlite:///{data}/chatapp.db", times)


@pytest.mark.faults
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


@pytest.mark.faults
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
                await asyncio.to_thread(ends_for_want_of_log, cramped_postgres)
                await everybody_is_told(crowd, *LATER)
                await everything_is_busy(server, crowd.clients[0])
            await asyncio.to_thread(cramped_postgres.start)
            await recovers(server, crowd)
        assert_nobody_was_refused_or_cut(crowd)
    await verify(crowd, url)


def ends_for_want_of_log(postgres: PostgresServer) -> None:
    """Takes piece after piece of the log, until there is no room for another."""
    pid = postgres.pid
    until = time.monotonic() + PATIENCE
    while (postgres.folder / "data/postmaster.pid").exists():
        assert time.monotonic() < until, "PostgreSQL has room for its log"
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            postgres.execute(
                "SELECT pg_logical_emit_message(false, 'a', 'b')",
                "SELECT pg_switch_wal()",
                database="chat",
            )
    run_folder.stopped(pid)


async def everything_is_busy(server: ChatServer, client: Client) -> None:
    """And says so: nothing is taken for a fault of ours."""
    await becomes(server, 503)
    async with browser(server, client) as person:
        for path in ("/rooms", f"/rooms/{client.room}"):
            answer = await person.get(path)
            assert answer.status_code == 503, f"{path}: {answer.status_code} {answer.text[:500]}"


@pytest.mark.faults
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
