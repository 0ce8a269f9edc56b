"""Reading, over the connection pools of `databases`.

Of `databases` 0.9 only the pools and connections are used. Its own `fetch_*` fails for SQL with a per cent sign on
SQLite and prints every column of every query again, so statements are compiled here and run on the driver's
connection. On SQLite it opens a connection (and a thread) per task; `_KeptPool` keeps a few open instead.
"""

import asyncio
from collections import namedtuple
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, cast
from urllib.parse import quote

import aiosqlite
import databases
import msgspec
from databases.backends.sqlite import SQLiteBackend, SQLitePool
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite.aiosqlite import dialect as sqlite_dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.util import LRUCache

from chatapp.trouble import is_cut_short

READERS: Final = 4  # SQLite connections kept for reading
STATEMENT_SECONDS: Final = 10
_INTERRUPT_SECONDS: Final = 0.05
# What may take long is planned for the values it has: a plan for any values would read a search's table from its end.
_BOUNDED: Final = "SET LOCAL statement_timeout = {}; SET LOCAL plan_cache_mode = force_custom_plan"

SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # a commit that was acknowledged survives a power cut
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16000",
)


class InWords(NamedTuple):
    """A query in each database's own words, for the few that are asked so often that building them would cost more
    than answering them. It asks about many things at once, given column by column: PostgreSQL gets each column as an
    array ($1, $2 …), SQLite gets all as one JSON text for `json_each`, a list of values or of rows."""

    sqlite: str
    postgresql: str

    def parts(
        self, columns: Sequence[list[Any]], *, is_sqlite: bool
    ) -> tuple[str, tuple[Any, ...]]:
        if not is_sqlite:
            return self.postgresql, tuple(columns)
        rows = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
        return self.sqlite, (msgspec.json.encode(rows).decode(),)


class Reads:
    """Single reads, and several as of one moment (`snapshot`). Rows have their columns as attributes."""

    def __init__(self, database: databases.Database, *, is_sqlite: bool) -> None:
        self._database = database
        self._is_sqlite = is_sqlite

    @classmethod
    def sqlite(cls, path: Path) -> "Reads":
        return cls(_KeptReaders("sqlite:///" + quote(str(path))), is_sqlite=True)

    @classmethod
    def postgresql(cls, url: str, connections: int, name: str) -> "Reads":
        database = databases.Database(
            url,
            min_size=1,
            max_size=connections,
            command_timeout=STATEMENT_SECONDS,
            timeout=5,
            server_settings={
                "application_name": name,
                "statement_timeout": "10s",
                "jit": "off",  # our queries take a few milliseconds, compiling one of them a hundred
            },
        )
        return cls(database, is_sqlite=False)

    async def connect(self) -> None:
        await self._database.connect()

    async def disconnect(self) -> None:
        await self._database.disconnect()

    async def fetch_all(self, query: ClauseElement) -> Sequence[Any]:
        async with self._database.connection() as connection:
            return await self._run(connection.raw_connection, query)

    async def ask(self, query: InWords, *columns: list[Any]) -> Sequence[Any]:
        async with self._database.connection() as connection:
            return await self._ask(connection.raw_connection, query, columns)

    @asynccontextmanager
    async def snapshot(self, seconds: float | None = None) -> AsyncIterator["Snapshot"]:
        """One connection in one read-only transaction. A read not over after `seconds` raises `TimeoutError`."""
        async with self._database.connection() as connection:
            raw = connection.raw_connection
            if self._is_sqlite:
                try:
                    await raw.execute("BEGIN")
                    async with _interrupted(raw, seconds):
                        yield Snapshot(self, raw)
                finally:
                    await raw.rollback()  # also after a BEGIN that was cancelled under way
            else:
                async with raw.transaction(isolation="repeatable_read", readonly=True):
                    if seconds is not None:
                        await raw.execute(_BOUNDED.format(max(1, int(seconds * 1000))))
                    try:
                        yield Snapshot(self, raw)
                    except Exception as error:
                        if seconds is not None and is_cut_short(error):
                            raise TimeoutError from error
                        raise

    async def _ask(self, raw: Any, query: InWords, columns: Sequence[list[Any]]) -> Sequence[Any]:
        sql, values = query.parts(columns, is_sqlite=self._is_sqlite)
        if not self._is_sqlite:
            return cast("Sequence[Any]", await raw.fetch(sql, *values))
        async with raw.execute(sql, values) as cursor:
            return cast("Sequence[Any]", await cursor.fetchall())

    async def _run(self, raw: Any, query: ClauseElement) -> Sequence[Any]:
        sql, values = _compile(query, is_sqlite=self._is_sqlite)
        if self._is_sqlite:
            async with raw.execute(sql, values) as cursor:
                rows = await cursor.fetchall()
                return _rows(tuple(column[0] for column in cursor.description), rows)
        records = await raw.fetch(sql, *values)
        return _rows(tuple(records[0].keys()), records) if records else []


