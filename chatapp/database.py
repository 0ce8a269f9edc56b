"""The one door to SQL: reads over `reading.py`, transactions on connections of our own.

A transaction never runs on a connection of `databases`: there a COMMIT that fails keeps its connection for good.
Ours take a connection per use, always return it, and say which of three ways they ended: committed, not committed
(an exception), or unknown (`CommitUnknown`).
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import aiosqlite
from sqlalchemy import Executable, select, text
from sqlalchemy.engine import CursorResult, make_url
from sqlalchemy.exc import (
    DBAPIError,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import ClauseElement

from chatapp.reading import (
    STATEMENT_SECONDS,
    InWords,
    Reads,
    Snapshot,
    first,
    first_value,
)
from chatapp.security import new_token
from chatapp.settings import Settings
from chatapp.sqlite_file import SqliteFile
from chatapp.trouble import is_answer, is_worth_retrying


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

    def part(self) -> AbstractAsyncContextManager[object]:
        """A part that is undone by itself when it raises (a savepoint)."""
        return self.connection.begin_nested()

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
        self._name = f"chatapp {new_token()[:12]}"  # tells processes apart
        self._file = SqliteFile(settings.sqlite_path) if settings.is_sqlite else None
        self._reads = (
            Reads.sqlite(self._file.path)
            if self._file is not None
            else Reads.postgresql(settings.database_url, settings.database_pool, self._name)
        )
        self._engine = self._make_engine()

    # -- life -----------------------------------------------------------------

    async def connect(self) -> None:
        """Raises `AlreadyOpen` when another process has the SQLite file."""
        if self._file is not None:
            self._file.hold()
        await self._reads.connect()

    async def disconnect(self) -> None:
        await self._reads.disconnect()
        await self._engine.dispose()
        if self._file is not None:
            self._file.let_go()

    def _make_engine(self) -> AsyncEngine:
        if self._file is not None:
            return self._file.engine()
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
                    "application_name": self._name,
                    "lock_timeout": "2s",
                    # whoever freezes or is cut off in the middle holds a room no longer than this
                    "idle_in_transaction_session_timeout": "3s",
                },
            },
        )

    # -- reading --------------------------------------------------------------

    async def fetch_all(self, query: ClauseElement) -> Sequence[Any]:
        return await self._reads.fetch_all(query)

    async def fetch_one(self, query: ClauseElement) -> Any:
        return first(await self._reads.fetch_all(query))

    async def fetch_value(self, query: ClauseElement) -> Any:
        return first_value(await self._reads.fetch_all(query))

    async def ask(self, query: InWords, *columns: list[Any]) -> Sequence[Any]:
        return await self._reads.ask(query, *columns)

    def snapshot(self, seconds: float | None = None) -> AbstractAsyncContextManager[Snapshot]:
        """Several reads as of one moment. One that is not over after `seconds` raises `TimeoutError`."""
        return self._reads.snapshot(seconds)

    async def answers(self) -> bool:
        """Whether the database can be read just now."""
        try:
            return bool(await self.fetch_value(select(1)))
        except Exception as error:
            if is_worth_retrying(error):
                return False
            raise

    async def processes(self) -> int:
        """How many processes of ours have this PostgreSQL database open, as far as it lets us see."""
        found = await self.fetch_value(
            text(
                "SELECT count(DISTINCT application_name) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name LIKE 'chatapp %'"
            )
        )
        return int(found)

    # -- writing --------------------------------------------------------------

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commits when the block ends, rolls back when it raises.

        Raises `CommitUnknown` when nobody can tell; any other exception means: nothing was stored.
        """
        async with self._engine.connect() as connection:
            driver = await self._driver_of(connection)
            if self._file is not None and driver is not None:
                await self._file.shorten_log(driver)
            try:
                begun = await connection.begin()
            except asyncio.CancelledError:  # SQLite may begin after nobody waits for it any more
                await _quietly(connection.invalidate())
                raise
            try:
                yield Transaction(connection, driver)
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
                if self.is_sqlite or is_answer(error):
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


async def _quietly(step: Any) -> None:
    """Cleans up after an error that is already being raised; a second one would hide it."""
    try:
        await asyncio.shield(step)
    except (DBAPIError, OSError, TimeoutError, asyncio.CancelledError):
        return


def data_folder(settings: Settings) -> None:
    """Makes the data folder, for its owner only. Raises `OSError` when that cannot be."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if not os.access(settings.data_dir, os.W_OK):
        raise PermissionError(f"The folder {settings.data_dir} cannot be written to.")
