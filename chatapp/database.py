"""The one door to SQL: reads over `reading.py`, transactions on connections of our own.

A transaction never runs on a connection of `databases`: there a COMMIT that fails keeps its connection for good.
Ours take a connection per use, always return it, and say which of three ways they ended: committed, not committed
(an exception), or unknown (`CommitUnknown`).
"""

import asyncio
import contextlib
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import IO, Any, Final, cast
from urllib.parse import unquote

import aiosqlite
import asyncpg
from sqlalchemy import Executable, event, pool, select
from sqlalchemy.engine import URL, CursorResult, make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import ClauseElement

from chatapp.reading import (
    SQLITE_PRAGMAS,
    STATEMENT_SECONDS,
    InWords,
    Reads,
    Snapshot,
    first,
    first_value,
)
from chatapp.settings import Settings

# What asyncpg says of a connection that died under it, in the middle of something or between two things.
_LOST: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)
# Deadlock, serialization failure, lock not available: another try may go through.
_RETRIED_STATES: Final = frozenset({"40P01", "40001", "55P03"})
# Of SQLite's own: another writes, the disk fails or is full, the file cannot be opened.
_SQLITE_TROUBLE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)


class AlreadyOpen(RuntimeError):
    """A second process wants the same SQLite database."""


class CommitUnknown(Exception):
    """The connection was lost, or the task cancelled, while COMMIT was under way: it may have happened."""


