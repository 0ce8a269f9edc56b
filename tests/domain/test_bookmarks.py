"""Bookmarks: one's own, and of rooms one is in."""

import pytest
from sqlalchemy import select

from chatapp.domain import bookmarks
from chatapp.domain.commands import DeleteAccount, DeleteRoom
from chatapp.errors import Forbidden, Invalid, Missing
from chatapp.tables import bookmarks as rows
from chatapp.tables import rooms
from tests.domain import world


async def mark(database, who, room_id, seq, *, on=True):
    async with database.transaction() as tx:
        await bookmarks.apply_mark(tx, who.id, room_id, seq, on=on)


async def listed(database, who):
    items, total = await bookmarks.of_user(database, who.id)
    assert total == len(items)
    return [(item.room_id, item.seq) for item in items]


async def said(database, who, room_id, *bodies):
    return [message.seq for message in await world.says(database, who, room_id, *bodies)]


async def test_a_bookmark_is_set_once_and_is_nobody_elses(database, ann, bob, lab):
    first, second = await said(database, ann, lab, "one", "*two*")
    before = await database.fetch_value(select(rooms.c.last_seq))
    for seq in (first, first, second):
        await mark(database, bob, lab, seq)
    assert set(await listed(database, bob)) == {(lab, first), (lab, second)}
    assert await listed(database, ann) == []
    assert await bookmarks.among(database, bob.id, lab, first, first) == {first}
    assert await bookmarks.among(database, ann.id, lab, 0, 99) == set()
    items, _ = await bookmarks.of_user(database, bob.id)
    assert {(item.text, item.author_name) for item in items} == {
        ("one", "Ann Archer"),
        ("two", "Ann Archer"),
    }
    for _ in range(2):
        await mark(database, bob, lab, first, on=False)
    assert await listed(database, bob) == [(lab, second)]
    assert await database.fetch_value(select(rooms.c.last_seq)) == before, (
        "the room has no part in it"
    )


async def test_who_has_left_sees_none_of_the_room_until_they_are_back(database, ann, bob, cat, lab):
    (seq,) = await said(database, ann, lab, "secret")
    await mark(database, bob, lab, seq)
    await world.leaves(database, bob, lab)
    assert await listed(database, bob) == []
    for who in (bob, cat):
        with pytest.raises(Forbidden):
            await mark(database, who, lab, seq)
    await world.carry_out(database, world.JoinRoom(bob.id, lab))
    assert await listed(database, bob) == [(lab, seq)]
    with pytest.raises(Missing):
        await mark(database, ann, lab, 1)
    with pytest.raises(Missing):
        await mark(database, ann, lab, 99)


async def test_there_is_an_end_to_them_and_pages(database, ann, lab, monkeypatch):
    monkeypatch.setattr(bookmarks, "BOOKMARKS_MOST", 3)
    monkeypatch.setattr(bookmarks, "PAGE", 2)
    seqs = await said(database, ann, lab, "1", "2", "3", "4")
    for seq in seqs[:3]:
        await mark(database, ann, lab, seq)
    await mark(database, ann, lab, seqs[0])
    with pytest.raises(Invalid) as refusal:
        await mark(database, ann, lab, seqs[3])
    assert "at most 3" in refusal.value.fields[""]
    first, total = await bookmarks.of_user(database, ann.id)
    second, _ = await bookmarks.of_user(database, ann.id, 2)
    assert (total, len(first), len(second)) == (3, 2, 1)
    assert {item.seq for item in first + second} == set(seqs[:3])


async def test_they_go_with_the_account_and_with_the_room(database, ann, bob, lab):
    (seq,) = await said(database, ann, lab, "one")
    for who in (ann, bob):
        await mark(database, who, lab, seq)
    await world.carry_out(database, DeleteAccount(bob.id))
    assert [row.user_id for row in await database.fetch_all(select(rows))] == [ann.id]
    await world.carry_out(database, DeleteRoom(ann.id, lab))
    assert await database.fetch_all(select(rows)) == []
