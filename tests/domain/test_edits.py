"""Editing and deleting messages: who may, what stays, and that what is gone is gone."""

import asyncio

import pytest
from sqlalchemy import select, update

from chatapp.domain import deletions, edits, inbox, messages, search_index, unread
from chatapp.domain.commands import (
    Committed,
    DeleteAccount,
    DeleteMessage,
    DeleteRoom,
    EditMessage,
    Message,
    React,
    RestoreMessage,
)
from chatapp.domain.deletions import UNDO_SECONDS
from chatapp.errors import ChatError, Conflict, Forbidden, Missing, SignedOut
from chatapp.tables import deletions as deleted_rows
from chatapp.tables import mentions as named_rows
from chatapp.tables import messages as rows
from chatapp.tables import metadata, reactions, revisions
from tests.domain import world
from tests.domain.world import a_post

DAY = 86_400
WORDS = "the safe opens with swordfish"


async def edit(database, who, room, seq, body, base=0, within=DAY, here=()) -> Committed:
    command = EditMessage(who.id, room, seq, body, base, within, here)
    return await world.carry_out(database, command)


async def delete(database, who, room, seq) -> Committed:
    return await world.carry_out(database, DeleteMessage(who.id, room, seq))


async def restore(database, who, room, seq) -> Committed:
    return await world.carry_out(database, RestoreMessage(who.id, room, seq))


async def says(database, who, room, body="hello") -> int:
    return (await world.says(database, who, room, body))[0].seq


async def message(database, room, seq) -> Message:
    found = await messages.find(database, room, seq)
    assert found is not None
    return found


async def said(database, room, seq) -> list[tuple[int, str]]:
    """All versions of a message, newest first."""
    now = await message(database, room, seq)
    return [(each.n, each.body) for each in await edits.versions(database, now)]


async def named(database, room, seq) -> set[int]:
    query = select(named_rows.c.user_id).where(
        named_rows.c.room_id == room, named_rows.c.seq == seq
    )
    return {row.user_id for row in await database.fetch_all(query)}


async def counts(database, who, room) -> tuple[int, int]:
    found = (await unread.counts(database, [(room, who.id)]))[room, who.id]
    return found.unread, found.mentions


async def is_too_old(database, room, seq, seconds: int) -> None:
    """As if it had been posted so long ago."""
    async with database.transaction() as tx:
        await tx.execute(
            update(rows)
            .where(rows.c.room_id == room, rows.c.seq == seq)
            .values(at=rows.c.at - seconds * 1000)
        )


async def ten_seconds_pass(database) -> None:
    async with database.transaction() as tx:
        past = deleted_rows.c.until - UNDO_SECONDS * 1000
        await tx.execute(update(deleted_rows).values(until=past))


async def wipe(database) -> set[int]:
    async with database.transaction() as tx:
        return await deletions.wipe(tx)


async def everywhere(database, words: str) -> list[str]:
    """The tables in which these words stand."""
    found = {
        table.name: await database.fetch_all(select(table)) for table in metadata.sorted_tables
    }
    return [name for name, rows in found.items() if words in str([[*row] for row in rows])]


# -- editing ------------------------------------------------------------------------


async def test_an_edit_takes_a_number_and_keeps_its_place_and_what_was_said(database, bob, lab):
    seq = await says(database, bob, lab, "helo")
    done = await edit(database, bob, lab, seq, "hello")
    now = await message(database, lab, seq)
    assert (now.seq, now.changed_seq, now.body) == (3, 4, "hello")
    assert now.edited_at is not None
    assert now.edited_at >= now.at
    assert done.messages == [now]
    await edit(database, bob, lab, seq, "hello!", base=1)
    assert await said(database, lab, seq) == [(2, "hello!"), (1, "hello"), (0, "helo")]


async def test_the_same_text_is_no_edit(database, bob, lab):
    seq = await says(database, bob, lab)
    for base in (0, 7):
        assert (await edit(database, bob, lab, seq, "hello", base=base)).messages == []
    now = await message(database, lab, seq)
    assert (now.changed_seq, now.edited_at) == (seq, None)


