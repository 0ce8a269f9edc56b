"""The newest rows of a room in memory say what the database says, or nothing."""

import random

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from chatapp.domain import messages, rooms
from chatapp.domain.changes import APPLY
from chatapp.domain.commands import EditProfile, EditRoom, JoinRoom, LeaveRoom, Message
from chatapp.realtime import tails as module
from chatapp.realtime.tails import Tails
from chatapp.tables import rooms as rooms_table
from tests.domain import world

LAB = 7


def row(seq: int, changed: int = 0, kind: str = "message", author: int = 1, **more: str) -> Message:
    look = {"author_name": "Ann", "body": f"words {seq}"} | more
    return Message(
        LAB, seq, changed or seq, kind, author, look["author_name"], 3, None, look["body"], seq
    )


def filled(count: int, last: int = 0) -> Tails:
    tails = Tails()
    last = last or count
    tails.keep(LAB, last, [row(seq) for seq in range(last - count + 1, last + 1)])
    return tails


def seqs(tails: Tails, last: int) -> list[int] | None:
    found = tails.page(LAB, last)
    return None if found is None else [message.seq for message in found[0].messages]


def test_a_page_is_the_newest_fifty_and_knows_whether_there_are_older_ones():
    tails = filled(51)
    found = tails.page(LAB, 51)
    assert found is not None
    page, seq = found
    assert [message.seq for message in page.messages] == list(range(2, 52))
    assert (page.older, page.newer, seq) == (2, None, 51)
    short = filled(50).page(LAB, 50)
    assert short is not None
    assert short[0].older is None


def test_who_asks_for_more_than_the_tail_has_gets_no_answer():
    tails = filled(60)
    assert seqs(tails, 61) is None, "the database is further on"
    assert tails.changes(LAB, 10, 61) is None
    assert tails.page(8, 1) is None, "another room"
    assert tails.changes(LAB, 61, 60) is None, "a cursor from the future"


def test_a_tail_grows_with_what_is_stored_and_forgets_the_oldest():
    tails = filled(200, last=300)
    tails.advance(LAB, 300, 302, [row(301), row(302)])
    assert seqs(tails, 302) == list(range(253, 303))
    back = tails.changes(LAB, 102, 302)
    assert back is not None
    assert [message.seq for message in back.messages] == list(range(103, 303))
    assert tails.changes(LAB, 101, 302) is None, "102 has made room"


def test_a_tail_that_misses_something_is_of_no_use():
    tails = filled(60)
    tails.advance(LAB, 61, 62, [row(62)])
    assert seqs(tails, 60) is None
    assert tails.kept_bytes() == 0


def test_what_is_known_already_changes_nothing():
    tails = filled(60)
    tails.advance(LAB, 58, 60, [row(59, body="another"), row(60)])
    tails.advance(LAB, 58, 61, [row(59, body="another"), row(60), row(61)])
    back = tails.changes(LAB, 0, 61)
    assert back is not None
    assert [message.body for message in back.messages] == [f"words {n}" for n in range(1, 62)]


def test_a_changed_row_keeps_its_place_and_comes_last_to_who_catches_up():
    tails = filled(60)
    tails.advance(LAB, 60, 61, [row(20, 61, body="corrected")])
    assert seqs(tails, 61) == list(range(11, 61))
    back = tails.changes(LAB, 59, 61)
    assert back is not None
    assert [(m.seq, m.body) for m in back.messages] == [(60, "words 60"), (20, "corrected")]


def test_many_changes_of_old_rows_leave_too_few_for_a_page():
    tails = Tails()
    tails.keep(LAB, 1000, [row(seq, 800 + seq) for seq in range(1, 201)])
    assert tails.page(LAB, 1000) is None
    assert tails.changes(LAB, 900, 1000) is not None


def test_a_tail_ahead_of_a_snapshot_answers_while_only_messages_came():
    tails = filled(60)
    tails.advance(LAB, 60, 61, [row(61)])
    found = tails.page(LAB, 60)
    assert found is not None
    assert (found[0].messages[-1].seq, found[1]) == (61, 61)
    tails.advance(LAB, 61, 62, [row(62, kind="renamed", body="New name")])
    assert tails.page(LAB, 61) is None, "the heading of that snapshot has the old name"
    assert tails.page(LAB, 62) is not None


