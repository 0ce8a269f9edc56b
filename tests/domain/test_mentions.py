"""Whom a message names: found in what people write, stored for those who are meant."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from chatapp.domain import mentions, messages, text, unread
from chatapp.domain.accounts import apply_delete_account
from chatapp.domain.commands import DeleteAccount, DeleteRoom, JoinRoom
from chatapp.domain.markup import to_html
from chatapp.domain.mentions import EVERYBODY, MENTIONS_MOST, PRESENT, Mark
from chatapp.domain.posts import apply_posts
from chatapp.tables import mentions as rows
from tests.domain import world
from tests.domain.world import a_post

NAMES = (
    "Ann",
    "Ann Archer",
    "Bob",
    "Bob Baker",
    "Ann-Sophie",
    "C++",
    "Dr. Who",
    "O'Neil, Jr.",
    "Ünal Özdemir",
    "Straße",
    "李明",
    "李明明",
    "たろう",
    "김민수",
    "नेहा",
    "دانا",
    "דן",
    "Мария",
    "🦊",
    "👩‍🚀",
    "@home",
)
KEYS = {text.name_key(name): number for number, name in enumerate(NAMES, 1)}


def marked(body, known=KEYS):
    return mentions.resolve(mentions.signs(body), known)


def words(body, known=KEYS):
    return [body[mark.start : mark.start + mark.length] for mark in marked(body, known)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("@Ann", ["@Ann"]),
        ("hi @ann archer, and @BOB!", ["@ann archer", "@BOB"]),
        ("(@Bob) \"@Bob\" '@Bob' -@Bob ,@Bob", ["@Bob"] * 5),
        ("@Bob. @Bob? @Bob: @Bob's", ["@Bob"] * 4),
        ("@Ann Arch", ["@Ann"]),
        ("@Ann\u00a0Archer", ["@Ann\u00a0Archer"]),
        ("@Ann\nArcher", ["@Ann"]),
        ("@Ann  Archer", ["@Ann"]),
        ("@Ann-Sophie and @Ann-Marie", ["@Ann-Sophie", "@Ann"]),
        ("@C++ or @C", ["@C++"]),
        ("@dr. who, @o'neil, jr.", ["@dr. who", "@o'neil, jr."]),
        ("@ünal özdemir @STRASSE", ["@ünal özdemir", "@STRASSE"]),
        ("@\uff22\uff4f\uff42", ["@\uff22\uff4f\uff42"]),  # full-width letters
        ("@Bo\u200db", ["@Bo\u200db"]),  # unseen joiners make no other name
        ("请问@李明明你好", ["@李明明"]),
        ("@李明你好", ["@李明"]),
        ("@たろうさん、@김민수님", ["@たろう", "@김민수"]),
        ("@नेहा से, @دانا، @דן", ["@नेहा", "@دانا", "@דן"]),
        ("@Мария, @🦊! @👩‍🚀", ["@Мария", "@🦊", "@👩‍🚀"]),
        ("@@Bob", ["@Bob"]),
        ("@@home", ["@@home"]),
        ("@Ann@Bob", ["@Ann"]),  # the second follows a letter
        ("@Ann @Bob @Ann", ["@Ann", "@Bob", "@Ann"]),
        ("https://x.example/a @Bob https://x.example/b", ["@Bob"]),
    ],
)
def test_a_name_is_found_as_it_is_written(body, expected):
    assert words(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "ann@bob",
        "write to a@bob.example",
        "x_@Bob",
        "é@Bob",
        "1@Bob",
        "@",
        "@ Bob",
        "@Bobby",
        "@Bob_",
        "@Bob\u0301",  # another letter than b
        "@Вob",  # a look-alike is another name
        "@нехa",
        "http://x.example/@Bob",
        "https://x.example/?by=@Bob",
        "http://@Bob/",
        "social.example/@Bob",
        "@nobody",
        "@room @here",  # not by everybody
    ],
)
def test_what_is_no_name_is_text(body):
    assert marked(body) == []


@pytest.mark.parametrize("body", ["@room", "hi @Here!", "@ｒｏｏｍ", "@he\u200dre", "@ROOM5"])
def test_a_call_to_all_is_noticed_however_it_is_written(body):
    assert mentions.may_call_all(body)
    assert mentions.wants_present(body) is ("e" in body)
    assert not mentions.may_call_all("@ann, the room is here")


def test_a_mark_counts_code_points():
    assert marked("🦊🦊 @🦊!") == [Mark(3, 2, KEYS["🦊"])]
    assert mentions.packed([Mark(3, 2, 17)]) == "[[3,2,17]]"
    assert mentions.unpacked("[[3,2,17]]") == [Mark(3, 2, 17)]
    assert mentions.packed([]) is None


def test_a_message_has_at_most_fifty():
    assert len(marked("@Bob " * 200)) == MENTIONS_MOST
    assert len(marked("@李明 " * 200)) == MENTIONS_MOST
    assert len(marked("@李明，" * 50)) == MENTIONS_MOST


@pytest.mark.parametrize(
    "body",
    [
        "@" * 4000,
        "@a" * 2000,
        "@a " * 1333,
        "@李" * 2000,
        "@ß " * 1333,
        "@\u0958" * 2000,
        "@" + "a" * 3999,
        "@" + "\ufdfa" * 3000,
        "@a http://b.c/ " * 260,
    ],
)
def test_four_thousand_signs_cost_little(body):
    started = time.process_time()
    found = mentions.signs(body)
    assert time.process_time() - started < 0.25  # at the author's it is a few milliseconds
    assert sum(len(sign.ends) for sign in found) <= 100 * 64


_PIECES = st.sampled_from([*NAMES, *(f"@{name}" for name in NAMES), *"@ \n.,aß李\u0301\u200d"])


@given(st.lists(_PIECES, max_size=12).map("".join))
def test_marks_never_overlap_and_name_what_they_cover(body):
    free = 0
    for mark in marked(body):
        assert mark.start >= free
        free = mark.start + mark.length
        assert body[mark.start] == "@"
        assert KEYS[text.name_key(body[mark.start + 1 : free])] == mark.who


@given(st.text(max_size=70))
def test_each_beginning_of_a_text_has_the_key_of_its_own(written):
    for sign in mentions.signs("@" + written):
        for length, key in sign.ends:
            start = sign.start + 1
            assert key == text.name_key(("@" + written)[start : start + length - 1])


# -- as HTML --------------------------------------------------------------------------


def html(body):
    return to_html(body, marked(body))


def test_a_mention_is_marked_and_links_stay_links():
    page = html("see http://x.example/@Bob, @Bob <b>")
    assert 'href="http://x.example/@Bob"' in page
    assert page.count('<span class="mention" data-user="3">@Bob</span> &lt;b&gt;') == 1


def test_a_name_is_never_markup():
    known = {'<img src=x onerror="x">': 5, "'\"><b>": 6}
    body = '@<img src=x onerror="x"> @\'"><b> '
    page = to_html(body, marked(body, known))
    assert page.count("<span") == 2
    assert "<img" not in page
    assert "<b>" not in page


@pytest.mark.parametrize("mark", [(0, 99, 1), (-1, 2, 1), (5, 0, 1), (1, 2, 1)])
def test_a_mark_that_does_not_fit_is_text(mark):
    body = "@ab http://x.example"
    assert "mention" not in to_html(body, [mark, (0, 0, 1)]).replace(
        '<span class="mention" data-user="1">ab</span>', ""
    )


# -- stored -------------------------------------------------------------------------------


async def stored(database):
    query = select(rows.c.user_id, rows.c.room_id, rows.c.seq).order_by(rows.c.seq, rows.c.user_id)
    return [tuple(row) for row in await database.fetch_all(query)]


async def told(database, *posts):
    async with database.transaction() as tx:
        return (await apply_posts(tx, posts))[1].mentioned


async def count(database, who, room):
    return (await unread.counts(database, [(room, who.id)]))[room, who.id].mentions


async def test_those_who_are_named_have_a_row_and_the_message_knows_where(database, ann, bob, lab):
    posts = [a_post(ann, lab, "hi @bob baker and @Bob Baker"), a_post(bob, lab, "no names, a@b")]
    assert await told(database, *posts) == {lab: {bob.id}}
    assert await stored(database) == [(bob.id, lab, 3)]
    assert await count(database, bob, lab) == 1
    page = (await messages.newest(database, lab)).messages
    assert mentions.unpacked(page[-2].marks) == [Mark(3, 10, bob.id), Mark(18, 10, bob.id)]
    assert page[-1].marks is None


async def test_several_posts_and_rooms_of_a_batch_are_told_apart(database, ann, bob, cat, lab):
    den = await world.opens(database, cat, "Den", bob)
    names = "@Ann Archer @Bob Baker @Cat Carver"
    mentioned = await told(
        database, a_post(bob, lab, names), a_post(bob, den, names), a_post(ann, lab, names)
    )
    assert mentioned == {lab: {ann.id, bob.id}, den: {cat.id}}
    assert sorted(await stored(database)) == sorted(
        [(ann.id, lab, 3), (cat.id, den, 3), (bob.id, lab, 4)]
    )


async def test_a_resend_adds_no_row(database, ann, bob, lab):
    post = a_post(ann, lab, "@Bob Baker")
    assert await told(database, post, post) == {lab: {bob.id}}
    again = await told(database, post, a_post(ann, lab, "other words"))
    assert again == {lab: {bob.id}}  # nobody may have heard of the first time
    outcomes = await world.store(database, [post])
    assert [getattr(outcome, "marks", None) for outcome in outcomes] == [f"[[0,10,{bob.id}]]"]
    assert await stored(database) == [(bob.id, lab, 3)]


async def test_only_members_are_named_and_nobody_names_themselves(database, ann, bob, cat, lab):
    assert await told(database, a_post(ann, lab, "@Cat Carver @Ann Archer")) == {}
    await world.leaves(database, bob, lab)
    assert await told(database, a_post(ann, lab, "@Bob Baker")) == {}
    assert await stored(database) == []


async def test_the_owner_and_administrators_call_everybody_and_others_write_words(
    database, ann, bob, cat, lab
):
    den = await world.opens(database, bob, "Den", ann, cat)
    for who, room, meant in (
        (ann, lab, {bob.id}),  # owner, administrator
        (bob, lab, set()),
        (bob, den, {ann.id, cat.id}),  # owner
        (ann, den, {bob.id, cat.id}),  # administrator
        (cat, den, set()),
    ):
        assert await told(database, a_post(who, room, "@ROOM and @Ann Archer now")) == (
            {room: meant} if meant else ({room: {ann.id}})
        )
        marks = mentions.unpacked((await world.log_of(database, room))[-1].marks)
        assert (marks[0].who == EVERYBODY) is bool(meant)


async def test_here_calls_those_members_who_are_present(database, ann, bob, cat, lab):
    await world.carry_out(database, JoinRoom(cat.id, lab))
    outsider = await world.person(database, "Dan Dyer")
    post = a_post(ann, lab, "@here")
    for present, meant in (((bob.id, ann.id, outsider.id), {bob.id}), ((), set())):
        here = world.PostMessage(
            ann.id, lab, a_post(ann, lab).key, post.body, post.body_hash, present
        )
        assert await told(database, here) == ({lab: meant} if meant else {})
        marks = mentions.unpacked((await world.log_of(database, lab))[-1].marks)
        assert marks == [Mark(0, 5, PRESENT)]
    assert await count(database, cat, lab) == 0


async def test_who_goes_or_ends_their_account_has_no_mentions(database, ann, bob, cat, lab):
    await world.carry_out(database, JoinRoom(cat.id, lab))
    await told(database, a_post(ann, lab, "@Bob Baker @Cat Carver"))
    await world.leaves(database, bob, lab)
    assert await unread.counts(database, [(lab, bob.id)]) == {}
    await world.carry_out(database, JoinRoom(bob.id, lab))
    assert await count(database, bob, lab) == 0
    async with database.transaction() as tx:
        await apply_delete_account(tx, DeleteAccount(cat.id))
    assert await unread.counts(database, [(lab, cat.id)]) == {}
    assert await told(database, a_post(ann, lab, "@Cat Carver @deleted account")) == {}


async def test_a_room_takes_its_mentions_along(database, ann, bob, lab):
    await told(database, a_post(ann, lab, "@Bob Baker"))
    await world.carry_out(database, DeleteRoom(ann.id, lab))
    assert await stored(database) == []
