"""Finding messages: what matches, who may find it, in which order, and how much of it."""

import asyncio
import unicodedata
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text

from chatapp.database import Database
from chatapp.domain import grams, search, search_query
from chatapp.domain.search import Searches, TooSlow
from chatapp.domain.search_results import Found
from chatapp.domain.text import normal_body
from chatapp.domain.users import User
from chatapp.errors import Busy, Invalid
from chatapp.tables import messages, rooms, search_docs
from tests.domain import world
from tests.domain.searching import finds, index, look

# -- what matches ---------------------------------------------------------------------

# CASES SRC-01: what was said, and what somebody types to find it
SIGNS = {
    "isn't ready": ["isn't", "'", "isn't rea"],
    "NOTE: call the plumber": ["NOTE:", "note:", ":"],
    "ask @desk first": ["@desk", "@", "desk"],
    "C++ and C#": ["C++", "c#", "++", "#"],
    "we had 50% off": ["50%", "%", "0% o"],
    "a-b testing": ["a-b", "-b"],
    "NEAR the end": ["NEAR", "near"],
    "foo OR bar": ["OR", '"foo OR bar"'],
    'he said "go"': ['"go"', '"he said"', "go"],
    "ticket (42)": ["(42)", "(", "42)"],
    "x*y": ["x*y", "*", "*y"],
    "user_name": ["user_name", "_", "r_n"],
    "v1.2.3": ["1.2.3", "v1.2.3", "2.3"],
    "path/to/file": ["to/file", "/", "path/to"],
    "back\\slash": ["\\", "k\\s"],
    "foo:bar ^x !no a|b p&q <-> :*": ["foo:bar", "^x", "!", "|", "&", "<->", ":*", "!no p&q"],
    "10.0.0.17 and https://x.example/a?b=c": ["0.0.17", "x.example/a?b", "https://"],
}


async def test_a_message_is_found_by_each_piece_of_it(database, ann, lab, settle):
    await world.says(database, ann, lab, *SIGNS)
    await settle()
    for body, pieces in SIGNS.items():
        for piece in pieces:
            assert body in await finds(database, ann, piece), piece


async def test_signs_are_themselves_and_stand_for_nothing_else(database, ann, lab, settle):
    await world.says(database, ann, lab, "plain words", "50% off", "user_name", "a\\b")
    await settle()
    assert await finds(database, ann, "%") == ["50% off"]
    assert await finds(database, ann, "_") == ["user_name"]
    assert await finds(database, ann, "\\") == ["a\\b"]
    assert await finds(database, ann, "u_er") == []
    assert await finds(database, ann, "*") == []


NOTHING = ["", "   ", '"', '""', "''", "a AND", "-foo", "\0", "\ud800", "\u0301", "5" * 5000]


async def test_what_means_nothing_finds_nothing_and_is_no_error(database, ann, lab, settle):
    await world.says(database, ann, lab, "hello")
    await settle()
    for typed in NOTHING:
        assert await finds(database, ann, typed) == [], typed


# CASES SRC-03
SCRIPTS = {
    "会议改到下午三点。": ["下午", "午", "会议", "三点。"],
    "明日の会議は中止です": ["会議", "中止", "の", "明日の会議"],
    "회의는 내일입니다": ["회의", "내일", "는"],
    "Собрание завтра": ["собрание", "СОБРАНИЕ", "брани", "завтра"],
    "naïve café": ["café", unicodedata.normalize("NFD", "café"), "cafe", "CAFÉ", "NAIVE"],
    "STRASSE": ["strasse", "straße", "STRASSE"],
    "die Straße": ["strasse", "straße", "STRASSE"],
    "İstanbul": ["istanbul", "İstanbul", "ISTANBUL"],
    "ΟΔΟΣ": ["οδος", "οδοσ", "ΟΔΟΣ"],
    "the who": ["the", "who", '"the who"'],
    "👍 done 👨‍👩‍👧": ["👍", "👍 done", "👨‍👩‍👧"],
    "running": ["run", "unni"],
    "السلام عليكم": ["سلام", "عليكم"],
    "ปลาทอง": ["ทอง", "ปลา"],
    "हिन्दी में": ["हिन्दी", "में"],
    "Ｗｉｄｅ ﬁne": ["wide", "fine"],
}


async def test_words_of_every_script_are_found_without_regard_to_case(database, ann, lab, settle):
    await world.says(database, ann, lab, *SCRIPTS)
    await settle()
    for body, pieces in SCRIPTS.items():
        for piece in pieces:
            assert body in await finds(database, ann, piece), piece
    assert await finds(database, ann, "が") == []


