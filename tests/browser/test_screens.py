"""DEL-01 in Chromium: a tab that followed the room, or came back to it, looks like one that has just been opened.

`tests/routes/test_screens.py` tries every action without a browser; here are the scripts themselves, with what only
they do: days, times, groups, whose row it is.
"""

import asyncio
import random
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
from playwright.async_api import Page, expect

from tests.browser.actions import ENDED, LOST, PASSWORD, comes, join, say, shown
from tests.browser.meeting import Meet
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve
from tests.support.wire import wire

LOOK = """() => {
  const text = (place, selector) => place.querySelector(selector)?.textContent.trim() ?? null;
  const row = (each) => [
    each.tagName, each.id, each.dataset.seq, each.dataset.by, each.dataset.kind, each.dataset.key,
    [...each.classList].sort().join(' '), each.hidden, text(each, 'bdi'), text(each, '.avatar'),
    each.querySelector('.avatar')?.dataset.hue, each.querySelector('.msg-body')?.innerHTML,
    ...[...each.querySelectorAll('time')].flatMap((time) => [time.textContent, time.dateTime, time.title]),
    each.textContent.replace(/\\s+/g, ' ').trim(),
  ].map((one) => one ?? '').join(' | ');
  return {
    rows: [...document.querySelectorAll('.timeline-inner [data-seq]')].map(row),
    days: [...document.querySelectorAll('.timeline-inner > .day')].map((day) => [
      day.dataset.day, text(day, '.day-label'), day.querySelectorAll('[data-seq]').length].join(' ')),
    head: text(document, '.room-head .title'),
    members: text(document, '#details')?.replace(/\\s+/g, ' '),
    sidebar: text(document, '#side-rooms-list')?.replace(/\\s+/g, ' '),
  };
}"""


class Writer:
    """Somebody who comes over HTTP, without a browser."""

    def __init__(self, server: ChatServer, name: str) -> None:
        self.name = name
        headers = {"Origin": server.url, "Accept": "application/json"}
        self.client = httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30)

    async def does(self, path: str, **fields: str) -> str:
        answer = await self.client.post(path, data=fields)
        assert answer.status_code in {200, 303}, answer.text
        return str(answer.headers.get("location", ""))

    async def signs_up(self) -> "Writer":
        email = f"{self.name.lower()}@people.example"
        await self.does("/sign-up", name=self.name, email=email, password=PASSWORD)
        return self

    async def says(self, room: str, body: str) -> int:
        form = {"body": body, "key": str(uuid4())}
        answer = await self.client.post(f"{room}/messages", data=form)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["seq"])

    async def thinks_again(self, room: str, step: str) -> None:
        """Edits or deletes what they have just said."""
        seq = await self.says(room, "@Ben, first thoughts")
        path = f"{room}/messages/{seq}/{step}"
        await self.does(path, body="@Ben: on *second* thoughts", base="0")


@asynccontextmanager
async def writers(server: ChatServer, *names: str) -> AsyncIterator[list[Writer]]:
    people = [await Writer(server, name).signs_up() for name in names]
    yield people
    for writer in people:
        await writer.client.aclose()


async def last_number(who: Writer, room: str) -> int:
    page = (await who.client.get(room)).text
    found = re.search(r'data-cursor="[^"]*:(\d+)"', page)
    assert found
    return int(found[1])


def set_ages(server: ChatServer, room: str, minutes: dict[int, int]) -> None:
    """As if the rows with these numbers had been stored so many minutes ago. Pages drawn before may know better."""
    query = "UPDATE messages SET at = (strftime('%s', 'now') - ? * 60) * 1000 WHERE room_id = ? AND seq = ?"
    number = int(room.rsplit("/", 1)[1])
    with sqlite3.connect(server.folder / "data/chatapp.db", timeout=20) as database:
        database.executemany(query, [(ago, number, seq) for seq, ago in minutes.items()])
    database.close()