async def test_an_edit_of_what_has_changed_since_is_refused(database, bob, lab):
    seq = await says(database, bob, lab)
    await edit(database, bob, lab, seq, "from one window")
    with pytest.raises(Conflict) as refused:
        await edit(database, bob, lab, seq, "from another")
    assert refused.value.code == "message_changed"
    await edit(database, bob, lab, seq, "from another", base=1)
    assert (await message(database, lab, seq)).body == "from another"


async def test_of_two_edits_at_once_one_is_refused(database, bob, lab):
    seq = await says(database, bob, lab)
    ends = await asyncio.gather(
        *(edit(database, bob, lab, seq, f"window {n}") for n in range(2)), return_exceptions=True
    )
    assert sorted(type(end).__name__ for end in ends) == ["Committed", "Conflict"]
    assert len(await said(database, lab, seq)) == 2


@pytest.mark.parametrize(
    ("who", "code"), [("ann", "not_author"), ("cat", "not_member"), ("bob", "edit_late")]
)
async def test_only_its_author_edits_a_message_and_only_for_a_while(
    database, request, ann, bob, cat, lab, who, code
):
    seq = await says(database, bob, lab)
    if who == "bob":
        await is_too_old(database, lab, seq, DAY)
    with pytest.raises(Forbidden) as refused:
        await edit(database, request.getfixturevalue(who), lab, seq, "mine")
    assert refused.value.code == code
    assert (await message(database, lab, seq)).body == "hello"


async def test_where_editing_is_off_nothing_can_be_edited(database, bob, lab):
    seq = await says(database, bob, lab)
    with pytest.raises(Forbidden):
        await edit(database, bob, lab, seq, "new", within=0)
    assert not await edits.may_edit(database, await message(database, lab, seq), bob.id, 0)
    assert await edits.may_edit(database, await message(database, lab, seq), bob.id, DAY)


async def test_who_has_left_or_has_no_account_any_more_changes_nothing(database, bob, cat, lab):
    seq = await says(database, bob, lab)
    await world.leaves(database, bob, lab)
    for command in (EditMessage(bob.id, lab, seq, "x", 0, DAY), DeleteMessage(bob.id, lab, seq)):
        with pytest.raises(Forbidden) as refused:
            await world.carry_out(database, command)
        assert refused.value.code == "not_member"
    await world.carry_out(database, DeleteAccount(bob.id))
    for command in (EditMessage(bob.id, lab, seq, "x", 0, DAY), DeleteMessage(bob.id, lab, seq)):
        with pytest.raises(SignedOut):
            await world.carry_out(database, command)
    assert (await message(database, lab, seq)).body == "hello"


@pytest.mark.parametrize("seq", [1, 99])
async def test_events_and_what_is_not_there_cannot_be_changed(database, ann, lab, seq):
    for act in (
        edit(database, ann, lab, seq, "x"),
        delete(database, ann, lab, seq),
        restore(database, ann, lab, seq),
    ):
        with pytest.raises(Missing):
            await act


async def test_a_message_has_so_many_versions_and_no_more(database, bob, lab, monkeypatch):
    monkeypatch.setattr(edits, "VERSIONS_MOST", 3)
    seq = await says(database, bob, lab, "0")
    for n in range(3):
        await edit(database, bob, lab, seq, str(n + 1), base=n)
    with pytest.raises(Conflict) as refused:
        await edit(database, bob, lab, seq, "once more", base=3)
    assert refused.value.code == "edited_often"
    assert len(await said(database, lab, seq)) == 4


async def test_with_a_room_go_all_former_texts_in_it(database, ann, bob, lab):
    seq, other = await says(database, bob, lab), await says(database, bob, lab)
    await edit(database, bob, lab, seq, "new")
    await delete(database, bob, lab, other)
    await world.carry_out(database, DeleteRoom(ann.id, lab))
    assert await database.fetch_all(select(revisions)) == []
    assert await database.fetch_all(select(deleted_rows)) == []


async def test_an_edit_moves_nothing_in_what_is_unread(database, ann, bob, lab):
    seq = await says(database, bob, lab)
    await world.says(database, bob, lab, "more")
    assert await counts(database, ann, lab) == (2, 0)
    await edit(database, bob, lab, seq, "new")
    assert await counts(database, ann, lab) == (2, 0)


