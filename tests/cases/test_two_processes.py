"""DEL-02, DEL-04, CCY-01, CCY-03, CCY-04: what is asked for twice, at once, or at two processes."""

import asyncio
import itertools
from collections import Counter
from uuid import uuid4

import asyncpg
import pytest

from tests.cases.callers import Caller, Line
from tests.cases.conftest import Call
from tests.cases.pair import Pair
from tests.routes import pages
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Serve

_rooms = itertools.count(1)


def some_name(word: str) -> str:
    return f"{word} {next(_rooms)}"


async def with_guests(pair: Pair, owner: Caller, *guests: Caller) -> int:
    room = await owner.opens(pair.first, some_name("Lab"))
    for number, guest in enumerate(guests):
        await guest.joins(pair.at(number), room)
    return room


# -- messages -------------------------------------------------------------------------


async def test_a_message_sent_five_times_at_once_over_two_processes_is_one(
    pair: Pair, ann: Caller, bob: Caller
) -> None:
    """DEL-02 (c), and (d): the same words under another key are another message."""
    room = await with_guests(pair, ann, bob)
    async with (
        ann.line(pair.first) as here,
        ann.line(pair.second) as there,
        bob.line(pair.second) as his,
    ):
        for line in (here, there, his):
            await line.watches(room)
        key = str(uuid4())
        lines = [here, there, here, there, here]
        await asyncio.gather(*(line.says(room, "pay 5", key) for line in lines))
        await here.until(lambda: len(here.answers(key)) == 3)
        await there.until(lambda: len(there.answers(key)) == 2)
        answers = here.answers(key) + there.answers(key)
        assert {(answer["type"], answer["seq"]) for answer in answers} == {("ack", 3)}
        for _ in range(2):
            assert (await here.answer(await here.says(room, "ok")))["type"] == "ack"
        for line in (here, there, his):
            await line.reaches(5)
            assert [*line.rows.values()] == ["", "", "pay 5", "ok", "ok"]
    for server in pair:
        assert await bob.reads(server, room) == ["pay 5", "ok", "ok"]


async def test_what_is_sent_quickly_keeps_its_order_everywhere(
    pair: Pair, ann: Caller, bob: Caller, cat: Caller
) -> None:
    """DEL-04"""
    room = await with_guests(pair, ann, bob, cat)
    texts = []
    for number in range(1, 51):
        text = f"m{number:02}"
        if number % 5 == 0:
            text += "**bold** `code` https://x.example/a?b=c&d=e " * 65
        if number % 7 == 0:
            text += " @Bob Baker"
        texts.append(text.strip())
    async with (
        ann.line(pair.first) as hers,
        bob.line(pair.second) as his,
        cat.line(pair.first) as cats,
    ):
        for line in (hers, his, cats):
            await line.watches(room)
        keys = [await hers.says(room, text) for text in texts]
        for line in (hers, his, cats):
            await line.reaches(53)
            assert [words[:3] for words in line.rows.values() if words] == [t[:3] for t in texts]
        assert [(await hers.answer(key))["seq"] for key in keys] == [*range(4, 54)]
    for server in pair:
        assert [words[:3] for words in await bob.reads(server, room)] == [t[:3] for t in texts]


async def test_two_tabs_at_two_processes_each_keep_their_order_and_all_see_one(
    pair: Pair, ann: Caller, bob: Caller, cat: Caller
) -> None:
    """DEL-04, two tabs"""
    room = await with_guests(pair, ann, bob, cat)
    left = [f"L{number:02}" for number in range(1, 26)]
    right = [f"R{number:02}" for number in range(1, 26)]

    async def say(line: Line, texts: list[str]) -> None:
        for text in texts:
            await line.says(room, text)

    async with (
        ann.line(pair.first) as one,
        ann.line(pair.second) as two,
        bob.line(pair.second) as his,
        cat.line(pair.first) as cats,
    ):
        lines = (one, two, his, cats)
        for line in lines:
            await line.watches(room)
        await asyncio.gather(say(one, left), say(two, right))
        for line in lines:
            await line.reaches(53)
        orders = [[words for words in line.rows.values() if words] for line in lines]
    assert orders[0] == orders[1] == orders[2] == orders[3]
    assert [text for text in orders[0] if text[0] == "L"] == left
    assert [text for text in orders[0] if text[0] == "R"] == right
    for server in pair:
        assert await cat.reads(server, room) == orders[0]


