"""Measures searches in a million messages, and what the index costs: its size, and what posting loses by it.

    .venv/bin/python -m benchmarks.search [MESSAGES] [sqlite|postgresql]

Prints, for each database: how fast the index is filled and how large it gets; for each kind of search the milliseconds
of the first page (median and 99th percentile of many different ones, by somebody in all 200 rooms and by somebody in
three of them) beside a plain scan for the same; and posts a second without and with the index being kept.
"""

import asyncio
import itertools
import random
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, text, update

from chatapp.database import Database
from chatapp.domain import search_index, search_query
from chatapp.domain.search import Searches, TooSlow
from chatapp.domain.users import User
from chatapp.migrate import migrate
from chatapp.realtime.indexer import Indexer
from chatapp.settings import Settings
from chatapp.tables import memberships, messages, rooms
from tests.domain import world
from tests.support import run_folder
from tests.support.postgres_server import PostgresServer

ROOMS: Final = 200
PEOPLE: Final = 30
LOT: Final = 10_000
TIMES: Final = 100
WORDS: Final = 20_000
HAN: Final = 3_000
SINCE: Final = 1_760_000_000_000  # the first message, in milliseconds since 1970
EVERY: Final = 20_000  # milliseconds between two

rng = random.Random(20261127)  # the same corpus each time