async def test_all_words_must_stand_in_a_message_and_a_phrase_in_one_piece(
    database, ann, lab, settle
):
    await world.says(database, ann, lab, "the red door", "a red car\nat the door", "red", "door")
    await settle()
    both = ["a red car\nat the door", "the red door"]
    assert await finds(database, ann, "red door") == both
    assert await finds(database, ann, "DOOR red the") == both
    assert await finds(database, ann, '"red door"') == ["the red door"]
    assert await finds(database, ann, "“red door") == ["the red door"]
    assert await finds(database, ann, '"car at"') == ["a red car\nat the door"]  # over the line


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.text(
    "aAbsßſ sSkK%_\\'\"*:-()İıΣςé\u0301\u0345ﬁ下午👍🏽\u200d\ufe0f가ㅏがかｱﾞ", max_size=8
)


@settings(max_examples=25)
@given(
    bodies=st.lists(TEXTS, min_size=1, max_size=8), typed=st.lists(TEXTS, min_size=1, max_size=12)
)
@example(bodies=["a", "ß", "ſ", "%"], typed=["A", "ss", "S", "_", "\0", '"'])
def test_whatever_is_typed_both_databases_find_what_comparing_finds(sites, bodies, typed):
    """Against the plain rule: all that contain the folded terms, newest first."""
    sites.agree(bodies, typed)


class Sites:
    """The same room in every database there is, and a loop that goes on over examples."""

    def __init__(self, runner: asyncio.Runner, databases: list[Database], ann: User) -> None:
        self._runner, self._databases, self._ann = runner, databases, ann

    def agree(self, bodies: list[str], typed: list[str]) -> None:
        said = []
        for body in bodies:
            try:
                said.append(normal_body(body))
            except Invalid:
                continue  # what cannot be sent
        for database in self._databases:
            self._runner.run(self._agree(database, said, typed))

    async def _agree(self, database: Database, said: list[str], typed: list[str]) -> None:
        room = await world.opens(database, self._ann, f"Room {id(said)} {len(said)}")
        try:
            await world.says(database, self._ann, room, *said[::2])
            await index(database)
            await world.says(database, self._ann, room, *said[1::2])
            for each in typed:
                query = search_query.parse(each)
                plain = [
                    body
                    for body in reversed([*said[::2], *said[1::2]])
                    if query.terms and all(term in grams.fold(body) for term in query.terms)
                ]
                if not (query.authors or query.rooms or query.has or query.since or query.until):
                    assert await finds(database, self._ann, each) == plain[: search.PAGE], each
        finally:
            async with database.transaction() as tx:
                await tx.execute(delete(rooms))
            await index(database)


@pytest.fixture
def sites(empty_postgresql_url, tmp_path):
    from chatapp.migrate import migrate

    with asyncio.Runner() as runner:

        async def opened(url: str) -> Database:
            from chatapp.settings import Settings

            database = Database(Settings.from_env({"DATABASE_URL": url}))
            await database.connect()
            await migrate(database)
            return database

        urls = (empty_postgresql_url, f"sqlite:///{tmp_path}/search.db")
        databases = [runner.run(opened(url)) for url in urls]
        anns = [runner.run(world.person(database, "Ann Archer")) for database in databases]
        assert anns[0].id == anns[1].id
        yield Sites(runner, databases, anns[0])
        for database in databases:
            runner.run(database.disconnect())


# -- filters --------------------------------------------------------------------------


@pytest.fixture
async def talk(database: Database, ann: User, bob: User, lab: int) -> int:
    """Another room, and something said by both in both."""
    shed = await world.opens(database, ann, "Tool shed", bob)
    for room, name in ((lab, "lab"), (shed, "shed")):
        await world.says(database, ann, room, f"ann in {name}: see https://x.example/")
        await world.says(database, bob, room, f"bob in {name}: `code`")
    return shed