class Transaction:
    """One open transaction. Rows have their columns as attributes."""

    def __init__(self, connection: AsyncConnection, driver: aiosqlite.Connection | None) -> None:
        self.connection = connection
        self.is_sqlite = driver is not None
        self._driver = driver  # SQLite's: through the engine a statement goes to its thread and back five times

    async def execute(self, statement: Executable, many: Any = None) -> CursorResult[Any]:
        return await self.connection.execute(statement, many)

    async def fetch_all(self, statement: Executable) -> Sequence[Any]:
        return (await self.connection.execute(statement)).fetchall()

    async def fetch_one(self, statement: Executable) -> Any:
        return (await self.connection.execute(statement)).fetchone()

    async def fetch_value(self, statement: Executable) -> Any:
        return (await self.connection.execute(statement)).scalar()

    async def ask(self, query: InWords, *columns: list[Any]) -> Sequence[Any]:
        sql, values = query.parts(columns, is_sqlite=self.is_sqlite)
        if self._driver is not None:
            return list(await self._driver.execute_fetchall(sql, values))
        return (await self.connection.exec_driver_sql(sql, values)).fetchall()

    async def change(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Carries out a change in the database's own words for each of some rows."""
        if self._driver is not None:
            await self._driver.executemany(sql, rows)
        else:
            await self.connection.exec_driver_sql(sql, rows[0] if len(rows) == 1 else rows)


class Database:
    """Reads anywhere with `fetch_*`, writes inside `transaction()`. Built once, by the composition root."""

    def __init__(self, settings: Settings) -> None:
        self.is_sqlite = settings.is_sqlite
        self._settings = settings
        self._path = (
            # resolved: the same file under another name must meet the same lock
            Path(unquote(settings.database_url.removeprefix("sqlite:///"))).resolve()
            if settings.is_sqlite
            else None
        )
        self._lock_file: IO[str] | None = None
        self._reads = (
            Reads.sqlite(self._path)
            if self._path is not None
            else Reads.postgresql(settings.database_url, settings.database_pool)
        )
        self._engine = self._make_engine()

    # -- life -----------------------------------------------------------------

    async def connect(self) -> None:
        """Raises `AlreadyOpen` when another process has the SQLite file."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock(self._path)
        await self._reads.connect()

    async def disconnect(self) -> None:
        await self._reads.disconnect()
        await self._engine.dispose()
        if self._lock_file:
            self._lock_file.close()
            self._lock_file = None

    def _take_lock(self, path: Path) -> None:
        self._lock_file = (path.parent / (path.name + ".lock")).open("w", encoding="ascii")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock_file.close()
            self._lock_file = None
            raise AlreadyOpen(
                f"Another process already serves {path}. SQLite is for one process; "
                "set DATABASE_URL to a PostgreSQL database to run several."
            ) from None

    def _make_engine(self) -> AsyncEngine:
        if self._path is None:
            return create_async_engine(
                make_url(self._settings.database_url).set(drivername="postgresql+asyncpg"),
                pool_size=self._settings.database_pool,
                max_overflow=0,
                pool_timeout=STATEMENT_SECONDS,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args={
                    "command_timeout": STATEMENT_SECONDS,
                    "timeout": 5,
                    "server_settings": {
                        "application_name": "chatapp",
                        "lock_timeout": "2s",
                        "idle_in_transaction_session_timeout": "10s",
                    },
                },
            )
        engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(self._path)),
            poolclass=pool.AsyncAdaptedQueuePool,  # one writer: SQLite has room for no more
            pool_size=1,
            max_overflow=0,
            pool_timeout=STATEMENT_SECONDS,
            hide_parameters=True,
        )
        event.listen(engine.sync_engine, "connect", _set_pragmas)
        event.listen(engine.sync_engine, "begin", _begin_immediate)
        event.listen(engine.sync_engine, "invalidate", _roll_back)
        return engine

    # -- reading --------------------------------------------------------------

    async def fetch_all(self, query: ClauseElement) -> Sequence[Any]:
        return await self._reads.fetch_all(query)

    async def fetch_one(self, query: ClauseElement) -> Any:
        return first(await self._reads.fetch_all(query))

    async def fetch_value(self, query: ClauseElement) -> Any:
        return first_value(await self._reads.fetch_all(query))

    async def ask(self, query: InWords, *columns: list[Any]) -> Sequence[Any]:
        return await self._reads.ask(query, *columns)

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Several reads as of one moment."""
        return self._reads.snapshot()

    async def answers(self) -> bool:
        """Whether the database can be read just now."""
        try:
            return bool(await self.fetch_value(select(1)))
        except Exception as error:
            if is_worth_retrying(error):
                return False
            raise

    # -- writing --------------------------------------------------------------

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commits when the block ends, rolls back when it raises.

        Raises `CommitUnknown` when nobody can tell; any other exception means: nothing was stored.
        """
        async with self._engine.connect() as connection:
            begun = await connection.begin()
            try:
                yield Transaction(connection, await self._driver_of(connection))
            except BaseException:
                await _quietly(begun.rollback())
                raise
            try:
                await begun.commit()
            except asyncio.CancelledError as error:
                await _quietly(connection.invalidate())
                raise CommitUnknown from error
            except Exception as error:
                await _quietly(connection.invalidate())
                if self.is_sqlite or _is_answer(error):
                    raise
                raise CommitUnknown from error

    async def _driver_of(self, connection: AsyncConnection) -> aiosqlite.Connection | None:
        if not self.is_sqlite:
            return None
        return cast(
            "aiosqlite.Connection", (await connection.get_raw_connection()).driver_connection
        )

    @property
    def engine(self) -> AsyncEngine:
        """For migrations only."""
        return self._engine


def is_conflict(error: BaseException) -> bool:
    """Whether a statement broke a unique or foreign key or a check."""
    return isinstance(error, IntegrityError)


def is_data_error(error: BaseException) -> bool:
    """Whether a statement's values were at fault: they will never be taken, whatever else is in the transaction."""
    # asyncpg counts a value that it cannot send among the errors of its interface.
    cause = getattr(getattr(error, "orig", None), "__cause__", None)
    if isinstance(error, DBAPIError) and isinstance(cause, (asyncpg.DataError, ValueError)):
        return True
    state = _state(error)
    kinds = (IntegrityError, DataError, UnicodeError, sqlite3.IntegrityError, sqlite3.DataError)
    return isinstance(error, kinds) or state[:2] in {"22", "23"}


def is_worth_retrying(error: BaseException) -> bool:
    """Whether the same may go through at another time, unchanged: a lost line, a lock, a deadlock, a full disk."""
    if is_data_error(error):
        return False
    if isinstance(error, (OSError, TimeoutError, PoolTimeout, *_LOST)):
        return True
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode & 0xFF in _SQLITE_TROUBLE
    if isinstance(error, DBAPIError) and (
        error.connection_invalidated or isinstance(error, (InterfaceError, OperationalError))
    ):
        return True
    state = _state(error)
    # XX is PostgreSQL's own trouble: one that crashed on a full disk takes nobody in, and says so with XX000.
    return state in _RETRIED_STATES or state[:2] in {"08", "53", "57", "58", "XX"}


def _state(error: BaseException) -> str:
    """PostgreSQL's five-letter code for an error, whichever library wraps it; '' when there is none."""
    for each in (error, getattr(error, "orig", None)):
        if state := getattr(each, "sqlstate", None):
            return str(state)
    return ""


def _is_answer(error: Exception) -> bool:
    """Whether the server itself said that COMMIT failed, so that nothing is unknown."""
    state = _state(error)
    return bool(state) and state[:2] not in {"08", "57"}


async def _quietly(step: Any) -> None:
    """Cleans up after an error that is already being raised; a second one would hide it."""
    try:
        await asyncio.shield(step)
    except (DBAPIError, OSError, TimeoutError, asyncio.CancelledError):
        return


def _set_pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours: see _begin_immediate
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    """A deferred BEGIN that reads and then writes fails at once when another wrote in between."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _roll_back(connection: Any, _record: object, _error: object) -> None:
    """Before a connection is thrown away: a statement that was cancelled under way may outlive it, and with it the
    lock that keeps everybody else from writing."""
    with contextlib.suppress(sqlite3.Error, ValueError):
        connection.rollback()


def data_folder(settings: Settings) -> None:
    """Makes the data folder, for its owner only. Raises `OSError` when that cannot be."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if not os.access(settings.data_dir, os.W_OK):
        raise PermissionError(f"The folder {settings.data_dir} cannot be written to.")
