"""Answers: messages in their place that quote another one as it is now."""

import random
from uuid import uuid4

import pytest

from chatapp.domain import inbox, messages, quotes
from chatapp.domain.commands import EditProfile, Message
from tests.domain import world
from tests.domain.world import a_post


@pytest.fixture
async def tea(database, ann, lab) -> int:
    """Ann asks; the number of that."""
    (asked,) = await world.says(database, ann, lab, "**Earl Grey** at four?")
    return asked.seq


def codes(outcomes):
    return [o.seq if isinstance(o, Message) else o.code for o in outcomes]


async def row(database, room, seq):
    found = await messages.find(database, room, seq)
    assert found is not None
    return found


async def test_an_answer_stands_in_the_log_and_quotes_what_it_answers(database, bob, lab, tea):
    answer = await world.answers(database, bob, lab, tea, "Gladly.")
    assert (answer.seq, answer.reply_seq, answer.thread_seq) == (tea + 1, tea, tea)
    assert answer.quote is not None
    assert (answer.quote.author_name, answer.quote.text) == ("Ann Archer", "Earl Grey at four?")
    assert await row(database, lab, answer.seq) == answer, "the writer says what a reader reads"
    assert (await row(database, lab, tea)).quote is None


async def test_an_answer_to_an_answer_belongs_to_the_same_thread(database, ann, bob, lab, tea):
    first = await world.answers(database, bob, lab, tea)
    second = await world.answers(database, ann, lab, first.seq)
    third = await world.answers(database, bob, lab, second.seq)
    assert [m.reply_seq for m in (first, second, third)] == [tea, first.seq, second.seq]
    assert {m.thread_seq for m in (first, second, third)} == {tea}


async def test_a_batch_of_answers_and_others(database, ann, bob, lab, tea):
    den = await world.opens(database, bob, "Den")
    posts = [
        a_post(ann, lab, "one", reply=tea),
        a_post(bob, lab, "two"),
        a_post(bob, den, "three", reply=2),
        a_post(bob, lab, "four", reply=tea),
    ]
    found = await world.store(database, posts)
    assert codes(found) == [tea + 1, tea + 2, "reply_gone", tea + 3]
    assert [row.reply_seq for row in (await world.log_of(database, lab))[-3:]] == [tea, None, tea]


async def test_what_is_not_in_the_room_cannot_be_answered(database, ann, bob, lab, tea):
    den = await world.opens(database, bob, "Den")
    await world.says(database, bob, den, "a secret", "another", "and another")
    for room, reply in ((lab, 1), (lab, 99), (lab, -1), (lab, tea + 1)):
        refused = await world.store(database, [a_post(ann, room, "words", reply=reply)])
        assert codes(refused) == ["reply_gone"], reply
    assert codes(await world.store(database, [a_post(ann, lab, "words")])) == [tea + 1]


async def test_what_was_deleted_while_somebody_answered_is_answered_all_the_same(
    database, ann, bob, lab, tea
):
    await world.changes(database, lab, tea, kind="deleted", body="")
    answer = await world.answers(database, bob, lab, tea, "Gladly.")
    assert answer.quote is not None
    assert (answer.quote.author_name, answer.quote.text) == ("Ann Archer", "")
    assert await row(database, lab, answer.seq) == answer


async def test_a_key_says_also_what_is_answered(database, bob, lab, tea):
    key = str(uuid4())
    answer = a_post(bob, lab, "Gladly.", key, reply=tea)
    assert codes(await world.store(database, [answer, answer])) == [tea + 1, tea + 1]
    assert codes(await world.store(database, [answer])) == [tea + 1]
    other = [a_post(bob, lab, "Gladly.", key), a_post(bob, lab, "Gladly.", key, reply=tea + 1)]
    assert codes(await world.store(database, other)) == ["key_reused", "key_reused"]


async def test_what_is_quoted_calls_nobody_again(database, ann, bob, lab):
    (asked,) = await world.says(database, ann, lab, "@Bob Baker tea?")
    assert len(await inbox.of_user(database, bob.id)) == 1
    await world.answers(database, ann, lab, asked.seq, "Well?")
    assert len(await inbox.of_user(database, bob.id)) == 1


async def test_a_quote_is_the_original_as_it_is_now(database, ann, bob, lab, tea):
    answer = await world.answers(database, bob, lab, tea)

    async def quoted():
        page = await messages.newest(database, lab)
        found = next(message for message in page.messages if message.seq == answer.seq).quote
        assert found is not None
        return found.author_name, found.text

    await world.changes(database, lab, tea, body="Coffee at five?", edited_at=1)
    assert await quoted() == ("Ann Archer", "Coffee at five?")
    await world.carry_out(database, EditProfile(ann.id, "Anna", 5))
    assert await quoted() == ("Anna", "Coffee at five?")
    await world.changes(database, lab, tea, kind="deleted", body="")
    assert await quoted() == ("Anna", "")
    for stored in await world.log_of(database, lab):
        assert "Grey" not in str(tuple(stored)), "nothing of it is left in the answer"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("Tea?", "Tea?"),
        ("Some\n\nlines *with*\nand `code`", "Some lines with and code"),
        ("see [this](https://x.example) @Ann", "see this @Ann"),
        ("<b>not</b> bold", "<b>not</b> bold"),
        ("x" * 140, "x" * 140),
        ("x" * 141, "x" * 139 + "…"),
        ("word " * 100, "word " * 27 + "word…"),
        (" " * 600 + "seen", "…"),
    ],
)
def test_a_quote_is_the_first_words_in_one_line(body, shown):
    assert quotes.beginning(body[: quotes.READ_CHARACTERS]) == shown


async def test_pages_and_catching_up_read_the_same_rows(database, ann, bob, lab):
    """Whatever way a row is read, with whatever was changed."""
    dice = random.Random(8)
    told = [m.seq for m in await world.says(database, ann, lab, "one", "two", "three")]
    for n in range(30):
        who = dice.choice([ann, bob])
        if dice.random() < 0.3:
            await world.changes(database, lab, dice.choice(told), body=f"changed {n}", edited_at=n)
        elif dice.random() < 0.1:
            await world.changes(database, lab, dice.choice(told), kind="deleted", body="")
        else:
            told.append((await world.answers(database, who, lab, dice.choice(told), f"w {n}")).seq)
    page = {m.seq: m for m in (await messages.newest(database, lab)).messages}
    back = await messages.changes(database, lab, 0)
    assert back is not None
    assert {m.seq: m for m in back.messages} == page
    assert {m.seq: m for m in await messages.latest(database, lab)} == page
    around = await messages.around(database, lab, told[10])
    assert all(page[m.seq] == m for m in around.messages)
