"""The room log: storing many at once, and reading by number."""

import random
from uuid import uuid4

import pytest
from sqlalchemy import update

from chatapp.domain import messages, posts
from chatapp.domain.commands import Message
from chatapp.errors import Missing
from chatapp.tables import messages as message_rows
from chatapp.tables import rooms
from tests.domain import world
from tests.domain.world import a_post


def codes(outcomes):
    return [o.seq if isinstance(o, Message) else o.code for o in outcomes]


# -- storing ----------------------------------------------------------------------


async def test_a_batch_takes_the_next_numbers_in_its_order(database, ann, bob, lab):
    posts = [a_post(who, lab, str(n)) for n, who in enumerate([ann, bob, bob, ann])]
    assert codes(await world.store(database, posts)) == [3, 4, 5, 6]
    stored = (await world.log_of(database, lab))[2:]
    assert [row.body for row in stored] == ["0", "1", "2", "3"]
    assert [row.author_id for row in stored] == [ann.id, bob.id, bob.id, ann.id]
    assert all(row.changed_seq == row.seq for row in stored)
    assert await world.assert_no_gaps(database, lab) == 6


async def test_rooms_of_one_batch_are_numbered_apart(database, ann, lab):
    den = await world.opens(database, ann, "Den")
    posts = [a_post(ann, room) for room in (den, lab, den, lab)]
    assert codes(await world.store(database, posts)) == [2, 3, 3, 4]
    assert await world.assert_no_gaps(database, den) == 3
    assert await world.assert_no_gaps(database, lab) == 4


async def test_the_stored_message_is_what_is_shown(database, ann, lab):
    (shown,) = await world.says(database, ann, lab, "hello")
    page = await messages.newest(database, lab)
    assert page.messages[-1] == shown
    assert shown.author_name == "Ann Archer"
    assert shown.at > 1_600_000_000_000


async def test_a_key_posts_once_in_one_batch(database, ann, lab):
    key = str(uuid4())
    outcomes = await world.store(database, [a_post(ann, lab, "hello", key) for _ in range(3)])
    assert codes(outcomes) == [3, 3, 3]
    assert await world.assert_no_gaps(database, lab) == 3


async def test_a_key_posts_once_for_ever(database, ann, lab):
    key = str(uuid4())
    await world.store(database, [a_post(ann, lab, "hello", key)])
    await world.says(database, ann, lab, "other", "things")
    outcomes = await world.store(
        database, [a_post(ann, lab, "new"), a_post(ann, lab, "hello", key), a_post(ann, lab, "x")]
    )
    assert codes(outcomes) == [6, 3, 7]
    first = outcomes[1]
    assert isinstance(first, Message)
    assert first.body == "hello"
    assert await world.assert_no_gaps(database, lab) == 7


async def test_a_key_used_for_another_text_is_a_conflict(database, ann, lab):
    key = str(uuid4())
    same_batch = [a_post(ann, lab, "one", key), a_post(ann, lab, "two", key)]
    assert codes(await world.store(database, same_batch)) == [3, "key_reused"]
    assert codes(await world.store(database, [a_post(ann, lab, "three", key)])) == ["key_reused"]
    assert await world.assert_no_gaps(database, lab) == 3


async def test_the_same_key_in_another_room_or_of_another_person_is_another_message(
    database, ann, bob, lab
):
    key = str(uuid4())
    den = await world.opens(database, ann, "Den")
    posts = [a_post(ann, lab, "a", key), a_post(bob, lab, "b", key), a_post(ann, den, "c", key)]
    assert codes(await world.store(database, posts)) == [3, 4, 2]


async def test_each_post_of_a_mixed_batch_has_an_end_of_its_own(database, ann, bob, cat, lab):
    gone = 9999
    key = str(uuid4())
    await world.store(database, [a_post(bob, lab, "old", key)])
    posts = [
        a_post(ann, lab, "one"),
        a_post(cat, lab, "outsider"),
        a_post(ann, gone, "nowhere"),
        a_post(bob, lab, "old", key),
        a_post(bob, lab, "changed", key),
        a_post(ann, lab, "two"),
    ]
    found = codes(await world.store(database, posts))
    assert found == [4, "not_member", "room_gone", 3, "key_reused", 5]
    assert await world.assert_no_gaps(database, lab) == 5


async def test_whoever_left_cannot_post_nor_hear_of_old_numbers(database, bob, lab):
    key = str(uuid4())
    await world.store(database, [a_post(bob, lab, "hello", key)])
    await world.leaves(database, bob, lab)
    outcomes = await world.store(database, [a_post(bob, lab), a_post(bob, lab, "hello", key)])
    assert codes(outcomes) == ["not_member", "not_member"]