async def test_a_resend_of_an_edited_or_deleted_message_is_known(database, bob, lab):
    post = a_post(bob, lab, "once")
    [first] = await world.store(database, [post])
    assert isinstance(first, Message)
    for change in (
        edit(database, bob, lab, first.seq, "changed"),
        delete(database, bob, lab, first.seq),
    ):
        await change
        [again] = await world.store(database, [post])
        assert isinstance(again, Message)
        assert again.seq == first.seq
    assert (await message(database, lab, first.seq)).body == ""
    [other] = await world.store(database, [a_post(bob, lab, "other", post.key)])
    assert isinstance(other, Conflict)


# -- whom an edit names -------------------------------------------------------------


async def test_who_is_newly_named_is_told_and_who_is_not_any_more_has_none(
    database, ann, bob, cat, lab
):
    await world.carry_out(database, world.JoinRoom(cat.id, lab))
    seq = await says(database, bob, lab, "@Ann Archer look")
    assert await counts(database, ann, lab) == (1, 1)
    done = await edit(database, bob, lab, seq, "@Cat Carver look, not @Bob Baker")
    assert await named(database, lab, seq) == {cat.id}
    assert done.mentioned == {lab: {ann.id, cat.id}}
    assert await counts(database, ann, lab) == (1, 0)
    assert await counts(database, cat, lab) == (1, 1)
    assert await inbox.of_user(database, ann.id) == []
    assert [each.text for each in await inbox.of_user(database, cat.id)] == [
        "@Cat Carver look, not @Bob Baker"
    ]


async def test_who_stays_named_is_not_told_again(database, ann, bob, lab):
    seq = await says(database, bob, lab, "@Ann Archer helo")
    async with database.transaction() as tx:
        await inbox.apply_clear(tx, ann.id, lab, seq)
    done = await edit(database, bob, lab, seq, "@Ann Archer hello")
    assert done.mentioned == {}
    assert await counts(database, ann, lab) == (1, 0)


async def test_a_call_to_everybody_that_stays_calls_nobody_else(database, ann, bob, cat, lab):
    seq = await says(database, ann, lab, "@room tea")
    await world.carry_out(database, world.JoinRoom(cat.id, lab))
    await edit(database, ann, lab, seq, "@room tea!")
    assert await named(database, lab, seq) == {bob.id}
    await edit(database, ann, lab, seq, "tea", base=1)
    assert await named(database, lab, seq) == set()
    await edit(database, ann, lab, seq, "@here coffee", base=2, here=(cat.id, ann.id))
    assert await named(database, lab, seq) == {cat.id}
    await edit(database, ann, lab, seq, "@here, coffee", base=3, here=(bob.id, cat.id))
    assert await named(database, lab, seq) == {cat.id}
    await edit(database, ann, lab, seq, "@room coffee", base=4)
    assert await named(database, lab, seq) == {bob.id, cat.id}


async def test_who_may_not_call_everybody_any_more_does_not_by_an_edit(database, bob, cat):
    den = await world.opens(database, bob, "Den", cat)
    seq = await says(database, bob, den, "@room tea")
    assert await named(database, den, seq) == {cat.id}
    async with database.transaction() as tx:
        await tx.execute(update(world.rooms).values(owner_id=cat.id))
    await edit(database, bob, den, seq, "@room more tea")
    assert await named(database, den, seq) == set()
    assert (await message(database, den, seq)).marks is None


# -- deleting -----------------------------------------------------------------------


async def test_what_was_deleted_says_nothing_and_keeps_its_place(database, ann, bob, lab):
    seq = await says(database, bob, lab, f"@Ann Archer {WORDS}")
    await edit(database, bob, lab, seq, f"@Ann Archer {WORDS}!")
    assert await counts(database, ann, lab) == (1, 1)
    done = await delete(database, bob, lab, seq)
    now = await message(database, lab, seq)
    assert (now.kind, now.body, now.marks, now.edited_at) == ("deleted", "", None, None)
    assert (now.seq, now.changed_seq) == (3, 5)
    assert (done.messages, done.recounted) == ([now], {lab})
    assert await counts(database, ann, lab) == (0, 0)
    assert await unread.first(database, lab, ann.id, 0) is None
    assert await inbox.of_user(database, ann.id) == []
    with pytest.raises(Missing):
        await messages.living(database, lab, seq)
    with pytest.raises(Missing):
        await edit(database, bob, lab, seq, "back", base=1)


