"""HIS-02, without pictures, which do not exist yet: reading back moves nothing under the eye and ends at the start."""

import asyncio
import sqlite3
from typing import Any

from playwright.async_api import Page, Route, expect

from tests.browser.actions import say
from tests.browser.test_history import LOOK, WHERE
from tests.cases.conftest import Call
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve

PATIENCE = 30_000
LENGTHS = (1, 1, 6, 2, 15, 1, 3)  # sentences: rows of every height

FIRST = "() => Number(document.querySelector('.timeline [data-seq]').dataset.seq)"
SCROLLED = "() => document.querySelector('.timeline').scrollTop"


def fill(server: ChatServer, number: int, count: int) -> None:
    """As many messages of the room's first two members, a minute apart, without waiting for each."""
    with sqlite3.connect(server.folder / "data/chatapp.db", timeout=20) as database:
        last = database.execute("SELECT last_seq FROM rooms WHERE id = ?", (number,)).fetchone()[0]
        rows = [
            (
                number,
                last + n,
                last + n,
                1 + n // 3 % 2,
                f"n{n:03} " + "and on it goes with words " * LENGTHS[n % 7],
                (count - n) * 60,
            )
            for n in range(1, count + 1)
        ]
        database.executemany(
            "INSERT INTO messages (room_id, seq, changed_seq, kind, author_id, body, at)"
            " VALUES (?, ?, ?, 'message', ?, ?, (strftime('%s', 'now') - ?) * 1000)",
            rows,
        )
        database.execute("UPDATE rooms SET last_seq = ? WHERE id = ?", (last + count, number))
    database.close()


async def long_room(serve: Serve, call: Call, person: Arrive, count: int) -> tuple[Person, Person]:
    """Ann and Ben at the end of a room of so many messages, which no page has shown yet."""
    server = await serve()
    callers = [await call(name, server) for name in ("Ann", "Ben")]
    room = await callers[0].opens(server, "Log")
    await callers[1].joins(server, room)
    fill(server, room, count)
    people = []
    for caller in callers:
        who = await person(caller.name, server)
        await who.context.add_cookies([{"name": "sid", "value": caller.cookie, "url": server.url}])
        await who.goto(f"/rooms/{room}")
        await expect(who.page.locator(".msg").last).to_contain_text(f"n{count:03}")
        people.append(who)
    return people[0], people[1]


async def at_rest(page: Page) -> None:
    """Until the wheel has turned its last."""
    before = None
    while (now := await page.evaluate(SCROLLED)) != before:
        before = now
        await asyncio.sleep(0.15)


class Held:
    """Older pages wait until the test lets them come."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._go = asyncio.Event()
        self.count = 0

    async def take(self, route: Route) -> None:
        self.count += 1
        self.asked.set()
        await self._go.wait()
        self._go.clear()
        await route.continue_()

    def go(self) -> None:
        self.asked.clear()
        self._go.set()


async def test_what_is_read_stays_in_place_while_older_pages_arrive(
    serve: Serve, call: Call, person: Arrive
) -> None:
    """HIS-02 (a) by the wheel, and (c): people talk meanwhile"""
    ann, ben = await long_room(serve, call, person, 300)
    page, held = ben.page, Held()
    await page.route("**/messages?before=*", held.take)
    await page.locator(".timeline").hover()
    for _ in range(3):
        async with asyncio.timeout(PATIENCE / 1000):
            while not held.asked.is_set():
                await page.mouse.wheel(0, -600)
                await asyncio.sleep(0.03)
        await at_rest(page)
        before: dict[str, Any] = await page.evaluate(LOOK)
        first = await page.evaluate(FIRST)
        held.go()
        await page.wait_for_function(f"(first) => ({FIRST})() < first", arg=first, timeout=PATIENCE)
        await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")  # fmt: skip
        assert abs(await page.evaluate(WHERE, before["text"]) - before["at"]) <= 2
    # in the middle of it, five messages and a new topic: no jump, and a word about them
    await at_rest(page)
    before = await page.evaluate(LOOK)
    for number in range(5):
        await say(ann.page, f"live {number}")
    await expect(page.locator("[data-to-latest]")).to_contain_text("5 new messages", timeout=PATIENCE)  # fmt: skip
    assert abs(await page.evaluate(WHERE, before["text"]) - before["at"]) <= 2
    assert await page.evaluate(SCROLLED) < -500
    await asyncio.sleep(0.5)
    assert held.count <= 4, "one page at a time, and no more than the reader comes near to"
    await page.unroute_all(behavior="ignoreErrors")


async def test_pressing_home_leads_to_the_first_message(
    serve: Serve, call: Call, person: Arrive
) -> None:
    """HIS-02 (b)"""
    _, ben = await long_room(serve, call, person, 300)
    page = ben.page
    await page.locator(".timeline").focus()
    for _ in range(8):
        first = await page.evaluate(FIRST)
        await page.locator(".timeline").press("Home")
        if first == 1:
            break
        await page.wait_for_function(f"(first) => ({FIRST})() < first", arg=first, timeout=PATIENCE)
        await expect(page.locator("main.room")).to_have_attribute("data-at-end", "false")
    assert await page.evaluate(FIRST) == 1
    await expect(page.locator(".room-intro")).to_be_in_viewport(timeout=PATIENCE)
    await expect(page.locator(".msg").first).to_contain_text("n001")
    rows = await page.evaluate(
        "() => [...document.querySelectorAll('.timeline [data-seq]')].map((row) => Number(row.dataset.seq))"
    )
    assert rows == [*range(1, rows[-1] + 1)], "every one, once"


async def test_who_is_at_the_end_stays_at_the_end(serve: Serve, call: Call, person: Arrive) -> None:
    """HIS-02 (d), with long messages for pictures"""
    ann, ben = await long_room(serve, call, person, 60)
    for number in range(3):
        await say(ann.page, f"tall {number}\n" + "line\n" * 60 + "end")
        await expect(ben.page.locator(".msg").last).to_contain_text(f"tall {number}")
        await expect(ben.page.locator("main.room")).to_have_attribute("data-at-end", "true")
        assert abs(await ben.page.evaluate(SCROLLED)) <= 1
