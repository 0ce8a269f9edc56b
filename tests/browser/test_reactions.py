"""Reactions in a browser: one tap, shown at once, the same for everybody, by pointer, finger and keyboard."""

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.actions import comes, join, open_room, post_many, say, shown, two_in_a_room
from tests.browser.meeting import Meet
from tests.faults.replicas import two_replicas
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve
from tests.support.redis_server import RedisServer

THUMB, TEA = "👍", "🍵"


def message(page: Page, text: str) -> Locator:
    return page.locator(
        ".timeline .msg", has=page.locator(".msg-body", has_text=re.compile(f"^{re.escape(text)}$"))
    )


def chip(page: Page, text: str, sign: str = THUMB) -> Locator:
    return message(page, text).locator(f'.reaction[data-sign="{sign}"]')


async def reacted(page: Page, text: str, sign: str, count: int, *, mine: bool) -> None:
    if count == 0:
        await expect(chip(page, text, sign).locator("visible=true")).to_have_count(0)
        return
    await expect(chip(page, text, sign)).to_have_text(f"{sign}{count}")
    await expect(chip(page, text, sign)).to_have_attribute("aria-pressed", str(mine).lower())


async def pick(page: Page, text: str, asked: str, *, key: str = "Enter") -> None:
    """By the picker, from the tools of a message."""
    await message(page, text).hover()
    await (
        message(page, text)
        .locator(".msg-tools")
        .get_by_role("button", name="Add a reaction")
        .click()
    )
    field = page.locator("#reaction-picker").get_by_role("searchbox")
    await expect(field).to_be_focused()
    await field.fill(asked)
    await field.press(key)


async def ann_and_ben(meet: Meet) -> tuple[Person, Person, str]:
    ann, ben, room = await meet()
    await say(ann.page, "tea at four?")
    await shown(ben.page, "tea at four?")
    await expect(message(ann.page, "tea at four?")).to_have_attribute("data-seq", re.compile("."))
    return ann, ben, room


async def test_one_tap_joins_a_reaction_and_another_takes_it_back(meet: Meet) -> None:
    ann, ben, room = await ann_and_ben(meet)
    await pick(ann.page, "tea at four?", "thumbs up")
    for page, mine in ((ann.page, True), (ben.page, False)):
        await reacted(page, "tea at four?", THUMB, 1, mine=mine)
    other = await ben.context.new_page()
    await other.goto(ben.url + room)
    await ben.page.bring_to_front()
    await chip(ben.page, "tea at four?").click()
    for page, mine in ((ann.page, True), (ben.page, True), (other, True)):
        await reacted(page, "tea at four?", THUMB, 2, mine=mine)
    await chip(other, "tea at four?").click()
    for page, mine in ((ann.page, True), (ben.page, False), (other, False)):
        await reacted(page, "tea at four?", THUMB, 1, mine=mine)
    await ann.page.reload()
    await reacted(ann.page, "tea at four?", THUMB, 1, mine=True)
    await chip(ann.page, "tea at four?").click()
    for page in (ann.page, ben.page):
        await reacted(page, "tea at four?", THUMB, 0, mine=False)


async def test_taps_in_a_row_end_as_the_last_one_said(meet: Meet) -> None:
    ann, ben, _room = await ann_and_ben(meet)
    await pick(ann.page, "tea at four?", "teacup")
    await reacted(ben.page, "tea at four?", TEA, 1, mine=False)
    await chip(ben.page, "tea at four?", TEA).evaluate(
        "chip => { for (let n = 0; n < 7; n++) chip.click(); }"
    )
    for page, mine in ((ben.page, True), (ann.page, True)):
        await reacted(page, "tea at four?", TEA, 2, mine=mine)
    await ben.page.reload()
    await reacted(ben.page, "tea at four?", TEA, 2, mine=True)