async def test_when_nobody_may_take_it_back_the_words_are_in_no_table(database, ann, bob, lab):
    seq = await says(database, bob, lab, f"@Ann Archer {WORDS}")
    await edit(database, bob, lab, seq, f"@Ann Archer {WORDS}!")
    await delete(database, bob, lab, seq)
    assert not await deletions.have_lapsed(database)
    assert await wipe(database) == set()
    assert await everywhere(database, "swordfish") == ["deletions", "revisions"]
    await ten_seconds_pass(database)
    assert await deletions.have_lapsed(database)
    assert await wipe(database) == {lab}
    assert await everywhere(database, "swordfish") == []
    assert not await deletions.have_lapsed(database)


async def test_the_index_of_words_keeps_none_of_them_either(database, bob, lab):
    async def index() -> None:
        while await search_index.is_behind(database):
            async with database.transaction() as tx:
                await search_index.apply_lot(tx)

    seq = await says(database, bob, lab, WORDS)
    await index()
    await edit(database, bob, lab, seq, f"{WORDS}!")
    await delete(database, bob, lab, seq)
    await index()
    await ten_seconds_pass(database)
    await wipe(database)
    assert await everywhere(database, "swordfish") == []


async def test_what_was_deleted_comes_back_as_it_was(database, ann, bob, lab):
    seq = await says(database, bob, lab, "@Ann Archer helo")
    await edit(database, bob, lab, seq, "@Ann Archer hello")
    async with database.transaction() as tx:
        await tx.execute(update(rows).where(rows.c.seq == seq).values(reactions="{}", pinned_at=7))
    before = await message(database, lab, seq)
    await delete(database, bob, lab, seq)
    assert await deletions.may_restore(database, lab, seq, bob.id)
    done = await restore(database, bob, lab, seq)
    now = await message(database, lab, seq)
    assert done.messages == [now]
    assert now.changed_seq == 6
    fields = ("kind", "body", "marks", "edited_at", "reactions", "pinned_at", "at", "key")
    assert [getattr(now, name) for name in fields] == [getattr(before, name) for name in fields]
    assert await said(database, lab, seq) == [(1, "@Ann Archer hello"), (0, "@Ann Archer helo")]
    assert await counts(database, ann, lab) == (1, 1)
    await ten_seconds_pass(database)
    assert await wipe(database) == set()
    assert len(await said(database, lab, seq)) == 2


async def test_who_reacted_comes_back_with_a_message_and_goes_with_it_for_good(
    database, ann, bob, lab
):
    seq = await says(database, bob, lab)
    await world.carry_out(database, React(ann.id, lab, seq, "\U0001f370", on=True))
    before = (await message(database, lab, seq)).reactions
    await delete(database, bob, lab, seq)
    assert (await message(database, lab, seq)).reactions is None
    with pytest.raises(Missing):
        await world.carry_out(database, React(ann.id, lab, seq, "\U0001f375", on=True))
    await restore(database, bob, lab, seq)
    assert (await message(database, lab, seq)).reactions == before
    await world.carry_out(database, React(ann.id, lab, seq, "\U0001f370", on=False))
    assert (await message(database, lab, seq)).reactions is None
    await world.carry_out(database, React(ann.id, lab, seq, "\U0001f370", on=True))
    await delete(database, bob, lab, seq)
    await ten_seconds_pass(database)
    await wipe(database)
    assert await database.fetch_all(select(reactions)) == []


async def test_what_somebody_had_cleared_does_not_come_back_to_them(database, ann, bob, lab):
    seq = await says(database, bob, lab, "@Ann Archer")
    async with database.transaction() as tx:
        await inbox.apply_clear(tx, ann.id, lab, seq)
    await delete(database, bob, lab, seq)
    await restore(database, bob, lab, seq)
    assert await counts(database, ann, lab) == (1, 0)