@asynccontextmanager
async def _interrupted(raw: aiosqlite.Connection, seconds: float | None) -> AsyncIterator[None]:
    """Once the time is up, whatever runs on the connection ends with `TimeoutError`."""
    if seconds is None:
        yield
        return
    timer = asyncio.create_task(_interrupt(raw, seconds))
    try:
        yield
    except Exception as error:
        if is_cut_short(error):
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()


async def _interrupt(raw: aiosqlite.Connection, seconds: float) -> None:
    await asyncio.sleep(seconds)
    while True:  # until it is cancelled: the next statement may begin a moment later
        await raw.interrupt()
        await asyncio.sleep(_INTERRUPT_SECONDS)


class Snapshot:
    """What one moment looked like."""

    def __init__(self, reads: Reads, raw: Any) -> None:
        self._reads = reads
        self._raw = raw

    async def fetch_all(self, query: ClauseElement) -> Sequence[Any]:
        return await self._reads._run(self._raw, query)

    async def fetch_one(self, query: ClauseElement) -> Any:
        return first(await self.fetch_all(query))

    async def fetch_value(self, query: ClauseElement) -> Any:
        return first_value(await self.fetch_all(query))

    async def ask(self, query: InWords, *columns: list[Any]) -> Sequence[Any]:
        return await self._reads._ask(self._raw, query, columns)


def first(rows: Sequence[Any]) -> Any:
    return rows[0] if rows else None


def first_value(rows: Sequence[Any]) -> Any:
    return rows[0][0] if rows else None


_SQLITE: Final = sqlite_dialect(paramstyle="qmark")
_POSTGRESQL: Final[Any] = cast("Any", postgresql_dialect)()


# Compiling takes about a millisecond, ten times as long as most reads. The engine's own way of keeping what was
# compiled has no public name; the tests of every read cover it.
_compiled: Final[Any] = LRUCache(500)


def _compile(query: Any, *, is_sqlite: bool) -> tuple[str, Sequence[Any]]:
    dialect = _SQLITE if is_sqlite else _POSTGRESQL
    compiled, extracted, collected, _ = query._compile_w_cache(
        dialect, compiled_cache=_compiled, column_keys=[]
    )
    values = compiled.construct_params(
        extracted_parameters=extracted, _collected_params=collected, _no_postcompile=True
    )
    # Lists of values: the text depends on how many there are. And values that stand in the text itself.
    if compiled.post_compile_params or compiled.literal_execute_params:
        state = compiled._process_parameters_for_postcompile(values)
        return state.statement, state.positional_parameters
    return compiled.string, [values[name] for name in compiled.positiontup]


def _rows(names: tuple[str, ...], rows: Any) -> Sequence[Any]:
    return list(map(_row_type(names), rows))


@lru_cache(maxsize=512)
def _row_type(names: tuple[str, ...]) -> Any:
    row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    return row._make


class _KeptPool(SQLitePool):
    """At most `READERS` connections, opened when needed and kept. A reader waits when all are out."""

    def __init__(self, url: databases.DatabaseURL, **options: Any) -> None:
        super().__init__(url, **options)
        self._free: list[aiosqlite.Connection] = []
        self._all: list[aiosqlite.Connection] = []
        self._places = asyncio.Semaphore(READERS)

    async def acquire(self) -> aiosqlite.Connection:
        await self._places.acquire()
        try:
            return self._free.pop() if self._free else await self._open()
        except BaseException:
            self._places.release()
            raise

    async def release(self, connection: aiosqlite.Connection) -> None:
        self._free.append(connection)
        self._places.release()

    async def _open(self) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(self._database, isolation_level=None)
        self._all.append(connection)
        for pragma in (*SQLITE_PRAGMAS, "PRAGMA query_only=ON"):
            await connection.execute(pragma)
        return connection

    async def close(self) -> None:
        for connection in self._all:
            await connection.close()
        self._all.clear()
        self._free.clear()


class KeptSQLiteBackend(SQLiteBackend):
    """The SQLite backend of `databases` over `_KeptPool`."""

    def __init__(self, database_url: databases.DatabaseURL | str, **options: Any) -> None:
        super().__init__(database_url, **options)
        self._pool: _KeptPool = _KeptPool(self._database_url, **options)

    async def disconnect(self) -> None:
        await self._pool.close()


class _KeptReaders(databases.Database):
    SUPPORTED_BACKENDS: Final = {  # type: ignore[misc]
        "sqlite": "chatapp.reading:KeptSQLiteBackend"
    }