async def test_a_reaction_keeps_the_message_and_the_focus_where_they_are(meet: Meet) -> None:
    """So a screen reader does not hear the message again: its row is the same element, and the list says nothing."""
    ann, ben, _room = await ann_and_ben(meet)
    await pick(ann.page, "tea at four?", "thumbs up")
    await pick(ann.page, "tea at four?", "teacup")
    await reacted(ben.page, "tea at four?", TEA, 1, mine=False)
    await message(ben.page, "tea at four?").evaluate("row => { row.known = true; }")
    mine = chip(ben.page, "tea at four?", TEA)
    await mine.focus()
    await mine.press("Enter")
    await reacted(ann.page, "tea at four?", TEA, 2, mine=True)
    await chip(ann.page, "tea at four?", TEA).click()
    await reacted(ben.page, "tea at four?", TEA, 1, mine=True)
    await expect(mine).to_be_focused()
    assert await message(ben.page, "tea at four?").evaluate("row => row.known === true")
    await expect(message(ben.page, "tea at four?").locator(".reactions")).to_have_attribute(
        "aria-live", "off"
    )
    await mine.press("Space")
    await reacted(ann.page, "tea at four?", TEA, 0, mine=False)
    await reacted(ben.page, "tea at four?", TEA, 0, mine=False)


async def test_who_reacted_is_named_on_the_chip_and_in_a_dialog(meet: Meet) -> None:
    ann, ben, _room = await ann_and_ben(meet)
    await pick(ben.page, "tea at four?", "thumbs up")
    await chip(ann.page, "tea at four?").hover()
    await expect(chip(ann.page, "tea at four?")).to_have_attribute("title", "Ben")
    await chip(ann.page, "tea at four?").click()
    await message(ann.page, "tea at four?").get_by_role("button", name="More actions").click()
    await ann.page.get_by_role("button", name="Who reacted").click()
    dialog = ann.page.get_by_role("dialog", name="Who reacted")
    await expect(dialog.locator(".people bdi")).to_have_text(["Ben", "Ann"])
    await ann.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_what_is_refused_is_taken_back_with_a_word(meet: Meet) -> None:
    ann, ben, room = await ann_and_ben(meet)
    ann.allow("status of 422")
    await ben.page.evaluate(
        """async ([room, seq]) => {
          for (let n = 0; n < 20; n++) {
            const body = new URLSearchParams({emoji: String.fromCodePoint(0x1F600 + n), on: 'true'});
            await fetch(`${room}/messages/${seq}/react`, {method: 'POST', body, headers: {Accept: 'application/json'}});
          }
        }""",
        [room, await message(ben.page, "tea at four?").get_attribute("data-seq")],
    )
    await expect(message(ann.page, "tea at four?").locator(".reaction[data-sign]")).to_have_count(
        20
    )
    await pick(ann.page, "tea at four?", "teacup")
    await expect(ann.page.get_by_text("at most 20 different reactions")).to_be_visible()
    await reacted(ann.page, "tea at four?", TEA, 0, mine=False)


async def test_what_came_while_the_line_was_down_is_there_after_it(meet: Meet) -> None:
    """DEL-01, of reactions; what was tapped without a line is taken back and said."""
    ann, ben, _room = await ann_and_ben(meet)
    ben.allow("ERR_INTERNET_DISCONNECTED|WebSocket|Failed to fetch")
    await pick(ann.page, "tea at four?", "thumbs up")
    await reacted(ben.page, "tea at four?", THUMB, 1, mine=False)
    await ben.context.set_offline(True)
    await chip(ben.page, "tea at four?").click()
    await expect(ben.page.get_by_text("That did not get through")).to_be_visible()
    await reacted(ben.page, "tea at four?", THUMB, 1, mine=False)
    await pick(ann.page, "tea at four?", "teacup")
    await chip(ann.page, "tea at four?").click()
    await ben.context.set_offline(False)
    await reacted(ben.page, "tea at four?", TEA, 1, mine=False)
    await reacted(ben.page, "tea at four?", THUMB, 0, mine=False)