async def test_nothing_of_a_batch_is_stored_when_its_transaction_fails(database, ann, lab):
    async def fail():
        async with database.transaction() as tx:
            await posts.apply_posts(tx, [a_post(ann, lab)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await world.assert_no_gaps(database, lab) == 2
    assert codes(await world.store(database, [a_post(ann, lab)])) == [3]


# -- paging -----------------------------------------------------------------------


@pytest.fixture
async def long(database, ann):
    """A room with 30 numbers: it was opened, and 29 messages."""
    room = await world.opens(database, ann, "Long")
    await world.says(database, ann, room, *(str(n) for n in range(2, 31)))
    return room


def seqs(page):
    return [message.seq for message in page.messages]


@pytest.mark.parametrize(
    ("seq", "numbers", "older", "newer"),
    [
        (None, range(21, 31), 21, None),
        (21, range(11, 21), 11, 20),
        (11, range(1, 11), None, 10),
        (5, range(1, 5), None, 4),
        (1, range(0), None, 0),
        (31, range(21, 31), 21, None),
        (999, range(21, 31), 21, None),
    ],
)
async def test_pages_go_back_by_number(database, long, seq, numbers, older, newer):
    page = await messages.before(database, long, seq, 10)
    assert (seqs(page), page.older, page.newer) == (list(numbers), older, newer)


@pytest.mark.parametrize(
    ("seq", "numbers", "older", "newer"),
    [
        (0, range(1, 11), None, 10),
        (10, range(11, 21), 11, 20),
        (20, range(21, 31), 21, None),
        (25, range(26, 31), 26, None),
        (30, range(0), 31, None),
    ],
)
async def test_pages_go_forward_by_number(database, long, seq, numbers, older, newer):
    page = await messages.after(database, long, seq, 10)
    assert (seqs(page), page.older, page.newer) == (list(numbers), older, newer)


async def test_walking_back_and_forward_meets_everything_once(database, long):
    back: list[int] = []
    seq = None
    while True:
        page = await messages.before(database, long, seq, 7)
        back = seqs(page) + back
        if page.older is None:
            break
        seq = page.older
    forward, seq = [], 0
    while True:
        page = await messages.after(database, long, seq, 7)
        forward += seqs(page)
        if page.newer is None:
            break
        seq = page.newer
    assert back == forward == list(range(1, 31))


async def test_a_link_shows_its_message_in_the_middle(database, ann, long):
    await world.says(database, ann, long, *(str(n) for n in range(31, 101)))
    page = await messages.around(database, long, 50)
    assert seqs(page) == list(range(25, 75))
    assert (page.older, page.newer) == (25, 74)
    assert seqs(await messages.around(database, long, 1))[0] == 1
    assert seqs(await messages.around(database, long, 100))[-1] == 100


# -- what changed after a cursor -----------------------------------------------------


async def test_changes_after_any_cursor_are_the_rows_changed_since(database, ann, long):
    """Old rows change too (as an edit will): their change has a new number, their place stays."""
    dice = random.Random(7)
    async with database.transaction() as tx:
        for last in range(31, 51):
            chosen = dice.randrange(1, 31)
            await tx.execute(
                update(message_rows)
                .where(message_rows.c.room_id == long, message_rows.c.seq == chosen)
                .values(changed_seq=last)
            )
        await tx.execute(update(rooms).where(rooms.c.id == long).values(last_seq=50))
    rows = await world.log_of(database, long)
    for cursor in [0, 50, *dice.sample(range(1, 50), 12)]:
        found = await messages.changes(database, long, cursor)
        assert found is not None
        wanted = sorted((r.changed_seq, r.seq) for r in rows if r.changed_seq > cursor)
        assert [(m.changed_seq, m.seq) for m in found.messages] == wanted
        assert (found.seq, found.more) == (50, False)


async def test_many_changes_come_in_pieces(database, ann, lab, monkeypatch):
    monkeypatch.setattr(messages, "CHANGES_MOST", 10)
    await world.says(database, ann, lab, *map(str, range(3, 26)))
    cursor, seen, pieces = 0, [], 0
    while True:
        found = await messages.changes(database, lab, cursor)
        assert found is not None
        assert len(found.messages) <= 10
        seen += [m.seq for m in found.messages]
        cursor, pieces = found.seq, pieces + 1
        if not found.more:
            break
    assert seen == list(range(1, 26))
    assert (cursor, pieces) == (25, 3)


async def test_a_cursor_ahead_or_far_behind_means_load_afresh(database, ann, lab, monkeypatch):
    monkeypatch.setattr(messages, "CHANGES_MOST", 2)
    await world.says(database, ann, lab, *map(str, range(10)))
    assert await messages.changes(database, lab, 13) is None
    assert await messages.changes(database, lab, 1) is None
    assert await messages.changes(database, lab, 2) is not None
    nothing = await messages.changes(database, lab, 12)
    assert nothing == messages.Changes([], 12, more=False)


async def test_changes_of_a_room_that_is_gone_are_missing(database):
    with pytest.raises(Missing):
        await messages.changes(database, 9999, 0)


async def test_last_numbers_are_told_for_any_number_of_rooms(database, ann, lab):
    many = [*range(100_000, 140_000), lab]  # more than one statement has room for
    assert await messages.last_numbers(database, many) == {lab: 2}
    assert await messages.last_numbers(database, []) == {}
