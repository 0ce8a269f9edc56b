"""An update from a version without search: what was said before is found, soon, and nobody waits for it."""

from collections.abc import AsyncIterator

import pytest
from alembic import command
from sqlalchemy import delete, select, text, update

from chatapp.database import Database
from chatapp.domain import search_index
from chatapp.migrate import configuration, migrate
from chatapp.realtime.indexer import Indexer
from chatapp.tables import messages, rooms, search_docs
from tests.domain import world
from tests.domain.test_search import edits, finds, index_size, look


@pytest.fixture(params=["sqlite", "postgresql"])
async def old(
    request: pytest.FixtureRequest, tmp_path, empty_postgresql_url: str
) -> AsyncIterator[Database]:
    """A database of the version before."""
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/old.db" if on_sqlite else empty_postgresql_url
    async with world.opened(url) as database:
        async with database.engine.connect() as connection:
            await connection.run_sync(lambda it: command.upgrade(configuration(it), "0010-1"))
            await connection.commit()
        yield database


async def one_lot(database: Database) -> None:
    async with database.transaction() as tx:
        assert await search_index.apply_lot(tx)


async def test_what_was_said_before_there_was_an_index_is_taken_in_from_the_newest_back(old):
    ann = await world.person(old, "Ann Archer")
    lab, shed = await world.opens(old, ann, "Lab"), await world.opens(old, ann, "Shed")
    said = await world.says(old, ann, lab, "oldest word", *(f"word {n}" for n in range(300)))
    await world.says(old, ann, shed, "word of the shed")
    await migrate(old)
    page = await look(old, ann, "word")
    assert (page.hits, page.is_partial) == ([], True)

    (fresh,) = await world.says(old, ann, lab, "a new word")
    assert await finds(old, ann, "word") == ["a new word"]
    await one_lot(old)  # new ones first
    await one_lot(old)
    page = await look(old, ann, "word")
    assert page.is_partial
    assert [hit.seq for hit in page.hits[:1]] == [fresh.seq]
    assert "word of the shed" in await finds(old, ann, "word")
    assert await finds(old, ann, "oldest") == []

    # people go on meanwhile: of what is in the index, and of what is still to come
    await edits(old, lab, said[-1].seq, "changed late")
    await edits(old, lab, said[0].seq, "changed early")
    assert await finds(old, ann, "changed") == ["changed late", "changed early"]
    async with old.transaction() as tx:
        gone = messages.c.seq == said[1].seq
        await tx.execute(delete(messages).where(messages.c.room_id == lab, gone))
    await Indexer(old).catch_up()
    page = await look(old, ann, "changed")
    assert (len(page.hits), page.is_partial) == (2, False)
    assert await finds(old, ann, "oldest") == []
    assert await finds(old, ann, '"word 0"') == []
    assert len(await old.fetch_all(select(search_docs))) == await index_size(old) == 302


async def test_an_empty_database_has_nothing_to_catch_up_with(old):
    await migrate(old)
    assert not await search_index.is_behind(old)
    ann = await world.person(old, "Ann Archer")
    lab = await world.opens(old, ann, "Lab")
    await world.says(old, ann, lab, "hello")
    page = await look(old, ann, "hello")
    assert (len(page.hits), page.is_partial) == (1, False)


async def test_a_room_that_goes_before_its_turn_came_leaves_nothing(old):
    ann = await world.person(old, "Ann Archer")
    lab = await world.opens(old, ann, "Lab")
    await world.says(old, ann, lab, *(f"word {n}" for n in range(30)))
    await migrate(old)
    async with old.transaction() as tx:
        await tx.execute(delete(rooms).where(rooms.c.id == lab))
    await Indexer(old).catch_up()
    assert await old.fetch_all(select(search_docs)) == []
    assert await index_size(old) == 0


async def test_triggers_note_what_any_version_changes(old):
    """A later migration that makes the table of messages anew must make these anew too."""
    await migrate(old)
    names = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if old.is_sqlite
        else "SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal"
    )
    found = {row.name for row in await old.fetch_all(text(names))}
    assert {"search_edited", "search_deleted"} <= found


async def test_a_change_that_leaves_the_body_alone_is_not_noted(old):
    ann = await world.person(old, "Ann Archer")
    lab = await world.opens(old, ann, "Lab")
    await world.says(old, ann, lab, "hello")
    await migrate(old)
    await Indexer(old).catch_up()
    async with old.transaction() as tx:
        await tx.execute(update(messages).values(changed_seq=9, body=messages.c.body))
    assert not await search_index.is_behind(old)