async def test_chips_and_the_page_of_reactions_work_without_scripts(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann, ben = await person("Ann", server), await person("Ben", server, scripts=False)
    await comes(ann)
    room = await open_room(ann, "Lab")
    await say(ann.page, "tea at four?")
    await pick(ann.page, "tea at four?", "thumbs up")
    await comes(ben)
    await join(ben, room)
    await chip(ben.page, "tea at four?").click()
    await reacted(ben.page, "tea at four?", THUMB, 2, mine=True)
    await reacted(ann.page, "tea at four?", THUMB, 2, mine=True)
    await message(ben.page, "tea at four?").get_by_role("link", name="Add a reaction").click()
    await expect(ben.page.locator(".people bdi")).to_have_text(["Ann", "Ben"])
    await ben.page.get_by_role("button", name="React with 🎉").click()
    await reacted(ben.page, "tea at four?", "🎉", 1, mine=True)
    await chip(ben.page, "tea at four?").click()
    await reacted(ben.page, "tea at four?", THUMB, 1, mine=False)


async def test_a_narrow_screen_holds_many_reactions(serve: Serve, person: Arrive) -> None:
    server = await serve()
    ann = await person("Ann", server, viewport={"width": 320, "height": 640}, has_touch=True)
    await comes(ann)
    room = await open_room(ann, "Lab")
    await post_many(ann, room, ["tea at four?"])
    picker = ann.page.locator("#reaction-picker")
    await message(ann.page, "tea at four?").locator(".msg-body").tap()
    await ann.page.locator(".msg-tools").get_by_role("button", name="Add a reaction").tap()
    await picker.get_by_role("searchbox").fill("teacup")
    await picker.get_by_role("searchbox").press("Enter")
    for asked in ("thumbs up", "party", "rocket", "eyes", "red heart", "fire", "pizza"):
        await message(ann.page, "tea at four?").get_by_role("link", name="Add a reaction").tap()
        await expect(picker).to_be_visible()
        box = await picker.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        await picker.get_by_role("searchbox").fill(asked)
        await picker.get_by_role("searchbox").press("Enter")
        await expect(picker).to_be_hidden()
    await expect(message(ann.page, "tea at four?").locator(".reaction[data-sign]")).to_have_count(8)
    await chip(ann.page, "tea at four?", TEA).tap()
    await reacted(ann.page, "tea at four?", TEA, 0, mine=False)
    assert await ann.page.evaluate("document.documentElement.scrollWidth <= 320")


async def test_at_two_processes_it_is_the_same(
    serve: Serve, person: Arrive, redis: RedisServer, postgresql_url: str
) -> None:
    """Also a person's own marks, in a window at the other process."""
    first, second = await two_replicas(serve, postgresql_url, redis.url)
    ann, ben, room = await two_in_a_room(person, first, second)
    await say(ann.page, "tea at four?")
    await shown(ben.page, "tea at four?")
    await pick(ann.page, "tea at four?", "thumbs up")
    await reacted(ben.page, "tea at four?", THUMB, 1, mine=False)
    await chip(ben.page, "tea at four?").click()
    await reacted(ann.page, "tea at four?", THUMB, 2, mine=True)
    other = await ben.context.new_page()
    await other.goto(first.url + room)
    await reacted(other, "tea at four?", THUMB, 2, mine=True)
    await chip(other, "tea at four?").click()
    await reacted(ben.page, "tea at four?", THUMB, 1, mine=False)
    await message(other, "tea at four?").get_by_role("button", name="More actions").click()
    await other.get_by_role("button", name="Bookmark", exact=True).click()
    await expect(message(ben.page, "tea at four?")).to_have_class(re.compile("is-bookmarked"))
    await expect(ann.page.locator(".is-bookmarked")).to_have_count(0)