# -- coming and going -----------------------------------------------------------------


async def test_who_leaves_is_out_in_every_tab_and_comes_back_once(
    pair: Pair, ann: Caller, bob: Caller, cat: Caller, dan: Caller, call: Call
) -> None:
    """CCY-01, as far as there is removing: leaving in one tab. With an outsider and a visitor."""
    room = await with_guests(pair, ann, bob, cat)
    async with (
        cat.line(pair.first) as here,
        cat.line(pair.second) as there,
        dan.line(pair.second) as outside,
        bob.line(pair.second) as his,
    ):
        for line in (here, there, his):
            await line.watches(room)
        await cat.does(pair.first, f"/rooms/{room}/leave")
        for line in (here, there):
            gone = await line.frame("removed")
            assert (gone["room"], gone["reason"] in {"left", "removed"}) == (room, True)
        said = [len(line.frames) for line in (here, there)]
        assert (await ann.posts(pair.first, room, "secret")).status_code == 200
        await his.hears("secret")
        # what the old tabs still try, and what an outsider tries
        for line in (here, there, outside):
            answer = await line.answer(await line.says(room, "still here?"))
            assert (answer["type"], answer["code"]) == ("refused", "not_member")
            before = len(line.of("removed"))
            epoch = (await line.frame("hello"))["epoch"]
            await line.send(type="watch", room=room, cursor=f"{epoch}:0")
            await line.frame("removed", before + 1)
            await line.has_heard_all()
        for line, count in zip((here, there), said, strict=True):
            kinds = Counter(frame["type"] for frame in line.frames[count:])
            assert set(kinds) <= {"refused", "removed", "error", "sidebar", "beat"}
        page = await bob.sees(pair.second, room)
        assert pages.members(page) == ["Ann Archer", "Bob Baker"]
        assert pages.read(page).one(id="details-title").text.split() == ["Members", "2"]
        # back again: everything since, once
        await cat.joins(pair.second, room)
        for line in (here, there):
            await line.watches(room, line.seq)
        await ann.posts(pair.second, room, "welcome back")
        for line in (here, there, his):
            await line.hears("welcome back")
            words = [words for words in line.rows.values() if words]
            assert words == ["secret", "welcome back"]
    stranger = await call("Nobody")
    async with stranger.line(pair.first) as line:
        assert await line.ends() == 4401
    assert (await stranger.at(pair.first).get(f"/rooms/{room}")).status_code == 303


async def test_of_twenty_who_open_one_room_at_two_processes_one_wins(
    pair: Pair, folk: list[Caller]
) -> None:
    """CCY-03: the same name, spelled alike and alike to the eye"""
    word = some_name("Tea")
    wide = "".join(chr(ord(sign) + 0xFEE0) if sign != " " else sign for sign in word)
    for spellings in ([word], [word.lower(), f" {word} ", wide, word.upper()]):
        answers = await asyncio.gather(
            *(
                folk[n % 6].tries(
                    pair.at(n), "/rooms", name=spellings[n % len(spellings)], topic=f"topic {n}"
                )
                for n in range(20)
            )
        )
        won = 1 if spellings == [word] else 0
        assert sorted(a.status_code for a in answers) == [303] * won + [422] * (20 - won)
        for n, answer in enumerate(answers):
            if answer.status_code == 422:
                assert "already" in pages.complaint(answer.text, "new-name")
                assert pages.typed(answer.text, "new-name") == spellings[n % len(spellings)]
                assert pages.typed(answer.text, "new-topic") == f"topic {n}"
    unseen = await folk[0].tries(pair.second, "/rooms", name=f"{word[:1]}\u200b{word[1:]}")
    assert unseen.status_code == 422
    for server in pair:
        listing = pages.read((await folk[0].at(server).get("/rooms", params={"q": word})).text)
        assert len(listing.all("li", class_="list-row")) == 1