async def looks(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(LOOK)
    return found


async def looks_fresh(who: Person, room: str, *followed: Page) -> None:
    """Each of these tabs soon looks like one that is opened now."""
    fresh = await who.tab(room)
    await expect(fresh.locator("html.js")).to_be_attached()
    for page in followed:
        for _ in range(100):  # lists beside the conversation are fetched a moment later
            wanted, has = await looks(fresh), await looks(page)
            if has == wanted:
                break
            await asyncio.sleep(0.25)
        for part, value in wanted.items():
            assert has[part] == value, part
    await fresh.close()


async def test_through_talk_silence_and_a_restart_a_tab_looks_like_a_fresh_one(
    serve: Serve, person: Arrive
) -> None:
    """A random story: what is said over three days, live, while the line is down, and over a restart."""
    dice = random.Random(20261125)
    server = await serve(LIMIT_FACTOR="1000")
    async with (
        writers(server, "Ann", "Cat", "Dan") as (ann, cat, dan),
        wire(server.port) as line,
    ):
        room = await ann.does("/rooms", name="Lab", topic="What we found out")
        for who in (cat, dan):
            await who.does(f"{room}/join")
        # Three days, pauses just under and over five minutes, one author and several.
        for number in range(12):
            await dice.choice([ann, ann, cat, dan]).says(room, f"past {number}")
        ages = (dice.choice([3, 2, 1]) * 1440 + dice.randrange(9) for _ in range(15))
        set_ages(server, room, dict(enumerate(sorted(ages, reverse=True), 1)))
        ben = await person("Ben", line, timezone_id="Pacific/Auckland")
        ben.allow(LOST)
        await comes(ben)
        await join(ben, room)
        other = await ben.tab(room)
        await looks_fresh(ben, room, ben.page, other)

        async def happens(count: int) -> None:
            for number in range(count):
                who = dice.choice([ann, cat, dan])
                what = dice.random()
                if number % 3 == 2:
                    await who.thinks_again(room, dice.choice(["edit", "delete"]))
                elif what < 0.15:  # to what was said before Ben came
                    path = f"{room}/messages/{dice.randrange(4, 16)}"
                    await who.does(
                        f"{path}/react",
                        emoji=dice.choice("👍🎉"),
                        on=dice.choice(["true", "true", "false"]),
                    )
                elif what < 0.2:
                    await who.does(
                        f"{room}/messages/{dice.randrange(4, 16)}/pin",
                        on=dice.choice(["true", "false"]),
                    )
                elif what < 0.6:
                    await who.says(room, f"{who.name} **{number}** & <b> https://x.example/")
                elif what < 0.7:
                    topic = f"topic {number}"
                    await ann.does(f"{room}/settings", name=f"Lab {number}", topic=topic)
                elif what < 0.8:
                    await dan.does(f"{room}/leave")
                    await dan.does(f"{room}/join")
                elif what < 0.9:
                    name = f"Cat {dice.choice(['Carver', 'Cooper', 'Clark'])}"
                    await cat.does("/settings/profile", name=name, hue=str(number % 12))
                else:
                    await asyncio.gather(*(each.says(room, "at once") for each in (ann, cat)))

        # live, and Ben says something too
        await happens(6)
        await say(ben.page, "mine")
        await say(ben.page, "mine again")
        await happens(2)
        await say(other, "mine from the other tab")
        await looks_fresh(ben, room, ben.page, other)
        # while the line is down; what Ben writes waits
        line.cut()
        await happens(6)
        await say(ben.page, "written in the dark")
        line.mend()
        await looks_fresh(ben, room, ben.page, other)
        # while the server restarts, whose clock was wrong for a while
        line.cut()
        last = await last_number(ann, room)
        await happens(6)
        await asyncio.to_thread(server.stop)
        set_ages(server, room, {last + 1: 3 * 1440, last + 2: 30, last + 3: 29, last + 4: 24})
        await asyncio.to_thread(server.start)
        line.mend()
        await looks_fresh(ben, room, ben.page, other)


async def test_a_room_with_another_name_has_it_everywhere_on_the_page(meet: Meet) -> None:
    ann, ben, room = await meet("Old name", "Old topic")
    await say(ben.page, "hello")
    await shown(ben.page, "hello")
    await ann.goto(f"{room}/settings")
    await ann.page.locator("main #room-name").fill("New name")
    await ann.page.locator("main #room-topic").fill("New topic")
    await ann.page.get_by_role("button", name="Save room").click()
    await expect(ben.page.get_by_role("heading", level=1)).to_have_text("New name", timeout=20_000)
    await expect(ben.page.locator(".room-intro")).to_contain_text("New name begins here")
    await expect(ben.page.locator(".room-intro")).to_contain_text("New topic")
    await expect(ben.page.locator("#composer")).to_have_attribute("placeholder", "Message New name")
    await expect(ben.page.get_by_role("log")).to_have_attribute(
        "aria-label", "Messages in New name"
    )
    await expect(ben.page).to_have_title("New name · chatapp")
    await expect(ben.page.locator("#side-rooms-list")).to_contain_text("New name")
    await expect(ben.page.locator(".event", has_text="New name")).to_be_visible()
    assert "Old name" not in (await ben.page.locator("body").inner_text())


async def test_who_inherits_a_room_finds_its_settings_without_loading_the_page_again(
    meet: Meet,
) -> None:
    ann, ben, _room = await meet("Tea")
    ann.allow(ENDED)
    await ann.page.get_by_role("button", name="Room menu").click()
    await ann.page.get_by_role("button", name="Leave room").click()
    await expect(ann.page.get_by_label("The new owner")).to_contain_text("Ben")
    await ann.page.get_by_role("button", name="Leave room").click()
    await expect(ben.page.locator(".event").last).to_contain_text("Ann left.")
    await expect(ben.page.locator("#details")).to_contain_text("Owner", timeout=20_000)
    await ben.page.get_by_role("button", name="Room menu").click()
    await expect(ben.page.get_by_role("link", name="Room settings")).to_be_visible()