def vocabulary() -> list[str]:
    """Words whose letters are as frequent as in English; the first ones are short and said all the time."""
    letters = "eeeeeeeeeeeetttttttttaaaaaaaaooooooooiiiiiiinnnnnnnsssssshhhhhhrrrrrrddddlllluuucccmmmwwffggyyppbbvkjxqz"
    found: dict[str, None] = {}
    while len(found) < WORDS:
        found["".join(rng.choices(letters, k=rng.randint(2, 4 + min(6, len(found) // 50))))] = None
    return list(found)


VOCABULARY: Final = vocabulary()
_ZIPF: Final = list(itertools.accumulate(1 / (n + 2) for n in range(WORDS)))
_HAN: Final = [chr(0x4E00 + n) for n in range(HAN)]
_HAN_ZIPF: Final = list(itertools.accumulate(1 / (n + 5) for n in range(HAN)))


def body() -> str:
    kind = rng.random()
    if kind < 0.05:
        return "".join(rng.choices(_HAN, cum_weights=_HAN_ZIPF, k=rng.randint(4, 30)))
    said = " ".join(rng.choices(VOCABULARY, cum_weights=_ZIPF, k=rng.choice((2, 5, 9, 12, 20))))
    if kind < 0.08:
        return f"{said} https://{rng.choice(VOCABULARY)}.example/{rng.randint(1, 999)}"
    return f"{said} `{rng.choice(VOCABULARY)}()`" if kind < 0.1 else said


async def fill(database: Database, count: int) -> tuple[User, User]:
    """Everybody says something in turn. Returns who is in all rooms, and who is in three."""
    people = [
        await world.person(database, f"{word.title()} Number{n}")
        for n, word in enumerate(VOCABULARY[1000 : 1000 + PEOPLE])
    ]
    few = await world.person(database, "Fewrooms Person")
    numbers = [await world.opens(database, people[0], f"Room {n:03}") for n in range(ROOMS)]
    async with database.transaction() as tx:
        values = {"is_active": True, "joined_at": 0, "joined_seq": 0, "changed_seq": 0}
        await tx.execute(
            insert(memberships),
            [{"room_id": id_, "user_id": few.id, **values} for id_ in numbers[:3]],
        )
    rows: Iterator[dict[str, Any]] = (
        {
            "room_id": numbers[n % ROOMS],
            "seq": (seq := 3 + n // ROOMS),
            "changed_seq": seq,
            "kind": "message",
            "author_id": rng.choice(people).id,
            "key": str(n),
            "key_hash": b"",
            "body": body(),
            "at": SINCE + n * EVERY,
        }
        for n in range(count)
    )
    while lot := list(islice(rows, LOT)):
        async with database.transaction() as tx:
            await tx.execute(insert(messages), lot)
    async with database.transaction() as tx:
        await tx.execute(update(rooms).values(last_seq=3 + count // ROOMS))
    return people[0], few


# As the migration that brought the search left what had been said before it.
_SAID_BEFORE: Final = (
    "INSERT INTO search_rooms (room_id, seq) SELECT id, last_seq FROM rooms",
    """
    INSERT INTO search_docs (id, room_id, seq, at)
    SELECT row_number() OVER (ORDER BY at, room_id, seq), room_id, seq, at
    FROM messages WHERE kind = 'message'""",
    """
    INSERT INTO facts (name, value)
    SELECT 'search_backlog', CAST(max(id) + 1 AS TEXT) FROM search_docs HAVING max(id) > 0""",
)


async def build(database: Database) -> float:
    """Fills the index without pauses. Returns the seconds."""
    started = time.perf_counter()
    while await search_index.is_behind(database):
        async with database.transaction() as tx:
            await search_index.apply_lot(tx)
    return time.perf_counter() - started


async def size(database: Database, file: Path | None) -> int:
    """Of the whole database, in bytes."""
    if file is not None:
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("COMMIT")
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return file.stat().st_size  # noqa: ASYNC240  nobody else is on this loop
    return int(await database.fetch_value(text("SELECT pg_database_size(current_database())")))


def searches() -> dict[str, list[str]]:
    """Many different ones of each kind."""

    def some(low: int, high: int) -> list[str]:
        return rng.sample(VOCABULARY[low:high], min(TIMES, high - low))

    def han(low: int, high: int, length: int) -> list[str]:
        return ["".join(rng.choices(_HAN[low:high], k=length)) for _ in range(TIMES)]

    rare, common, middle = some(15_000, WORDS), some(10, 60), some(500, 3000)
    return {
        "common word": common,
        "middling word": middle,
        "rare word": rare,
        "two rare words": [f"{a} {b}" for a, b in zip(rare, reversed(rare), strict=True)],
        "phrase": [f'"{a} {b}"' for a, b in zip(common, reversed(common), strict=True)],
        "two letters": ["".join(rng.choices("aeiounstrlqzxj", k=2)) for _ in range(TIMES)],
        "one letter": list("abcdefghijklmnopqrstuvwxyz"),
        "two Han, common": han(0, 60, 2),
        "two Han, rare": han(500, HAN, 2),
        "one Han": han(0, HAN, 1),
        "four Han": han(0, 200, 4),
        "not there": [f"{a}zzq{b}" for a, b in zip(rare, common * 2, strict=False)],
        "from: word": [f"from:me {word}" for word in middle],
        "from: alone": ["from:me"] * TIMES,
        "in: word": [f'in:"room {n % ROOMS:03}" {word}' for n, word in enumerate(middle)],
        "in: alone": [f'in:"room {n % ROOMS:03}"' for n in range(TIMES)],
        "has:code word": [f"has:code {word}" for word in middle],
        "before: common": [f"before:2025-12 {word}" for word in common],
        "after: rare": [f"after:2026-02 {word}" for word in rare],
    }


def line(what: str, times: list[float], extra: str = "") -> str:
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{what:<17} p50 {statistics.median(times):7.1f}  p99 {p99:7.1f} ms{extra}"


async def measure(database: Database, who: User, kinds: dict[str, list[str]]) -> None:
    asks = Searches(database)
    for what, all_typed in kinds.items():
        times, hits, slow = [], 0, 0
        for typed in all_typed:
            query = search_query.parse(typed)
            started = time.perf_counter()
            try:
                hits += len((await asks.find(who.id, query)).hits)
            except TooSlow:
                slow += 1
            times.append((time.perf_counter() - started) * 1000)
        extra = f"  {hits / len(all_typed):5.1f} hits" + (f"  {slow} TOO SLOW" if slow else "")
        print("  " + line(what, times, extra), flush=True)


async def scan(database: Database, words: list[str]) -> None:
    """What the search for a rare word would take without an index."""
    times = []
    like = "LIKE" if database.is_sqlite else "ILIKE"
    for word in words:
        query = text(
            f"SELECT room_id, seq, body FROM messages WHERE body {like} :some"  # noqa: S608
            " ORDER BY at DESC LIMIT 20"
        ).bindparams(some=f"%{word}%")
        started = time.perf_counter()
        await database.fetch_all(query)
        times.append((time.perf_counter() - started) * 1000)
    print("  " + line("plain scan, rare", times), flush=True)


async def post(database: Database, who: User, room: int, batch: int, seconds: float) -> float:
    """Posts a second, in batches."""
    done, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        await world.says(database, who, room, *(body() for _ in range(batch)))
        done += batch
    return done / spent


async def writing(database: Database, who: User) -> None:
    room = await world.opens(database, who, "Posts")
    for batch in (1, 100):
        without, kept = [], []
        for _ in range(5):
            without.append(await post(database, who, room, batch, 2))
            await build(database)
            task = asyncio.create_task(Indexer(database).run())
            kept.append(await post(database, who, room, batch, 2))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await build(database)
        a, b = statistics.median(without), statistics.median(kept)
        print(
            f"  batches of {batch:<4} {a:7.0f} posts/s without, {b:7.0f} with the index kept: {b / a:.2f}"
        )


async def run(url: str, count: int, file: Path | None) -> None:
    database = Database(Settings.from_env({"DATABASE_URL": url}))
    await database.connect()
    try:
        print("SQLite" if database.is_sqlite else "PostgreSQL", flush=True)
        await migrate(database)
        everywhere, few = await fill(database, count)
        async with database.transaction() as tx:
            for statement in _SAID_BEFORE:
                await tx.execute(text(statement))
        before = await size(database, file)
        seconds = await build(database)
        after = await size(database, file)
        print(
            f"  {count} messages indexed at {count / seconds:.0f}/s; the database grew from"
            f" {before / 1e6:.0f} to {after / 1e6:.0f} MB",
            flush=True,
        )
        if not database.is_sqlite:
            async with database.transaction() as tx:
                await tx.execute(text("ANALYZE"))
        kinds = searches()
        for who, where in ((everywhere, "all rooms"), (few, "three rooms")):
            print(f"  -- in {where}")
            await measure(database, who, kinds)
        await scan(database, kinds["rare word"][:10])
        await writing(database, everywhere)
    finally:
        await database.disconnect()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    which = sys.argv[2] if len(sys.argv) > 2 else ""
    folder = run_folder.make()
    try:
        if which != "postgresql":
            file = folder / "chat.db"
            asyncio.run(run(f"sqlite:///{file}", count, file))
        if which != "sqlite":
            postgres = PostgresServer(folder / "postgres", durable=True)
            postgres.create()
            postgres.start()
            try:
                postgres.create_database("search")
                asyncio.run(run(postgres.url("search"), count, None))
            finally:
                postgres.stop()
    finally:
        run_folder.remove(folder)


if __name__ == "__main__":
    main()
