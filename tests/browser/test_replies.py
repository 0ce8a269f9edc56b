"""Answering in a browser: the strip above the box, the quote, and the way there and back."""

from playwright.async_api import Locator, Page, expect

from tests.browser.actions import LOST, bodies, post_many, say, shown
from tests.browser.meeting import Meet

STRIP = "[data-answering]"


def row(page: Page, text: str) -> Locator:
    return page.locator(".timeline .msg", has=page.locator(".msg-body", has_text=text))


def quotes(page: Page) -> Locator:
    return page.locator(".timeline .reply-ref")


async def answer(page: Page, text: str) -> None:
    """By the button of a message."""
    await row(page, text).hover()
    await row(page, text).get_by_role("button", name="Answer", exact=True).click()
    await expect(page.locator(STRIP)).to_be_visible()


async def test_ben_answers_ann_and_both_see_what(meet: Meet) -> None:
    ann, ben, _room = await meet()
    await say(ann.page, "**Earl Grey** at four?")
    await say(ann.page, "Or five?")
    await expect(bodies(ben.page)).to_have_count(2)
    await answer(ben.page, "Earl Grey")
    await expect(ben.page.locator(STRIP)).to_have_text("Answering Ann: Earl Grey at four?")
    await expect(ben.page.locator("#composer")).to_be_focused()
    await say(ben.page, "Gladly.")
    await expect(ben.page.locator(STRIP)).to_have_count(0)
    for page in (ann.page, ben.page):
        await expect(quotes(page)).to_have_text("AnnEarl Grey at four?")
        await expect(row(page, "Gladly.").locator(".msg-author")).to_be_visible()
    await say(ben.page, "And cake.")
    await expect(quotes(ann.page)).to_have_count(1)


async def test_by_keys_alone(meet: Meet) -> None:
    ann, ben, _room = await meet()
    await say(ann.page, "Tea?")
    await shown(ben.page, "Tea?")
    await ben.page.locator("#composer").fill("half a ")
    await row(ben.page, "Tea?").focus()
    await ben.page.keyboard.press("r")
    await expect(ben.page.locator("#composer")).to_be_focused()
    await expect(ben.page.locator(STRIP)).to_contain_text("Tea?")
    await ben.page.keyboard.press("Escape")
    await expect(ben.page.locator(STRIP)).to_have_count(0)
    await expect(ben.page.locator("#composer")).to_have_value("half a ")
    await row(ben.page, "Tea?").focus()
    await ben.page.keyboard.press("r")
    await ben.page.keyboard.type("cup")
    await ben.page.keyboard.press("Enter")
    await shown(ann.page, "Tea?", "half a cup")
    await expect(quotes(ann.page)).to_have_text("AnnTea?")


async def test_the_way_to_the_original_and_back(meet: Meet) -> None:
    ann, ben, room = await meet()
    await say(ann.page, "the original")
    await shown(ben.page, "the original")
    await post_many(ann, room, [f"line {number}" for number in range(40)])
    await ben.goto(f"{room}?end=1")
    page = ben.page
    await page.locator(".timeline").evaluate("element => element.scrollTop = -1e6")
    await answer(page, "the original")
    await say(page, "the answer")
    await expect(quotes(page)).to_have_count(1)
    await page.locator(".timeline").evaluate("element => element.scrollTop = 0")
    await quotes(page).click()
    await expect(row(page, "the original")).to_be_in_viewport()
    await expect(row(page, "the original")).to_be_focused()
    await page.get_by_role("button", name="Back to where you were").click()
    await expect(row(page, "the answer")).to_be_in_viewport()
    await expect(row(page, "the answer")).to_be_focused()
    await expect(page.locator(".way-back")).to_have_count(0)
    await quotes(page).click()
    await expect(row(page, "the original")).to_be_in_viewport()
    await page.go_back()
    await expect(row(page, "the answer")).to_be_in_viewport()


async def test_the_way_to_an_original_that_is_far_above(meet: Meet) -> None:
    ann, ben, room = await meet()
    await say(ann.page, "the original")
    await shown(ben.page, "the original")
    await answer(ben.page, "the original")
    await ben.page.locator("#composer").fill("not yet")
    await post_many(ann, room, [f"line {number}" for number in range(120)])
    await ben.goto(f"{room}?end=1")
    page = ben.page
    await expect(page.locator("#composer")).to_have_value("not yet")
    await expect(page.locator(STRIP)).to_contain_text("the original")
    await say(page, "the answer")
    await expect(quotes(page)).to_have_text("Annthe original")
    await quotes(page).click()
    await expect(row(page, "the original")).to_be_in_viewport()
    await page.get_by_role("button", name="Back to where you were").click()
    await expect(row(page, "the answer")).to_be_in_viewport()


async def test_an_answer_waits_for_the_line_through_a_reload(meet: Meet) -> None:
    ann, ben, _room = await meet()
    await say(ann.page, "Tea?")
    await shown(ben.page, "Tea?")
    ben.allow(LOST)
    await ben.context.set_offline(True)
    await answer(ben.page, "Tea?")
    await say(ben.page, "Yes.")
    await expect(quotes(ben.page)).to_have_text("AnnTea?")
    kept = await ben.page.evaluate(
        "Object.entries(localStorage).find(([name]) => name.includes('outbox'))[1]"
    )
    assert '"reply":{"seq":3' in kept
    await ben.context.set_offline(False)
    await ben.page.reload()
    await shown(ann.page, "Tea?", "Yes.")
    await expect(quotes(ann.page)).to_have_text("AnnTea?")


async def test_words_for_an_answer_to_nothing_are_sent_without_it(meet: Meet) -> None:
    ann, ben, room = await meet()
    quote = '{"seq":99,"by":"1","name":"Ann","text":"was never said"}'
    me = await ben.page.locator("body").get_attribute("data-me")
    name = f"chatapp:answering:{me}:{room.removeprefix('/rooms/')}"
    await ben.page.evaluate("([name, quote]) => localStorage.setItem(name, quote)", [name, quote])
    await ben.page.reload()
    await expect(ben.page.locator(STRIP)).to_contain_text("was never said")
    await say(ben.page, "my words")
    await expect(ben.page.get_by_role("alert")).to_contain_text("not here")
    await ben.page.get_by_role("button", name="Try again").click()
    await shown(ann.page, "my words")
    await expect(quotes(ann.page)).to_have_count(0)


async def test_the_way_back_to_an_answer_that_is_still_under_way(meet: Meet) -> None:
    ann, ben, room = await meet()
    await say(ann.page, "the original")
    await post_many(ann, room, [f"line {number}" for number in range(40)])
    await ben.goto(f"{room}?end=1")
    page = ben.page
    ben.allow(LOST)
    await ben.context.set_offline(True)
    await page.locator(".timeline").evaluate("element => element.scrollTop = -1e6")
    await answer(page, "the original")
    await say(page, "the answer")
    await page.locator(".timeline").evaluate("element => element.scrollTop = 0")
    await quotes(page).click()
    await expect(row(page, "the original")).to_be_focused()
    await page.get_by_role("button", name="Back to where you were").click()
    await expect(row(page, "the answer")).to_be_in_viewport()
    await expect(row(page, "the answer")).to_be_focused()
    await ben.context.set_offline(False)
    await expect(row(page, "the answer")).to_have_attribute("data-seq", "44")
    await expect(row(page, "the answer")).to_be_focused()
