"""Measures what it costs to count the unread of somebody in many rooms, in a database with a million messages.

    .venv/bin/python -m benchmarks.unread [MESSAGES]

Prints, for both databases, the milliseconds of the one query behind the sidebar: when all is read, when each room has
a few unread messages, and when each has thousands.
"""

import asyncio
import statistics
import sys
import time
from itertools import islice
from typing import Final

from sqlalchemy import insert, text, update

from chatapp.database import Database
from chatapp.domain import unread
from chatapp.migrate import migrate
from chatapp.settings import Settings
from chatapp.tables import memberships, messages, rooms
from tests.domain import world
from tests.support import run_folder
from tests.support.postgres_server import PostgresServer

ROOMS: Final = 200
LOT: Final = 10_000
TIMES: Final = 50


async def fill(database: Database, count: int) -> tuple[int, int]:
    """Rooms in which ann wrote all. Returns ben, and how many messages a room has."""
    ann, ben = await world.person(database, "Ann Archer"), await world.person(database, "Ben Baker")
    numbers = [await world.opens(database, ann, f"Room {n:03}", ben) for n in range(ROOMS)]
    each = count // ROOMS
    rows = (
        {
            "room_id": room_id,
            "seq": seq,
            "changed_seq": seq,
            "kind": "message",
            "author_id": ann.id,
            "key": f"{room_id}-{seq}",
            "key_hash": b"",
            "body": "The second spectrograph is calibrated; please look at the plots.",
            "at": seq,
        }
        for room_id in numbers
        for seq in range(3, 3 + each)
    )
    while lot := list(islice(rows, LOT)):
        async with database.transaction() as tx:
            await tx.execute(insert(messages), lot)
    async with database.transaction() as tx:
        await tx.execute(update(rooms).values(last_seq=2 + each))
    return ben.id, each


async def measure(database: Database, count: int) -> None:
    ben, each = await fill(database, count)
    if not database.is_sqlite:
        async with database.transaction() as tx:
            await tx.execute(text("ANALYZE"))
    for what, left in (("all read", 0), ("3 unread a room", 3), ("thousands unread", each)):
        async with database.transaction() as tx:
            values = {"read_seq": 2 + each - left}
            await tx.execute(update(memberships).values(**values))
        times = []
        for _ in range(TIMES):
            started = time.perf_counter()
            found = await unread.of_user(database, ben)
            times.append((time.perf_counter() - started) * 1000)
        assert [room.unread for room in found] == [min(left, unread.UNREAD_MOST)] * ROOMS
        kind = "SQLite" if database.is_sqlite else "PostgreSQL"
        print(f"{kind:<11} {what:<17} {statistics.median(times):6.2f} ms", flush=True)


async def run(url: str, count: int) -> None:
    database = Database(Settings.from_env({"DATABASE_URL": url}))
    await database.connect()
    try:
        await migrate(database)
        await measure(database, count)
    finally:
        await database.disconnect()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    folder = run_folder.make()
    postgres = PostgresServer(folder / "postgres", durable=False)
    postgres.create()
    postgres.start()
    try:
        asyncio.run(run(f"sqlite:///{folder}/chat.db", count))
        postgres.create_database("unread")
        asyncio.run(run(postgres.url("unread"), count))
    finally:
        postgres.stop()
        run_folder.remove(folder)


if __name__ == "__main__":
    main()
