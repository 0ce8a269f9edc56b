"""Reactions: one of a kind for each person, counted for everybody alike, and any emoji that there is."""

import random

import pytest
from sqlalchemy import select

from chatapp.domain import emoji, messages, reactions, unread
from chatapp.domain.commands import DeleteAccount, DeleteRoom, React
from chatapp.errors import Forbidden, Invalid, Missing, Refused
from chatapp.tables import reactions as rows
from chatapp.tables import rooms
from tests.domain import world

THUMB, HEART, TEA = "👍", "❤️", "🍵"


async def of(database, room_id, seq):
    found = await messages.find(database, room_id, seq)
    assert found is not None
    return found


async def reacts(database, who, room_id, seq, sign=THUMB, *, on=True):
    return await world.carry_out(database, React(who.id, room_id, seq, sign, on))


async def shown(database, room_id, seq):
    """What stands with the message."""
    message = await of(database, room_id, seq)
    return [tuple(each) for each in reactions.unpacked(message.reactions)]


async def said(database, who, room_id, body="tea?"):
    return (await world.says(database, who, room_id, body))[0].seq


async def last_number(database, room_id):
    return await database.fetch_value(select(rooms.c.last_seq).where(rooms.c.id == room_id))


async def test_each_is_counted_once_in_the_order_of_first_use(database, ann, bob, lab):
    seq = await said(database, ann, lab)
    for who, sign in ((bob, TEA), (ann, THUMB), (ann, TEA), (bob, TEA)):
        await reacts(database, who, lab, seq, sign)
    assert await shown(database, lab, seq) == [(TEA, 2, (bob.id, ann.id)), (THUMB, 1, (ann.id,))]
    await reacts(database, bob, lab, seq, TEA, on=False)
    await reacts(database, ann, lab, seq, THUMB, on=False)
    assert await shown(database, lab, seq) == [(TEA, 1, (ann.id,))]
    await reacts(database, ann, lab, seq, TEA, on=False)
    message = await of(database, lab, seq)
    assert message.reactions is None
    assert message.is_plain


async def test_a_change_takes_one_number_and_the_same_again_takes_none(database, ann, bob, lab):
    seq = await said(database, ann, lab)
    done = await reacts(database, bob, lab, seq)
    assert [(row.seq, row.changed_seq) for row in done.messages] == [(seq, seq + 1)]
    assert done.patient
    for on in (True, False, False, True):
        before = await last_number(database, lab)
        changed = (await reacts(database, bob, lab, seq, on=on)).messages
        assert await last_number(database, lab) == before + len(changed)
    assert await last_number(database, lab) == seq + 3
    found = await messages.changes(database, lab, seq)
    assert found is not None
    assert [row.seq for row in found.messages] == [seq]
    assert found.seq == seq + 3


async def test_nothing_becomes_unread(database, ann, bob, lab):
    seq = await said(database, bob, lab)
    async with database.transaction() as tx:
        await unread.apply_marks(tx, {(lab, ann.id): unread.Mark(seq)})
    await reacts(database, bob, lab, seq)
    assert (await unread.counts(database, [(lab, ann.id)]))[lab, ann.id].unread == 0


async def test_only_members_react_and_only_to_messages_that_are_there(database, ann, bob, cat, lab):
    seq = await said(database, ann, lab)
    with pytest.raises(Forbidden):
        await reacts(database, cat, lab, seq)
    await reacts(database, bob, lab, seq)
    await world.leaves(database, bob, lab)
    for on in (True, False):
        with pytest.raises(Forbidden):
            await reacts(database, bob, lab, seq, on=on)
    with pytest.raises(Refused, match="not_a_message"):
        await reacts(database, ann, lab, 1)
    for number in (0, 99):
        with pytest.raises(Missing):
            await reacts(database, ann, lab, number)
    async with database.transaction() as tx:
        room = await tx.fetch_one(select(rooms).where(rooms.c.id == lab))
        await messages.change(tx, room, seq, kind="deleted", body="")
    with pytest.raises(Missing):
        await reacts(database, ann, lab, seq)
    assert await shown(database, lab, seq) == [(THUMB, 1, (bob.id,))], "who left has reacted"


async def test_a_message_has_so_many_different_ones_and_no_more(database, ann, bob, lab):
    seq = await said(database, ann, lab)
    signs = [chr(0x1F600 + n) for n in range(reactions.EMOJI_MOST + 1)]
    for sign in signs[:-1]:
        await reacts(database, ann, lab, seq, sign)
    with pytest.raises(Invalid) as refusal:
        await reacts(database, bob, lab, seq, signs[-1])
    assert refusal.value.codes == {"emoji": "reactions_full"}
    assert str(reactions.EMOJI_MOST) in refusal.value.fields["emoji"]
    await reacts(database, bob, lab, seq, signs[0])
    await reacts(database, ann, lab, seq, signs[1], on=False)
    await reacts(database, bob, lab, seq, signs[-1])
    assert len(await shown(database, lab, seq)) == reactions.EMOJI_MOST