async def test_deleting_and_restoring_twice_is_once(database, bob, lab):
    seq = await says(database, bob, lab)
    await delete(database, bob, lab, seq)
    assert (await delete(database, bob, lab, seq)).messages == []
    await restore(database, bob, lab, seq)
    assert (await restore(database, bob, lab, seq)).messages == []
    assert (await message(database, lab, seq)).changed_seq == 5


async def test_moderators_delete_what_others_wrote_and_others_do_not(database, ann, bob, cat):
    den = await world.opens(database, bob, "Den", ann, cat)
    for who in (ann, bob, cat):  # an administrator, the owner, the author
        seq = await says(database, cat, den)
        await delete(database, who, den, seq)
        assert (await message(database, den, seq)).kind == "deleted"
    seq = await says(database, bob, den)
    with pytest.raises(Forbidden) as refused:
        await delete(database, cat, den, seq)
    assert refused.value.code == "not_moderator"
    await world.leaves(database, ann, den)
    with pytest.raises(Forbidden) as refused:
        await delete(database, ann, den, seq)
    assert refused.value.code == "not_member"


async def test_only_who_deleted_it_takes_it_back_and_only_in_time(database, ann, bob, lab):
    seq = await says(database, bob, lab)
    await delete(database, ann, lab, seq)
    assert not await deletions.may_restore(database, lab, seq, bob.id)
    with pytest.raises(Conflict):
        await restore(database, bob, lab, seq)
    await ten_seconds_pass(database)
    with pytest.raises(Conflict) as refused:
        await restore(database, ann, lab, seq)
    assert refused.value.code == "restore_over"


@pytest.mark.parametrize("time", range(3))
async def test_an_edit_that_races_a_deletion_exposes_nothing(database, bob, lab, time):
    seq = await says(database, bob, lab, WORDS)
    ends = await asyncio.gather(
        edit(database, bob, lab, seq, f"{WORDS} {time}"),
        delete(database, bob, lab, seq),
        return_exceptions=True,
    )
    assert all(isinstance(end, Committed | Missing) for end in ends), ends
    now = await message(database, lab, seq)
    assert (now.kind, now.body, now.edited_at) == ("deleted", "", None)
    await ten_seconds_pass(database)
    await wipe(database)
    assert await everywhere(database, "swordfish") == []


@pytest.mark.parametrize("time", range(3))
async def test_a_restore_that_races_the_wipe_brings_back_all_or_nothing(database, bob, lab, time):
    seq = await says(database, bob, lab, f"one {time}")
    await edit(database, bob, lab, seq, "two")
    await delete(database, bob, lab, seq)
    ends = await asyncio.gather(
        restore(database, bob, lab, seq),
        ten_seconds_pass(database),
        wipe(database),
        return_exceptions=True,
    )
    assert all(not isinstance(end, Exception) or isinstance(end, ChatError) for end in ends), ends
    await wipe(database)
    now = await message(database, lab, seq)
    left = await database.fetch_all(select(revisions))
    assert (now.kind, len(left)) in {("message", 1), ("deleted", 0)}


async def test_who_comes_back_hears_of_what_was_edited_and_deleted(database, bob, lab):
    first, second = await says(database, bob, lab, "one"), await says(database, bob, lab, "two")
    cursor = second
    await edit(database, bob, lab, first, "one!")
    await delete(database, bob, lab, second)
    found = await messages.changes(database, lab, cursor)
    assert found is not None
    assert [(row.seq, row.kind, row.body) for row in found.messages] == [
        (first, "message", "one!"),
        (second, "deleted", ""),
    ]
    assert await messages.has_changed(database, lab, cursor)
    assert not await messages.has_changed(database, lab, found.seq)


async def test_the_end_of_an_account_does_not_keep_a_deletion_from_ending(database, bob, lab):
    seq = await says(database, bob, lab, WORDS)
    await delete(database, bob, lab, seq)
    await world.carry_out(database, DeleteAccount(bob.id))
    await ten_seconds_pass(database)
    await wipe(database)
    assert await everywhere(database, "swordfish") == []