FILTERED = [
    ("in:lab", {"ann in lab", "bob in lab"}),
    ("in:#lab see", {"ann in lab"}),
    ('in:"tool SHED"', {"ann in shed", "bob in shed"}),
    ("in:shed from:bob", {"bob in shed"}),
    ("from:@Bob", {"bob in lab", "bob in shed"}),
    ('from:"bob baker" in:lab', {"bob in lab"}),
    ("from:baker in:lab", {"bob in lab"}),
    ("from:me", {"ann in lab", "ann in shed"}),
    ("from:ann from:bob in:lab", {"ann in lab", "bob in lab"}),
    ("has:link", {"ann in lab", "ann in shed"}),
    ("HAS:CODE bob", {"bob in lab", "bob in shed"}),
    ("has:link has:code", set()),
    ("has:file", set()),
    ("from:nobody", set()),
    ("in:nowhere", set()),
    ("from:%", set()),
    ("after:2999 in", set()),
    ("before:1971 in", set()),
    ("on:today in:lab", {"ann in lab", "bob in lab"}),
    ("after:1999-12-31 in:lab", {"ann in lab", "bob in lab"}),
]


async def test_filters_narrow_a_search(database, ann, talk, settle):
    await settle()
    for typed, right in FILTERED:
        found = {body.split(":")[0] for body in await finds(database, ann, typed)}
        assert found == right, typed


async def test_a_filter_without_meaning_is_text(database, ann, lab, settle):
    said = ["before:noon", "has:fleas", "see in: there", "on:2026-13-40", "from:"]
    await world.says(database, ann, lab, *said)
    await settle()
    for body in said:
        assert body in await finds(database, ann, body)


def parsed(typed: str, zone: str = "UTC") -> search_query.Query:
    now = datetime(2026, 1, 16, 12, tzinfo=UTC)
    return search_query.parse(typed, ZoneInfo(zone), now)


