"""Answers at two processes: one thread, the same for everybody."""

import asyncio
from functools import partial
from uuid import uuid4

from tests.cases.callers import Caller, Line
from tests.cases.pair import Pair
from tests.routes import pages


async def answers(line: Line, room: int, reply: int, body: str) -> int:
    key = str(uuid4())
    await line.send(type="post", room=room, key=key, body=body, reply=reply)
    answer = await line.answer(key)
    assert answer["type"] == "ack", answer
    return int(answer["seq"])


def has_heard(line: Line, words: str) -> bool:
    return any(words in frame["html"] for frame in line.of("changes"))


def thread_of(html: str) -> tuple[str, str, list[str]]:
    """What stands under the first message of a room's only thread, and the first words of what is quoted."""
    page = pages.read(html)
    link = page.one("a", class_="thread-link")
    quotes = [quote.one("span").text for quote in page.all("a", class_="reply-ref")]
    return link.one("b").text, link.one("time").attributes["datetime"], quotes


async def test_answers_at_once_over_two_processes_are_one_thread(
    pair: Pair, ann: Caller, bob: Caller
) -> None:
    room = await ann.opens(pair.first, f"Lab {uuid4().hex[:8]}")
    await bob.joins(pair.second, room)
    async with ann.line(pair.first) as hers, bob.line(pair.second) as his:
        for line in (hers, his):
            await line.watches(room)
        asked = (await hers.answer(await hers.says(room, "Tea?")))["seq"]
        await his.hears("Tea?")
        await asyncio.gather(
            *(answers((hers, his)[n % 2], room, asked, f"answer {n}") for n in range(20))
        )
        for line in (hers, his):
            await line.until(partial(has_heard, line, "20 replies"))
    first, second = [thread_of(await bob.sees(server, room)) for server in pair]
    assert first == second
    assert (first[0], len(first[2]), set(first[2])) == ("20 replies", 20, {"Tea?"})


async def test_a_follower_is_told_at_the_other_process(
    pair: Pair, ann: Caller, bob: Caller
) -> None:
    room = await ann.opens(pair.first, f"Lab {uuid4().hex[:8]}")
    await bob.joins(pair.second, room)
    async with ann.line(pair.first) as hers, bob.line(pair.second) as his:
        await hers.frame("hello")
        asked = (await hers.answer(await hers.says(room, "Tea?")))["seq"]
        await answers(his, room, asked, "Yes.")
        await hers.until(lambda: any(frame["threads"] == 1 for frame in hers.of("unread")))
        await ann.tries(pair.second, f"/rooms/{room}/threads/{asked}/read", upto="99")
        await hers.until(lambda: hers.of("unread")[-1]["threads"] == 0)
        assert hers.of("unread")[-1]["unread"] == 1


async def test_who_changes_their_name_at_one_process_is_quoted_so_at_the_other(
    pair: Pair, ann: Caller, bob: Caller
) -> None:
    room = await ann.opens(pair.first, f"Lab {uuid4().hex[:8]}")
    await bob.joins(pair.second, room)
    async with ann.line(pair.first) as hers, bob.line(pair.second) as his:
        asked = (await hers.answer(await hers.says(room, "Tea?")))["seq"]
        await answers(his, room, asked, "Yes.")
    for server in pair:  # both have the room in memory now
        await bob.sees(server, room)
    name = f"Anna {uuid4().hex[:6]}"
    await ann.does(pair.first, "/settings/profile", name=name, hue="5")
    for server in pair:
        quote = pages.read(await bob.sees(server, room)).one("a", class_="reply-ref")
        assert quote.one("bdi").text == name
    await ann.does(pair.first, "/settings/profile", name=ann.name, hue="5")
