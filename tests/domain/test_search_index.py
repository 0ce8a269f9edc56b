"""The index of messages keeps up with what is said, changed and deleted."""

import asyncio

import pytest
from sqlalchemy import delete, select

from chatapp.database import Database
from chatapp.domain import search, search_index
from chatapp.domain.commands import DeleteMessage, RestoreMessage
from chatapp.realtime.indexer import Indexer
from chatapp.tables import rooms, search_docs, search_rooms, search_stale
from tests.domain import world
from tests.domain.searching import edits, finds, index, index_size, look


async def numbers(database: Database) -> int:
    return len(await database.fetch_all(select(search_docs)))


async def test_an_edited_message_is_found_by_its_new_words_only(database, ann, lab, settle):
    (said,) = await world.says(database, ann, lab, "the cat sat")
    await settle()
    for before, after in (("cat", "dog"), ("dog", "cow"), ("cow", "hen")):
        await edits(database, lab, said.seq, f"the {after} sat")
        assert await finds(database, ann, before) == []
        assert await finds(database, ann, after) == [f"the {after} sat"]
    await settle()
    assert await finds(database, ann, "cat") == await finds(database, ann, "cow") == []
    assert await finds(database, ann, "hen") == ["the hen sat"]
    assert await finds(database, ann, "sat from:ann") == ["the hen sat"]


async def test_a_deleted_message_is_found_no_more_and_leaves_the_index(database, ann, lab, settle):
    (said,) = await world.says(database, ann, lab, "the cat sat")
    await settle()
    await edits(database, lab, said.seq, "")
    assert await finds(database, ann, "cat") == []
    assert await finds(database, ann, "in:lab") == []
    await index(database)
    assert await finds(database, ann, "cat") == []
    assert await index_size(database) == 0
    await edits(database, lab, said.seq, "the dog sat")  # somebody thought better of it
    await index(database)
    assert await finds(database, ann, "dog") == ["the dog sat"]
    assert await index_size(database) == 1


async def test_a_room_that_goes_takes_its_words_along(database, ann, bob, lab):
    await world.says(database, ann, lab, *(f"word {n}" for n in range(450)))
    shed = await world.opens(database, ann, "Shed")
    await world.says(database, ann, shed, "word of the shed")
    await index(database)
    async with database.transaction() as tx:
        await tx.execute(delete(rooms).where(rooms.c.id == lab))
    assert await finds(database, ann, "word") == ["word of the shed"]
    await index(database)
    assert await numbers(database) == 1
    assert [row.room_id for row in await database.fetch_all(select(search_rooms))] == [shed]
    assert await finds(database, ann, "word") == ["word of the shed"]


async def test_edits_in_the_middle_of_indexing_are_not_lost(database, ann, lab):
    said = await world.says(database, ann, lab, *(f"one {n}" for n in range(30)))
    await index(database)
    for word in ("two", "three"):
        for each in said:
            await edits(database, lab, each.seq, f"{word} {each.seq}")
    async with database.transaction() as tx:
        assert await search_index.apply_lot(tx)
    for each in said[:10]:
        await edits(database, lab, each.seq, f"four {each.seq}")
    await index(database)
    assert await finds(database, ann, "one") == await finds(database, ann, "two") == []
    assert len(await finds(database, ann, "four")) == 10
    assert len((await look(database, ann, "three")).hits) == 20
    assert await numbers(database) == await index_size(database) == 30


@pytest.mark.parametrize("is_indexed_before", [True, False])
@pytest.mark.parametrize("is_indexed_between", [True, False])
async def test_a_message_that_was_deleted_is_found_again_once_it_is_back(
    database, ann, lab, is_indexed_before, is_indexed_between
):
    """And can go again: SQLite's index takes it for broken when words are taken out that it does not have."""
    said, _ = await world.says(database, ann, lab, "the cat sat", "on the mat")
    if is_indexed_before:
        await index(database)
    for _ in range(2):
        await world.carry_out(database, DeleteMessage(ann.id, lab, said.seq))
        if is_indexed_between:
            await index(database)
        await world.carry_out(database, RestoreMessage(ann.id, lab, said.seq))
        assert await finds(database, ann, "cat") == ["the cat sat"]
        if is_indexed_between:
            await index(database)
            assert await finds(database, ann, "cat") == ["the cat sat"]
    await index(database)
    assert await finds(database, ann, "cat") == ["the cat sat"]
    await edits(database, lab, said.seq, "the dog sat")
    await index(database)
    assert await finds(database, ann, "cat") == []
    assert await finds(database, ann, "dog") == ["the dog sat"]
    assert await numbers(database) == await index_size(database) == 2


async def test_processes_that_index_at_once_take_turns(database, ann, lab):
    await world.says(database, ann, lab, *(f"word {n}" for n in range(500)))
    await asyncio.gather(*(Indexer(database).catch_up() for _ in range(3)))
    await index(database)
    assert await numbers(database) == await index_size(database) == 500
    assert await database.fetch_all(select(search_stale)) == []


async def test_while_the_index_is_far_behind_a_search_says_so(database, ann, lab, monkeypatch):
    monkeypatch.setattr(search, "WITHOUT_ID_MOST", 25)
    await world.says(database, ann, lab, "oldest", *(f"word {n}" for n in range(40)))
    page = await look(database, ann, "word")
    assert page.is_partial
    assert len(page.hits) == search.PAGE
    await index(database)
    page = await look(database, ann, "oldest")
    assert not page.is_partial
    assert len(page.hits) == 1