def test_a_new_name_is_on_all_rows_of_its_bearer():
    tails = filled(60)
    tails.advance(LAB, 60, 61, [row(61, author=2, author_name="Bob")])
    tails.advance(LAB, 61, 62, [row(62, kind="profile", author_name="Anna", body="Ann")])
    found = tails.page(LAB, 62)
    assert found is not None
    assert {(m.author_id, m.author_name) for m in found[0].messages} == {(1, "Anna"), (2, "Bob")}


def test_the_room_nobody_read_for_longest_makes_room(monkeypatch):
    tails = Tails(capacity=3 * 10 * (module.ROW_BYTES + 100))
    for room in range(1, 4):
        tails.keep(room, 10, [replace(row(seq), room_id=room) for seq in range(1, 11)])
    assert tails.page(1, 10) is not None
    before = tails.kept_bytes()
    tails.keep(4, 10, [replace(row(seq), room_id=4) for seq in range(1, 11)])
    assert tails.page(2, 10) is None
    assert all(tails.page(room, 10) is not None for room in (1, 3, 4))
    assert tails.kept_bytes() == before


def test_a_room_with_more_than_memory_has_is_not_kept():
    tails = Tails(capacity=1000)
    tails.keep(LAB, 10, [row(seq) for seq in range(1, 11)])
    assert tails.page(LAB, 10) is None
    assert tails.kept_bytes() == 0


async def last_of(core, room: int) -> int:
    query = select(rooms_table.c.last_seq).where(rooms_table.c.id == room)
    return int(await core.database.fetch_value(query))


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_memory_and_database_say_the_same(
    core, ann, bob, lab, seed, monkeypatch
):
    """People talk, answer, change what they said, come, go, rename themselves and the room, in any order."""
    monkeypatch.setitem(APPLY, world.Revise, world.Revise.apply)
    core.start()
    told: list[int] = []
    dice = random.Random(seed)
    names = iter(f"Name {seed} {n}" for n in range(200))
    for step in range(25):
        if dice.random() < 0.2:
            await core.ends(LeaveRoom(bob.id, lab))
        elif dice.random() < 0.2:
            await core.ends(EditProfile(dice.choice([ann, bob]).id, next(names), step % 12))
        elif dice.random() < 0.2:
            await core.ends(EditRoom(ann.id, lab, next(names), "a topic"))
        elif told and dice.random() < 0.3:
            words = dice.choice([None, f"other words {step}"])
            await core.ends(world.Revise(ann.id, lab, dice.choice(told), words))
        else:
            await core.ends(JoinRoom(bob.id, lab))
            posts = [
                world.a_post(dice.choice([ann, bob]), lab, f"words {step}", reply=reply)
                for reply in dice.choices([0, *told], k=9)
            ]
            told += [message.seq for message in await core.ends(*posts)]
        last = await last_of(core, lab)
        found = core.tails.page(lab, last)
        if found is None:
            assert step == 0, "it is kept up to date by what is stored"
            core.tails.keep(lab, last, await messages.latest(core.database, lab))
            found = core.tails.page(lab, last)
        assert found == (await messages.newest(core.database, lab), last)
        for cursor in range(0, last + 1, 7):
            back = core.tails.changes(lab, cursor, last)
            assert back is None or back == await messages.changes(core.database, lab, cursor)
    assert (await rooms.find(core.database, lab)).last_seq == last


async def test_who_comes_back_to_a_busy_room_reads_no_messages(core, ann, bob, lab, monkeypatch):
    core.start()
    await core.ends(*(world.a_post(ann, lab, f"words {n}") for n in range(20)))
    last = await last_of(core, lab)
    core.tails.keep(lab, last, await messages.latest(core.database, lab))
    reads = []
    monkeypatch.setattr(messages, "changes", lambda *asked: reads.append(asked))
    tab = await core.watching(bob, lab, last - 5)
    await tab.shows(lab, last, last - 5)
    assert reads == []