async def test_of_a_crowd_the_first_are_listed_and_who_comes_next_moves_up(
    database, ann, bob, lab, monkeypatch
):
    monkeypatch.setattr(reactions, "LISTED_MOST", 3)
    people = [await world.person(database, f"Guest {n}") for n in range(5)]
    for each in people:
        await world.carry_out(database, world.JoinRoom(each.id, lab))
    seq = await said(database, ann, lab)
    for each in people:
        await reacts(database, each, lab, seq)
    ids = [each.id for each in people]
    assert await shown(database, lab, seq) == [(THUMB, 5, tuple(ids[:3]))]
    message = await of(database, lab, seq)
    assert reactions.is_crowded(message)
    assert await reactions.of_user(database, lab, ids[4], [seq]) == {seq: {THUMB}}
    assert await reactions.of_user(database, lab, ann.id, [seq]) == {}
    await reacts(database, people[4], lab, seq, on=False)
    await reacts(database, people[0], lab, seq, on=False)
    ((_, count, listed),) = await shown(database, lab, seq)
    assert (count, set(listed)) == (3, set(ids[1:4]))
    named = [each.name for each in await reactions.who(database, lab, seq, THUMB)]
    assert sorted(named) == ["Guest 1", "Guest 2", "Guest 3"]


async def test_who_ended_their_account_has_still_reacted_and_a_room_takes_all_along(
    database, ann, bob, lab
):
    seq = await said(database, ann, lab)
    await reacts(database, bob, lab, seq)
    await world.carry_out(database, DeleteAccount(bob.id))
    assert await shown(database, lab, seq) == [(THUMB, 1, (bob.id,))]
    assert [each.name for each in await reactions.who(database, lab, seq, THUMB)] == [
        "deleted account"
    ]
    await world.carry_out(database, DeleteRoom(ann.id, lab))
    assert await database.fetch_all(select(rows)) == []


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_people_do_in_any_order_comes_to_what_a_set_would_have(
    database, ann, bob, cat, lab, seed, monkeypatch
):
    monkeypatch.setattr(reactions, "LISTED_MOST", 2)
    monkeypatch.setattr(reactions, "EMOJI_MOST", 3)
    await world.carry_out(database, world.JoinRoom(cat.id, lab))
    dice = random.Random(seed)
    seqs = [await said(database, ann, lab) for _ in range(2)]
    truth: set[tuple[int, str, int]] = set()
    number = await last_number(database, lab)
    for _ in range(60):
        who, seq = dice.choice([ann, bob, cat]), dice.choice(seqs)
        sign, on = dice.choice([THUMB, HEART, TEA, "😀"]), dice.random() < 0.6
        before = set(truth)
        try:
            await reacts(database, who, lab, seq, sign, on=on)
        except Invalid:
            used = {emoji for where, emoji, _ in truth if where == seq}
            assert (on, len(used), sign in used) == (True, 3, False)
        else:
            (truth.add if on else truth.discard)((seq, sign, who.id))
        number += truth != before
    assert await last_number(database, lab) == number
    stored = await database.fetch_all(select(rows.c.seq, rows.c.emoji, rows.c.user_id))
    assert set(map(tuple, stored)) == truth
    for seq in seqs:
        for sign, count, listed in await shown(database, lab, seq):
            theirs = {user for where, emoji, user in truth if (where, emoji) == (seq, sign)}
            assert count == len(theirs)
            assert set(listed) <= theirs
            assert len(listed) == min(count, 2)
        assert {sign for sign, *_ in await shown(database, lab, seq)} == {
            emoji for where, emoji, _ in truth if where == seq
        }


# -- what is an emoji ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "regular"),
    [
        ("👍", "👍"),
        ("👍\ufe0f", "👍"),
        ("❤", "❤️"),
        ("❤️", "❤️"),
        ("👍🏽", "👍🏽"),
        ("1\u20e3", "1️⃣"),
        ("🇩🇪", "🇩🇪"),
        ("👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        ("🏳\u200d🌈", "🏳️‍🌈"),
        ("🧑🏻‍🤝‍🧑🏿", "🧑🏻‍🤝‍🧑🏿"),
        ("👩🏻‍❤‍💋‍👨🏿", "👩🏻‍❤️‍💋‍👨🏿"),
    ],
)
def test_an_emoji_is_one_however_it_is_written(written, regular):
    assert emoji.regular(written) == regular
    assert emoji.regular(regular) == regular


NOT_ONE = (
    *("", "a", "1", "#", ":+1:", "<b>", "👍👍", "👍 ", " 👍", "é", "\u200d", "\ufe0f", "🏽", "🇩"),
    *("👍" * 50, "👍\u200d", "👍🏽🏽", "\x00", "👍\x00", "🇩🇪🇩🇪", "\ud83d", "x" * 5000),
)


@pytest.mark.parametrize("text", NOT_ONE)
def test_nothing_else_is_an_emoji(text):
    assert emoji.regular(text) is None
