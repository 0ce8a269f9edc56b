"""Threads: what stands under their first message, who follows them, and what of them is not read."""

from uuid import uuid4

import pytest

from chatapp.domain import following, inbox, messages, notices, threads, unread
from chatapp.domain.commands import DeleteMessage, EditProfile, Message, RestoreMessage
from chatapp.domain.posts import apply_posts
from chatapp.errors import Missing
from tests.domain import world
from tests.domain.world import a_post


@pytest.fixture
async def tea(database, ann, lab) -> int:
    (asked,) = await world.says(database, ann, lab, "Earl Grey at four?")
    return asked.seq


async def root(database, lab, seq) -> Message:
    found = await messages.find(database, lab, seq)
    assert found is not None
    return found


async def summary(database, lab, seq):
    return threads.summary((await root(database, lab, seq)).thread)


async def commits(database, posts):
    async with database.transaction() as tx:
        return (await apply_posts(tx, posts))[1]


async def waits(database, who, room) -> int:
    """How many threads that somebody follows have something unread."""
    return (await unread.counts(database, [(room, who.id)]))[room, who.id].threads


async def followed(database, who):
    found = await following.of_user(database, who.id)
    return [(thread.seq, thread.count, thread.unread) for thread in found]


async def reads(database, who, room, seq):
    async with database.transaction() as tx:
        await unread.apply_marks(tx, {(room, who.id): unread.Mark(seq)})


async def test_the_first_message_says_what_its_thread_has_come_to(database, ann, bob, lab, tea):
    assert await summary(database, lab, tea) is None
    first = await world.answers(database, bob, lab, tea)
    said = await summary(database, lab, tea)
    assert (said.n, said.last, said.at) == (1, first.seq, first.at)
    second = await world.answers(database, ann, lab, first.seq)
    third = await world.answers(database, bob, lab, tea)
    said = await summary(database, lab, tea)
    assert (said.n, said.last) == (3, third.seq)
    assert [face.user_id for face in said.who] == [ann.id, bob.id]
    assert said.who[0].initials == "AA"
    assert second.thread_seq == tea


async def test_faces_are_of_the_last_three(database, ann, bob, cat, lab, tea):
    dan, eve = [await world.person(database, name) for name in ("Dan Dyer", "Eve Eager")]
    for guest in (cat, dan, eve):
        await world.carry_out(database, world.JoinRoom(guest.id, lab))
    for who in (bob, cat, dan, eve, cat):
        await world.answers(database, who, lab, tea)
    said = await summary(database, lab, tea)
    assert [face.user_id for face in said.who] == [dan.id, eve.id, cat.id]


async def test_a_batch_changes_each_first_message_once_under_the_next_number(
    database, ann, bob, lab, tea
):
    (cake,) = await world.says(database, ann, lab, "Cake?")
    den = await world.opens(database, ann, "Den")
    (hi,) = await world.says(database, ann, den, "Hi")
    done = await commits(
        database,
        [
            a_post(bob, lab, "1", reply=tea),
            a_post(ann, den, "2", reply=hi.seq),
            a_post(ann, lab, "3", reply=cake.seq),
            a_post(bob, lab, "4", reply=tea),
            a_post(bob, lab, "5"),
        ],
    )
    of_lab = [(m.seq, m.changed_seq) for m in done.messages if m.room_id == lab]
    start = cake.seq
    new = [(n, n) for n in range(start + 1, start + 5)]
    assert of_lab == [*new, (tea, start + 5), (cake.seq, start + 6)]
    for message in done.messages:
        assert await root(database, message.room_id, message.seq) == message
    assert (await world.says(database, ann, lab, "next"))[0].seq == start + 7
    assert done.followers == {lab: {ann.id, bob.id}, den: {ann.id}}


async def test_posts_that_answer_nothing_take_one_number_each(database, ann, lab, tea):
    done = await commits(database, [a_post(ann, lab, "1"), a_post(ann, lab, "2")])
    assert [m.changed_seq for m in done.messages] == [tea + 1, tea + 2]
    assert done.followers == {}


