"""The embedded database: one process, one writer, readers who never wait, a log that stays short."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from chatapp import sqlite_file
from chatapp.database import Database, Transaction
from chatapp.reading import READERS
from chatapp.settings import Settings
from chatapp.sqlite_file import LOG_MOST, AlreadyOpen
from chatapp.tables import facts
from tests.domain import world
from tests.test_database import fact, known, put

MEGABYTE = 1024 * 1024


@pytest.fixture
async def on_sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    async with world.opened(sqlite_url) as database:
        yield database


async def test_sqlite_syncs_each_commit_and_checks_references(on_sqlite):
    async def pragma(where: Database | Transaction, name: str) -> Any:
        return await where.fetch_value(text(f"PRAGMA {name}"))

    async with on_sqlite.transaction() as tx:
        assert await pragma(tx, "journal_mode") == "wal"
        assert await pragma(tx, "synchronous") == 2, "FULL: a commit survives a power cut"
        assert await pragma(tx, "foreign_keys") == 1
        assert await pragma(tx, "busy_timeout") >= 1000
    assert await pragma(on_sqlite, "journal_mode") == "wal"


async def test_sqlite_readers_cannot_write(on_sqlite):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await on_sqlite.fetch_all(fact("one"))


async def test_fifty_reads_at_once_share_four_connections(on_sqlite, monkeypatch):
    import aiosqlite

    made = []
    connect = aiosqlite.connect

    def counted(*given: Any, **named: Any) -> Any:
        made.append(given)
        return connect(*given, **named)

    monkeypatch.setattr("aiosqlite.connect", counted)
    await asyncio.gather(*(known(on_sqlite, "epoch") for _ in range(50)))
    assert 1 <= len(made) <= READERS
    await asyncio.gather(*(known(on_sqlite, "epoch") for _ in range(50)))
    assert len(made) <= READERS, "they are kept"


async def test_reads_go_on_while_something_is_being_written(on_sqlite):
    async with on_sqlite.transaction() as tx:
        await tx.execute(fact("one"))
        async with asyncio.timeout(2):
            assert await known(on_sqlite, "one") is None


async def test_sqlite_is_for_one_process(on_sqlite, sqlite_url):
    other = Database(Settings.from_env({"DATABASE_URL": sqlite_url}))
    with pytest.raises(AlreadyOpen, match="Another process already serves"):
        await other.connect()
    await on_sqlite.disconnect()
    await other.connect()
    assert await known(other, "epoch")
    await other.disconnect()


@pytest.mark.parametrize("folder", ["with space", "100%41", "a#b", "a?b=c", "日本"])
async def test_reading_and_writing_mean_the_same_file(make_site, tmp_path, folder):
    """Signs that have a meaning in addresses may stand in the name of a folder."""
    data = tmp_path / folder
    site = await make_site(DATA_DIR=str(data))
    database = site.app.state.services.database
    await put(database, "one")
    assert await known(database, "one") == "x"
    assert (data / "chatapp.db").stat().st_size > 0
    assert {file.name.split(".")[0] for file in data.iterdir()} == {
        "chatapp",
        "secret_key",
        "files",
    }


async def test_nobody_writes_between_the_reading_and_the_writing_of_a_transaction(
    on_sqlite, tmp_path
):
    """Not even another program. With a deferred BEGIN it could, and our transaction would fail."""
    await put(on_sqlite, "one", "1")
    file = tmp_path / "sqlite" / "chatapp.db"
    with closing(sqlite3.connect(file, timeout=0)) as other:
        async with on_sqlite.transaction() as tx:
            assert await tx.fetch_value(select(facts.c.value).where(facts.c.name == "one")) == "1"
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("UPDATE facts SET value = '2' WHERE name = 'one'")
            await tx.execute(update(facts).where(facts.c.name == "one").values(value="3"))
    assert await known(on_sqlite, "one") == "3"


def log_of(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///") + "-wal")


def somebody_reads(sqlite_url: str) -> sqlite3.Connection:
    """As of this moment, from outside."""
    reader = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM facts").fetchone()
    return reader


async def until_the_log_is_long(database: Database, sqlite_url: str) -> None:
    number = 0
    while log_of(sqlite_url).stat().st_size <= LOG_MOST:
        number += 1
        await put(database, f"long {number}", "x" * MEGABYTE)


async def test_a_log_that_grew_under_readers_is_begun_anew_when_the_last_of_them_ends(
    on_sqlite, sqlite_url
):
    """SQLite alone would wait for a moment when nobody reads. Here the next one begins before the first has ended."""
    with closing(somebody_reads(sqlite_url)) as first:
        await until_the_log_is_long(on_sqlite, sqlite_url)
        with closing(somebody_reads(sqlite_url)) as second:
            writing = asyncio.create_task(put(on_sqlite, "one"))
            await asyncio.wait({writing}, timeout=0.2)
            assert not writing.done(), "it waits for both"
            first.rollback()
            second.rollback()
            await writing
    assert log_of(sqlite_url).stat().st_size < MEGABYTE
    assert await known(on_sqlite, "one") == "x"
    async with on_sqlite.transaction() as tx:
        assert await tx.fetch_value(text("PRAGMA busy_timeout")) == 5000, "as before"


async def test_a_reader_who_stays_holds_a_writer_up_once_and_then_no_more(
    on_sqlite, sqlite_url, monkeypatch, caplog
):
    monkeypatch.setattr(sqlite_file, "_LOG_WAIT", 100)
    with closing(somebody_reads(sqlite_url)):
        await until_the_log_is_long(on_sqlite, sqlite_url)
        for number in range(3):
            await put(on_sqlite, f"after {number}")
    told = [record for record in caplog.records if "the log of SQLite grows" in record.message]
    assert len(told) == 1
    await put(on_sqlite, "one")
    assert await known(on_sqlite, "one") == "x"
