"""The one file of the embedded database: held by one process, written over one connection, its log kept short."""

import contextlib
import fcntl
import logging
import sqlite3
import time
from pathlib import Path
from typing import IO, Any, Final

import aiosqlite
from sqlalchemy import event, pool
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatapp.reading import SQLITE_PRAGMAS, STATEMENT_SECONDS

LOG_MOST: Final = 24 * 1024 * 1024  # bytes: a longer log is written into the database at once
LOG_PAUSE: Final = (
    5.0  # seconds between two tries: while somebody reads on and on, people can write
)
_LOG_WAIT: Final = (
    4000  # milliseconds for the readers of the log to end; below `OLDEST_SECONDS` of the writer
)

log = logging.getLogger(__name__)


class AlreadyOpen(RuntimeError):
    """A second process wants the same SQLite database."""


class SqliteFile:
    """Owner of the file's lock and of the length of its write-ahead log."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()  # the same file under another name must meet the same lock
        self._log = self.path.with_name(self.path.name + "-wal")
        self._lock: IO[str] | None = None
        self._not_before = 0.0

    def hold(self) -> None:
        """Raises `AlreadyOpen` when another process has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = self.path.with_name(self.path.name + ".lock").open("w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise AlreadyOpen(
                f"Another process already serves {self.path}. SQLite is for one process; "
                "set DATABASE_URL to a PostgreSQL database to run several."
            ) from None
        self._lock = lock

    def let_go(self) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None

    def engine(self) -> AsyncEngine:
        engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(self.path)),
            poolclass=pool.AsyncAdaptedQueuePool,  # one writer: SQLite has room for no more
            pool_size=1,
            max_overflow=0,
            pool_timeout=STATEMENT_SECONDS,
            pool_reset_on_return=None,  # `Database.transaction` has ended it
            hide_parameters=True,
        )
        event.listen(engine.sync_engine, "connect", _set_pragmas)
        event.listen(engine.sync_engine, "begin", _begin_immediate)
        event.listen(engine.sync_engine, "invalidate", _roll_back)
        return engine

    async def shorten_log(self, writer: aiosqlite.Connection) -> None:
        """Has a log that became too long written into the database, and begun anew. MUST run between transactions.

        SQLite does so by itself, but not while anybody reads: with readers that overlap for ever, the log would grow
        for ever. This keeps writers out until those who read the log have ended (new ones read the database alone,
        https://sqlite.org/wal.html#avoiding_excessively_large_wal_files). A reader who stays longer than `_LOG_WAIT`
        is left alone, and the log is tried again after `LOG_PAUSE`.
        """
        if self._size() <= LOG_MOST or time.monotonic() < self._not_before:
            return
        await writer.execute(f"PRAGMA busy_timeout={_LOG_WAIT}")
        try:
            ((busy, _, _),) = await writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            await writer.execute(_BUSY_TIMEOUT)
        if busy:
            self._not_before = time.monotonic() + LOG_PAUSE
            log.warning(
                "somebody reads and reads: the log of SQLite grows", extra={"bytes": self._size()}
            )

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except FileNotFoundError:  # nothing was ever written
            return 0


_BUSY_TIMEOUT: Final = next(pragma for pragma in SQLITE_PRAGMAS if "busy_timeout" in pragma)


def _set_pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours: see _begin_immediate
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    """A deferred BEGIN that reads and then writes fails at once when another wrote in between. By the driver itself:
    the engine would go to its thread and back five times."""
    connection.connection.dbapi_connection.run_async(
        lambda driver: driver.execute("BEGIN IMMEDIATE")
    )


def _roll_back(connection: Any, _record: object, _error: object) -> None:
    """Before a connection is thrown away: a statement that was cancelled under way may outlive it, and with it the
    lock that keeps everybody else from writing."""
    with contextlib.suppress(sqlite3.Error, ValueError):
        connection.rollback()