async def test_an_answer_sent_again_changes_nothing(database, bob, lab, tea):
    answer = a_post(bob, lab, "Yes.", str(uuid4()), reply=tea)
    await commits(database, [answer])
    before = await root(database, lab, tea)
    assert (await commits(database, [answer])).messages == []
    assert await root(database, lab, tea) == before


async def test_whoever_wrote_in_it_follows_it(database, ann, bob, cat, lab, tea):
    await world.carry_out(database, world.JoinRoom(cat.id, lab))
    await world.answers(database, bob, lab, tea)
    assert await followed(database, ann) == [(tea, 1, 1)]
    assert await followed(database, bob) == [(tea, 1, 0)]
    assert await followed(database, cat) == []
    assert (await waits(database, ann, lab), await waits(database, bob, lab)) == (1, 0)
    await world.answers(database, ann, lab, tea)
    assert await followed(database, bob) == [(tea, 2, 1)]
    assert await waits(database, ann, lab) == 0, "what somebody writes below, they have read above"


async def test_a_choice_holds(database, ann, bob, cat, lab, tea):
    await world.carry_out(database, world.JoinRoom(cat.id, lab))

    async def chooses(who, *, follows):
        async with database.transaction() as tx:
            await following.apply_choice(tx, who.id, lab, tea, follows=follows)

    await chooses(cat, follows=True)
    await chooses(ann, follows=False)
    done = await commits(database, [a_post(bob, lab, "Yes.", reply=tea)])
    assert done.followers == {lab: {bob.id, cat.id}}
    assert await followed(database, cat) == [(tea, 1, 1)]
    assert await followed(database, ann) == []
    await chooses(cat, follows=False)
    await chooses(ann, follows=True)
    assert await waits(database, cat, lab) == 0
    assert await waits(database, ann, lab) == 1
    assert await following.is_following(database, ann.id, lab, tea)
    assert not await following.is_following(database, cat.id, lab, tea)


async def test_what_was_read_in_the_thread_or_in_the_room_is_read(database, ann, bob, lab, tea):
    first = await world.answers(database, bob, lab, tea)
    await world.answers(database, bob, lab, tea)
    async with database.transaction() as tx:
        assert await following.apply_read(tx, ann.id, lab, tea, first.seq)
        assert not await following.apply_read(tx, ann.id, lab, tea, 1), "it only rises"
    assert await followed(database, ann) == [(tea, 2, 1)]
    count = (await unread.counts(database, [(lab, ann.id)]))[lab, ann.id]
    assert (count.unread, count.threads) == (2, 1), "in the room they are unread all the same"
    last = await world.answers(database, bob, lab, tea)
    await reads(database, ann, lab, last.seq)
    assert await followed(database, ann) == [(tea, 3, 0)]
    assert await waits(database, ann, lab) == 0


async def test_a_deleted_answer_is_not_unread_and_a_deleted_beginning_ends_nothing(
    database, ann, bob, lab, tea
):
    first = await world.answers(database, bob, lab, tea)
    await world.changes(database, lab, first.seq, kind="deleted", body="")
    assert await waits(database, ann, lab) == 0
    await world.changes(database, lab, tea, kind="deleted", body="")
    await world.answers(database, bob, lab, tea)
    assert await waits(database, ann, lab) == 1
    (thread,) = await following.of_user(database, ann.id)
    assert (thread.text, thread.count) == ("", 2)
    assert (await threads.first(database, lab, first.seq)).seq == tea


async def test_who_left_follows_nothing_and_comes_back_without_what_was_missed(
    database, ann, bob, lab, tea
):
    await world.answers(database, bob, lab, tea)
    await world.leaves(database, bob, lab)
    done = await commits(database, [a_post(ann, lab, "Still there?", reply=tea)])
    assert done.followers == {lab: {ann.id, bob.id}}
    assert await followed(database, bob) == []
    assert (await unread.counts(database, [(lab, bob.id)])) == {}, "so nobody tells them"
    await world.carry_out(database, world.JoinRoom(bob.id, lab))
    assert await followed(database, bob) == [(tea, 2, 0)]