def ms(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


def test_days_begin_where_their_reader_lives():
    """CASES: 2026-01-15T11:30Z is the 16th in Auckland and the 15th in Los Angeles."""
    auckland, angeles = (
        parsed("on:2026-01-16", zone) for zone in ("Pacific/Auckland", "America/Los_Angeles")
    )
    assert auckland.since
    assert auckland.until
    assert angeles.since
    assert auckland.since <= ms(2026, 1, 15, 11, 30) < auckland.until
    assert angeles.since > ms(2026, 1, 15, 11, 30)


def test_before_and_after_leave_the_day_itself_out():
    assert parsed("before:2026-01-16").until == ms(2026, 1, 16)
    assert parsed("after:2026-01-16").since == ms(2026, 1, 17)
    assert parsed("after:2025").since == ms(2026, 1, 1)
    assert parsed("before:2025-12").until == ms(2025, 12, 1)
    assert parsed("on:2024-02").until == ms(2024, 3, 1)
    assert parsed("on:today").since == ms(2026, 1, 16)
    assert parsed("on:Yesterday").until == ms(2026, 1, 16)
    assert parsed("after:2026-01-01 after:2026-01-10").since == ms(2026, 1, 11)


def test_a_query_is_bounded():
    many = parsed(" ".join(f"w{n}" for n in range(60)))
    assert len(many.terms) == search_query.TERMS_MOST
    assert many.is_cut
    long = parsed("x" * 5000)
    assert long.terms == ("x" * search_query.CHARACTERS_MOST,)
    assert long.is_cut
    assert not parsed("one two").is_cut


# -- order and pages ------------------------------------------------------------------


@pytest.mark.parametrize("count", [search.PAGE, search.PAGE + 1, 3 * search.PAGE + 5])
async def test_pages_are_newest_first_without_gaps_or_repeats(database, ann, lab, count, settle):
    shed = await world.opens(database, ann, "Shed")
    for n in range(count):
        await world.says(database, ann, (lab, shed)[n % 2], f"number {n}")
    await settle()
    await world.says(database, ann, lab, "another", "number last")
    seen: list[tuple[int, int]] = []
    before = None
    while True:
        page = await look(database, ann, "number", before)
        assert len(page.hits) == search.PAGE or page.more is None
        times = [hit.at for hit in page.hits]
        assert all(a >= b for a, b in pairwise(times))
        seen += [(hit.room_id, hit.seq) for hit in page.hits]
        before = page.more
        if before is None:
            break
    assert len(seen) == len(set(seen)) == count + 1
    for room in (lab, shed):
        seqs = [seq for room_id, seq in seen if room_id == room]
        assert seqs == sorted(seqs, reverse=True)


async def test_of_many_candidates_that_are_wrong_the_right_one_is_found(database, ann, lab):
    """Pairs and threes that stand apart look right to the index."""
    await world.says(database, ann, lab, "the abcd word")
    await world.says(database, ann, lab, *(f"abc bcd {n}" for n in range(400)))
    await index(database)
    assert await finds(database, ann, "abcd") == ["the abcd word"]


async def test_what_stands_in_any_window_is_found_once(database, ann, lab, monkeypatch):
    """However few messages are looked at first, and however they are cut into lots."""
    monkeypatch.setattr(search, "WINDOWS", (3, 10, 20))
    monkeypatch.setattr(search, "_FIRST_LOT", 2)
    said = [f"{'rare' if n % 7 == 0 else 'often'} said {n}" for n in range(150)]
    await world.says(database, ann, lab, *said)
    await index(database)
    for word in ("rare", "often", "said", "nowhere"):
        seen: list[str] = []
        page = await look(database, ann, word)
        while True:
            seen += ["".join(piece.text for piece in hit.pieces) for hit in page.hits]
            if page.more is None:
                break
            page = await look(database, ann, word, page.more)
        assert seen == [body for body in reversed(said) if word in body]


async def test_what_was_said_in_many_rooms_stands_in_the_order_of_time(database, ann, lab):
    """Also where the index takes it in long after, a lot at a time, from rooms of all sizes."""
    others = [await world.opens(database, ann, f"Room {n}") for n in range(12)]
    said = []
    for n in range(300):
        room = others[n % 12] if n % 3 == 0 else lab
        await world.says(database, ann, room, f"word {n}")
        said.append(f"word {n}")
    await index(database)
    rows = await database.fetch_all(
        select(messages.c.body)
        .select_from(
            search_docs.join(
                messages,
                (messages.c.room_id == search_docs.c.room_id)
                & (messages.c.seq == search_docs.c.seq),
            )
        )
        .order_by(messages.c.at, search_docs.c.id)
    )
    by_id = await database.fetch_all(
        select(messages.c.at)
        .select_from(
            search_docs.join(
                messages,
                (messages.c.room_id == search_docs.c.room_id)
                & (messages.c.seq == search_docs.c.seq),
            )
        )
        .order_by(search_docs.c.id)
    )
    assert sorted(row.body for row in rows) == sorted(said)
    assert all(a.at <= b.at for a, b in pairwise(by_id))


# -- who may find it ------------------------------------------------------------------


async def test_only_members_find_what_was_said_in_a_room(database, ann, bob, cat, lab, settle):
    await world.says(database, ann, lab, "the safe opens with 4711")
    await settle()
    assert await finds(database, bob, "4711")
    for typed in ("4711", "in:lab", "in:lab 4711", "from:ann", "on:today"):
        assert await look(database, cat, typed) == Found([], None)
    await world.leaves(database, bob, lab)
    for typed in ("4711", "in:lab", "from:ann"):
        assert await look(database, bob, typed) == Found([], None)


async def test_events_of_a_room_are_not_found(database, ann, lab, settle):
    await settle()
    assert await finds(database, ann, "in:lab") == []


async def test_nothing_tells_of_a_room_that_somebody_is_not_in(database, ann, bob, cat, lab):
    """Neither a longer time nor a page: what others say is not even counted."""
    mine = await world.opens(database, cat, "Mine")
    await world.says(database, cat, mine, "word of mine")
    await world.says(database, ann, lab, *(f"word {n}" for n in range(100)))
    await index(database)
    page = await look(database, cat, "word")
    assert (len(page.hits), page.more) == (1, None)


# -- bounds ---------------------------------------------------------------------------


async def test_a_search_that_takes_too_long_ends(database, ann, lab):
    """The time is up for a statement under way, and the connection works on."""
    slow = (
        text(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000)"
            " SELECT count(*) FROM n"
        )
        if database.is_sqlite
        else text("SELECT pg_sleep(60)")
    )
    for _ in range(8):  # more than there are connections
        with pytest.raises(TimeoutError):
            async with database.snapshot(0.02) as snapshot:
                await snapshot.fetch_all(slow)
    await world.says(database, ann, lab, "still here")
    assert await finds(database, ann, "here") == ["still here"]
    with pytest.raises(TooSlow):
        await Searches(database).find(ann.id, search_query.parse("here"), seconds=0)


async def test_searches_wait_for_each_other_and_not_without_end(database, ann, lab, monkeypatch):
    await world.says(database, ann, lab, "hello")
    searches, query = Searches(database), search_query.parse("hello")
    many = [searches.find(ann.id, query, seconds=30) for _ in range(20)]
    assert all(len(found.hits) == 1 for found in await asyncio.gather(*many))
    monkeypatch.setattr(search, "WAITING_MOST", 3)
    many = [searches.find(ann.id, query, seconds=30) for _ in range(20)]
    answers = await asyncio.gather(*many, return_exceptions=True)
    assert {type(answer) for answer in answers} == {Found, Busy}
