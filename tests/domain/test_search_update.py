"""An update from a version without search: what was said before is found, soon, and nobody waits for it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from alembic import command
from sqlalchemy import delete, select, text, update

from chatapp.database import Database
from chatapp.domain import grams, search_index
from chatapp.domain.users import User
from chatapp.migrate import configuration, migrate
from chatapp.realtime.indexer import Indexer
from chatapp.tables import messages, rooms, search_docs
from tests.domain import world
from tests.domain.searching import edits, finds, index_size, look


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


class Before:
    """What people did while the version before was running, in the words of its tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ann(self) -> User:
        await self._do(
            "INSERT INTO users (id, name, name_key, name_skeleton, hue, is_admin, created_at)"
            " VALUES (1, 'Ann Archer', 'ann archer', 'ann archer', 3, TRUE, 0)"
        )
        if not self._database.is_sqlite:
            await self._do("SELECT setval(pg_get_serial_sequence('users', 'id'), 1)")
        return User(1, "Ann Archer", "", 3, True)

    async def room(self, number: int, name: str) -> int:
        await self._do(
            "INSERT INTO rooms (id, name, name_key, topic, topic_key, owner_id, created_at, last_at, last_seq,"
            " changed_seq) VALUES (:number, :name, :name, '', '', 1, 0, 0, 0, 0)",
            {"number": number, "name": name},
        )
        await self._do(
            "INSERT INTO memberships (room_id, user_id, is_active, joined_at, joined_seq, changed_seq)"
            " VALUES (:number, 1, TRUE, 0, 0, 0)",
            {"number": number},
        )
        return number

    async def says(self, room: int, *bodies: str) -> None:
        """One after another, under numbers from 1 on."""
        for seq, body in enumerate(bodies, 1):
            await self._do(
                "INSERT INTO messages (room_id, seq, changed_seq, kind, author_id, body, at)"
                " VALUES (:room, :seq, :seq, 'message', 1, :body, :at)",
                {"room": room, "seq": seq, "body": body, "at": 1000 * room + seq},
            )
        last = {"room": room, "seq": len(bodies)}
        await self._do("UPDATE rooms SET last_seq = :seq WHERE id = :room", last)

    async def _do(self, words: str, given: dict[str, Any] | None = None) -> None:
        async with self._database.transaction() as tx:
            await tx.execute(text(words).bindparams(**(given or {})))


async def one_lot(database: Database) -> None:
    async with database.transaction() as tx:
        assert await search_index.apply_lot(tx)


async def test_what_was_said_before_there_was_an_index_is_taken_in_from_the_newest_back(old):
    before = Before(old)
    ann = await before.ann()
    lab, shed = await before.room(1, "Lab"), await before.room(2, "Shed")
    await before.says(lab, "oldest word", *(f"word {n}" for n in range(300)))
    await before.says(shed, "word of the shed")
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
    await edits(old, lab, 301, "changed late")
    await edits(old, lab, 1, "changed early")
    assert await finds(old, ann, "changed") == ["changed late", "changed early"]
    async with old.transaction() as tx:
        gone = messages.c.seq == 2
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
    before = Before(old)
    await before.ann()
    lab = await before.room(1, "Lab")
    await before.says(lab, *(f"word {n}" for n in range(30)))
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
    await migrate(old)
    ann = await world.person(old, "Ann Archer")
    lab = await world.opens(old, ann, "Lab")
    await world.says(old, ann, lab, "hello")
    await Indexer(old).catch_up()
    async with old.transaction() as tx:
        await tx.execute(update(messages).values(changed_seq=9, body=messages.c.body))
    assert not await search_index.is_behind(old)


async def entries(database: Database) -> dict[int, set[int]]:
    found = await database.fetch_all(text("SELECT id, grams FROM search_index ORDER BY id"))
    return {id_: set(numbers) for id_, numbers in found}


async def test_what_a_version_without_threes_put_into_the_index_is_found_and_done_again(
    empty_postgresql_url,
):
    """Of PostgreSQL alone: on SQLite there are no threes."""
    async with world.opened(empty_postgresql_url) as database:
        await migrate(database)
        ann = await world.person(database, "Ann Archer")
        lab = await world.opens(database, ann, "Lab")
        await world.says(database, ann, lab, "an old word", "soon gone", "another word")
        await Indexer(database).catch_up()
        whole = await entries(database)
        said = ("an old word", "soon gone", "another word")
        old = {
            id_: numbers - (grams.of_text(body, threes=True) - grams.of_text(body, threes=False))
            for (id_, numbers), body in zip(whole.items(), said, strict=True)
        }
        assert all(old[id_] < whole[id_] for id_ in old)
        async with database.transaction() as tx:
            await tx.execute(text("DELETE FROM search_index"))
            for id_, numbers in old.items():
                put = text("INSERT INTO search_index (id, grams) VALUES (:id, :grams)")
                await tx.execute(put.bindparams(id=id_, grams=sorted(numbers)))
        await world.says(database, ann, lab, "a new word")
        assert await search_index.is_behind(database)
        assert await finds(database, ann, "word") == ["a new word", "another word", "an old word"]
        await one_lot(database)  # the new one
        assert await finds(database, ann, "word") == ["a new word", "another word", "an old word"]

        async with database.transaction() as tx:
            gone = messages.c.body == "soon gone"
            await tx.execute(delete(messages).where(gone))
        await Indexer(database).catch_up()
        assert not await search_index.is_behind(database)
        assert await finds(database, ann, "word") == ["a new word", "another word", "an old word"]
        done = await entries(database)
        first, _, third = whole
        assert (done[first], done[third], len(done)) == (whole[first], whole[third], 3)
