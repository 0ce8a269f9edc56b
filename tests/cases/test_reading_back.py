"""HIS-02: whoever reads old messages is left where they are, whatever comes above and below; and whoever reads the
newest stays there."""

import asyncio
from datetime import timedelta

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.actions import bodies, say
from tests.browser.reading import LOOK, WHERE, at_rest, is_at_the_end, is_in_sight
from tests.cases.conftest import House, Open
from tests.support.chromium import Person
from tests.support.past import FIRST, remember

# Of many heights, over several days.
TEXTS = [f"n{number:03}" + " and so on and on" * (number * 7 % 40) for number in range(300)]
PAST = [(FIRST + timedelta(minutes=17 * n), words) for n, words in enumerate(TEXTS)]
PIXELS = 2

Open300 = tuple[Person, int]


@pytest.fixture
async def ben_reads(house: House, open_room: Open) -> Open300:
    """Ben at the end of a room of 300 messages of Ann's, and the room."""
    room = await house.room()
    remember(house.database_url, room, PAST)
    ben = await open_room(house.ben, house.server, room)
    await ben.goto(f"/rooms/{room}?end=1")  # past what is new to him
    await expect(bodies(ben.page).last).to_have_text(TEXTS[-1])
    return ben, room


class Held:
    """Pages of history that a browser asks for and gets only when it is told."""

    def __init__(self) -> None:
        self._asked: asyncio.Queue[Route] = asyncio.Queue()

    async def hold(self, page: Page) -> None:
        await page.route("**/messages?before=*", self._asked.put)

    async def asked(self) -> Route:
        return await asyncio.wait_for(self._asked.get(), 30)


async def test_no_load_of_older_messages_moves_the_one_under_the_eye(ben_reads: Open300) -> None:
    ben, _ = ben_reads
    held = Held()
    await held.hold(ben.page)
    await ben.page.locator(".timeline").hover()
    for _ in range(3):
        await ben.page.mouse.wheel(0, -20_000)
        request = await held.asked()
        await at_rest(ben.page)
        before, count = await ben.page.evaluate(LOOK), await bodies(ben.page).count()
        await request.continue_()
        await expect(bodies(ben.page)).not_to_have_count(count)
        await at_rest(ben.page)
        assert abs(await ben.page.evaluate(WHERE, before["text"]) - before["at"]) <= PIXELS


async def test_home_again_and_again_leads_to_the_first_message(ben_reads: Open300) -> None:
    ben, _ = ben_reads
    await ben.page.locator(".timeline").focus()
    presses = 0
    while (await bodies(ben.page).first.text_content() or "").strip() != TEXTS[0]:
        count = await bodies(ben.page).count()
        await ben.page.keyboard.press("Home")
        presses += 1
        await expect(bodies(ben.page)).not_to_have_count(count)
        await at_rest(ben.page)
        assert not await is_at_the_end(ben.page), f"at the end after {presses} times Home"
    # Once more, and again where Chromium dropped the key: now and then it does so while it still scrolls.
    while not await is_in_sight(bodies(ben.page).first) and presses <= 10:
        await ben.page.keyboard.press("Home")
        presses += 1
        await at_rest(ben.page)
    await expect(bodies(ben.page).first).to_be_in_viewport()
    assert 2 <= presses <= 10
    assert [text.strip() for text in await bodies(ben.page).all_text_contents()] == TEXTS


async def test_five_new_messages_drag_nobody_away_who_reads_old_ones(
    ben_reads: Open300, house: House
) -> None:
    """They are counted instead."""
    ben, room = ben_reads
    await ben.page.locator(".timeline").hover()
    await ben.page.mouse.wheel(0, -900)
    await expect(ben.page.locator("main.room")).to_have_attribute("data-at-end", "false")
    await at_rest(ben.page)
    before = await ben.page.evaluate(LOOK)
    for number in range(5):
        await house.ann.posts(house.server, room, f"new {number}" * 9)
    await expect(ben.page.locator("[data-to-latest]")).to_contain_text("5 new messages")
    assert abs(await ben.page.evaluate(WHERE, before["text"]) - before["at"]) <= PIXELS
    await ben.page.locator("[data-to-latest]").click()
    await expect(bodies(ben.page).last).to_be_in_viewport()


async def test_a_tall_message_keeps_a_reader_at_the_end_there(
    ben_reads: Open300, house: House
) -> None:
    ben, room = ben_reads
    tall = [f"line {number}" for number in range(90)]

    async def is_still_there(last: str) -> None:
        await expect(bodies(ben.page).last).to_contain_text(last)
        await at_rest(ben.page)
        assert await is_at_the_end(ben.page)

    for words in ("\n".join(tall), "short"):
        await house.ann.posts(house.server, room, words)
        await is_still_there(words.split("\n")[-1])
    await say(ben.page, "\n".join(tall))
    await is_still_there(tall[-1])