async def test_ten_joins_at_once_at_two_processes_are_one(
    pair: Pair, ann: Caller, bob: Caller
) -> None:
    """CCY-03: joining"""
    room = await with_guests(pair, ann)
    answers = await asyncio.gather(
        *(bob.tries(pair.at(n), f"/rooms/{room}/join") for n in range(10))
    )
    assert {answer.status_code for answer in answers} == {303}
    page = await bob.sees(pair.first, room)
    assert pages.events(page) == ["created", "joined"]
    assert pages.members(page) == ["Ann Archer", "Bob Baker"]


async def test_fifty_joins_and_leaves_at_once_leave_the_room_of_one_mind(
    pair: Pair, ann: Caller, bob: Caller
) -> None:
    """CCY-03: joining and leaving, over both processes"""
    room = await with_guests(pair, ann)
    async with ann.line(pair.second) as hers:
        await hers.watches(room)
        answers = await asyncio.gather(
            *(
                bob.tries(pair.at(n // 2), f"/rooms/{room}/{('join', 'leave')[n % 2]}")
                for n in range(50)
            )
        )
        assert {answer.status_code for answer in answers} == {303}
        last = await bob.does(pair.first, f"/rooms/{room}/join")
        assert last == f"/rooms/{room}"
        page = await ann.sees(pair.second, room)
        events = pages.events(page)[1:]
        assert events == [("joined", "left")[n % 2] for n in range(len(events))], "one at a time"
        assert events[-1] == "joined"
        assert pages.members(page) == ["Ann Archer", "Bob Baker"]
        await hers.until(lambda: len(hers.rows) == len(events) + 1)
    await bob.does(pair.second, f"/rooms/{room}/leave")
    assert pages.members(await ann.sees(pair.first, room)) == ["Ann Archer"]


async def test_of_two_who_take_one_name_at_two_processes_one_gets_it(
    pair: Pair, call: Call
) -> None:
    """CCY-03: signing up"""
    name = some_name("Gus Gardner")
    two = [await call(name), await call(name.lower())]
    answers = await asyncio.gather(
        *(person.tries_to_sign_up(pair.at(n)) for n, person in enumerate(two))
    )
    assert sorted(answer.status_code for answer in answers) == [303, 422]
    refused = next(answer for answer in answers if answer.status_code == 422)
    assert pages.typed(refused.text, "name").lower() == name.lower()


async def _talk_while_all_read(where: list[Caller], room: int, at: list[ChatServer]) -> None:
    """20 write 25 each, while as many read pages; nothing is lost, doubled or out of a writer's order."""

    async def write(number: int) -> None:
        for n in range(25):
            server = at[(number + n) % len(at)]
            answer = await where[number % len(where)].posts(server, room, f"w{number}-{n}")
            assert answer.status_code == 200, answer.text

    async def read(number: int) -> None:
        for n in range(3):
            await where[number % len(where)].sees(at[n % len(at)], room)

    await asyncio.gather(*(write(n) for n in range(20)), *(read(n) for n in range(20)))
    texts: list[str] = []
    before = 10**9
    while before > 1:
        page = await where[0].at(at[0]).get(f"/rooms/{room}?before={before}")
        texts = pages.bodies(page.text) + texts
        before = min(pages.numbers(page.text))
    assert sorted(texts) == sorted(f"w{n}-{m}" for n in range(20) for m in range(25))
    for n in range(20):
        assert [t for t in texts if t.startswith(f"w{n}-")] == [f"w{n}-{m}" for m in range(25)]


@pytest.mark.faults
async def test_five_hundred_messages_over_two_processes_are_stored_once(
    pair: Pair, folk: list[Caller]
) -> None:
    """CCY-03: 20 write, 20 read"""
    room = await with_guests(pair, *folk)
    await _talk_while_all_read(folk, room, [*pair])


@pytest.mark.faults
async def test_five_hundred_messages_are_stored_once_in_sqlite(serve: Serve, call: Call) -> None:
    """CCY-03: 20 write, 20 read, one process"""
    server = await serve(LIMIT_FACTOR="1000")
    people = [await call(name, server) for name in ("Ann Archer", "Bob Baker")]
    room = await people[0].opens(server, "Busy")
    await people[1].joins(server, room)
    await _talk_while_all_read(people, room, [server])


# -- the end of a room ----------------------------------------------------------------


async def test_a_room_that_is_deleted_under_people_is_gone_for_all_and_leaves_nothing(
    pair: Pair, ann: Caller, bob: Caller, cat: Caller, dan: Caller
) -> None:
    """CCY-04, without what does not exist yet: files, reactions, calls"""
    name = some_name("tmp")
    room = await ann.opens(pair.first, name)
    await bob.joins(pair.second, room)
    await cat.joins(pair.first, room)
    for number in range(50):
        await ann.posts(pair.first, room, f"old {number}")
    async with (
        bob.line(pair.second) as his,
        cat.line(pair.first) as cats,
        dan.line(pair.second) as outside,
    ):
        await his.watches(room)
        await cats.watches(room)
        keys = [await his.says(room, f"x{number}") for number in range(10)]
        deleting = [
            asyncio.create_task(ann.tries(server, f"/rooms/{room}/delete", confirm=name))
            for server in pair
        ]
        for number in range(10, 20):
            keys.append(await his.says(room, f"x{number}"))
            await asyncio.sleep(0.005)
        ends = [await his.answer(key) for key in keys]
        for end in ends:
            is_refused = end["type"] == "refused" and end["code"] in {"room_gone", "not_member"}
            assert end["type"] == "ack" or is_refused, end
        assert [end["type"] for end in ends] == sorted(end["type"] for end in ends), "ack, then not"
        statuses = [answer.status_code for answer in await asyncio.gather(*deleting)]
        assert sorted(statuses) in ([303, 303], [303, 404])
        for line in (his, cats):
            assert (await line.frame("removed"))["reason"] == "deleted"
            await line.send(type="watch", room=room, cursor=f"{line.epoch}:3")
            assert (await line.frame("removed", 2))["reason"] == "deleted"
        await outside.has_heard_all()
        assert {frame["type"] for frame in outside.frames} <= {"hello", "error", "beat"}
    for path in ("", "?around=3", "/messages?before=9", "/members", "/settings"):
        for person, server in ((ann, pair.second), (bob, pair.first), (dan, pair.first)):
            answer = await person.at(server).get(f"/rooms/{room}{path}")
            assert answer.status_code == 404, (person.name, path)
    assert name not in (await bob.at(pair.second).get("/sidebar")).text
    database = await asyncpg.connect(pair.database_url.replace("+asyncpg", ""))
    for table in ("messages", "memberships"):
        query = f"SELECT count(*) FROM {table} WHERE room_id = $1"  # noqa: S608
        assert await database.fetchval(query, room) == 0, f"orphans in {table}"
    await database.close()
    again = await bob.opens(pair.second, name)
    assert again > room
    page = await bob.sees(pair.first, again)
    assert (pages.bodies(page), pages.members(page)) == ([], ["Bob Baker"])


async def test_deleting_and_opening_at_two_processes_at_once_breaks_nothing(
    pair: Pair, ann: Caller, bob: Caller
) -> None:
    """CCY-03: the same name again at the same moment"""
    name = some_name("Same")
    room = await ann.opens(pair.first, name)
    for n in range(6):
        deleted, opened = await asyncio.gather(
            ann.tries(pair.at(n), f"/rooms/{room}/delete", confirm=name),
            bob.tries(pair.at(n + 1), "/rooms", name=name),
        )
        assert (deleted.status_code, opened.status_code in {303, 422}) == (303, True)
        if opened.status_code == 303:
            number = opened.headers["location"].rsplit("/", 1)[1]
            await bob.does(pair.at(n), f"/rooms/{number}/delete", confirm=name)
        room = await ann.opens(pair.at(n), name)