async def test_unread_threads_come_first_then_the_newest(database, ann, bob, lab):
    asked = [m.seq for m in await world.says(database, ann, lab, "one", "two", "three")]
    for seq in asked:
        await world.answers(database, bob, lab, seq)
    last = (await root(database, lab, asked[0])).changed_seq + 10
    await reads(database, ann, lab, last)
    await world.answers(database, bob, lab, asked[1])
    assert (await followed(database, ann))[0][0] == asked[1]
    assert {unread for _, _, unread in await followed(database, ann)} == {0, 1}


async def test_a_thread_is_read_in_pages_from_its_end(database, ann, bob, lab, tea):
    told = []
    for n in range(7):
        told.append((await world.answers(database, bob, lab, tea, str(n))).seq)
        await world.says(database, ann, lab, "something else")
    page = await messages.answers(database, lab, tea, None, 3)
    assert ([m.seq for m in page.messages], page.older) == (told[4:], told[4])
    page = await messages.answers(database, lab, tea, told[4], 3)
    assert ([m.seq for m in page.messages], page.older) == (told[1:4], told[1])
    page = await messages.answers(database, lab, tea, told[1], 3)
    assert ([m.seq for m in page.messages], page.older) == (told[:1], None)


async def test_a_thread_begins_with_a_message(database, lab, tea):
    for seq in (1, 99):
        with pytest.raises(Missing):
            await threads.first(database, lab, seq)
    assert (await threads.first(database, lab, tea)).seq == tea


async def test_where_only_mentions_are_wanted_a_followed_thread_is_told_of(
    database, ann, bob, lab, tea
):
    await notices.choose(database, lab, ann.id, "mentions")
    await world.says(database, bob, lab, "nothing for ann")
    assert await notices.newest(database, lab, ann.id) is None
    answer = await world.answers(database, bob, lab, tea)
    assert await notices.newest(database, lab, ann.id) == answer.seq
    assert unread.total(await unread.of_user(database, ann.id)) == 1
    assert await inbox.of_user(database, ann.id) == [], "but nobody was named"
    async with database.transaction() as tx:
        await following.apply_choice(tx, ann.id, lab, tea, follows=False)
    assert await notices.newest(database, lab, ann.id) is None


async def test_an_answer_that_is_deleted_counts_no_more_and_counts_again_when_it_is_back(
    database, ann, bob, lab, tea
):
    yes = await world.answers(database, bob, lab, tea, "Yes.")
    so = await world.answers(database, ann, lab, tea, "So be it.")
    before = await summary(database, lab, tea)
    gone = await world.carry_out(database, DeleteMessage(ann.id, lab, so.seq))
    start = before.last + 2
    assert [(m.seq, m.changed_seq) for m in gone.messages] == [(so.seq, start), (tea, start + 1)]
    now = await summary(database, lab, tea)
    assert (now.n, now.last, now.at) == (1, yes.seq, yes.at)
    assert [face.user_id for face in now.who] == [bob.id]
    await world.carry_out(database, RestoreMessage(ann.id, lab, so.seq))
    assert await summary(database, lab, tea) == before


async def test_a_thread_whose_answers_are_all_deleted_is_none_until_somebody_answers(
    database, ann, bob, lab, tea
):
    yes = await world.answers(database, bob, lab, tea, "Yes.")
    gone = await world.carry_out(database, DeleteMessage(bob.id, lab, yes.seq))
    assert gone.messages[-1] == await root(database, lab, tea)
    assert await summary(database, lab, tea) is None
    assert await followed(database, ann) == []
    await world.answers(database, bob, lab, tea, "Perhaps.")
    assert (await summary(database, lab, tea)).n == 1
    assert await followed(database, ann) == [(tea, 1, 1)]


async def test_what_stands_under_the_first_message_has_the_looks_of_today_after_a_deletion(
    database, ann, bob, lab, tea
):
    yes = await world.answers(database, bob, lab, tea, "Yes.")
    await world.answers(database, bob, lab, tea, "Gladly.")
    await world.carry_out(database, EditProfile(bob.id, "Zed", 3))
    await world.carry_out(database, DeleteMessage(bob.id, lab, yes.seq))
    (face,) = (await summary(database, lab, tea)).who
    assert (face.initials, face.hue) == ("Z", 3)
