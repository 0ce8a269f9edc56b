"""Searching in tests, and bringing the index up to date."""

from sqlalchemy import select, text, update

from chatapp.database import Database
from chatapp.domain import search_index, search_query
from chatapp.domain.search import Searches
from chatapp.domain.search_results import Cursor, Found
from chatapp.domain.users import User
from chatapp.realtime.indexer import Indexer
from chatapp.tables import messages


async def look(database: Database, who: User, typed: str, before: Cursor | None = None) -> Found:
    return await Searches(database).find(who.id, search_query.parse(typed), before, seconds=30)


async def finds(database: Database, who: User, typed: str) -> list[str]:
    """The bodies of the first page."""
    found = await look(database, who, typed)
    bodies = {
        (row.room_id, row.seq): row.body for row in await database.fetch_all(select(messages))
    }
    return [bodies[hit.room_id, hit.seq] for hit in found.hits]


async def index(database: Database) -> None:
    await Indexer(database).catch_up()
    assert not await search_index.is_behind(database)


async def edits(database: Database, room: int, seq: int, body: str) -> None:
    """As any version does it."""
    async with database.transaction() as tx:
        here = (messages.c.room_id == room) & (messages.c.seq == seq)
        await tx.execute(update(messages).where(here).values(body=body))


async def index_size(database: Database) -> int:
    """Messages that the index holds something of."""
    if not database.is_sqlite:
        return int(await database.fetch_value(text("SELECT count(*) FROM search_index")))
    async with database.transaction() as tx:
        await tx.execute(
            text("CREATE VIRTUAL TABLE temp.kept USING fts5vocab(main, search_index, instance)")
        )
        found = await tx.fetch_value(text("SELECT count(DISTINCT doc) FROM temp.kept"))
        await tx.execute(text("DROP TABLE temp.kept"))
        return int(found)
