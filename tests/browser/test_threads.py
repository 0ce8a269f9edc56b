"""A thread beside its room, in a browser."""

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.actions import LOST, say, send_form, shown
from tests.browser.meeting import Meet
from tests.browser.test_replies import answer, row
from tests.support.chromium import Person


def pane(page: Page) -> Locator:
    return page.locator("#thread")


def replies(page: Page) -> Locator:
    return pane(page).locator("[data-replies] .msg-body")


async def writes(page: Page, text: str) -> None:
    """In the pane's own box."""
    await page.locator("#reply").fill(text)
    await page.locator("#reply").press("Enter")


async def opens(page: Page, text: str) -> None:
    """By the button of a message."""
    await row(page, text).hover()
    await row(page, text).get_by_role("button", name="Open thread", exact=True).click()
    await expect(page.locator("#reply")).to_be_focused()


async def looks(page: Page) -> object:
    """All that is in a pane, but for the order of attributes, spaces between elements, how it came to be there, and the
    tools, which are where the pointer is."""
    return await page.evaluate(
        """() => [...document.querySelectorAll("#thread .timeline-inner *")]
          .filter((element) => !element.closest(".msg-tools")).map((element) => [
          element.tagName,
          [...element.attributes].filter(({ name }) => !["aria-live", "data-same-day"].includes(name))
            .map(({ name, value }) => `${name}=${value.split(" ").sort().join(" ")}`).sort(),
          [...element.childNodes].map((node) => node.nodeType === Node.TEXT_NODE ? node.data.trim() : "").join(""),
        ])"""
    )


async def both_open(meet: Meet) -> tuple[Person, Person, str]:
    ann, ben, room = await meet()
    await say(ann.page, "Tea?")
    await shown(ben.page, "Tea?")
    for page in (ann.page, ben.page):
        await opens(page, "Tea?")
    return ann, ben, room


async def test_what_is_said_in_a_thread_is_in_both_panes_and_in_the_room_as_on_a_fresh_page(
    meet: Meet,
) -> None:
    ann, ben, _room = await both_open(meet)
    await expect(pane(ann.page).locator("[data-count]")).to_have_text("No replies yet")
    await writes(ben.page, "Yes.")
    await writes(ann.page, "Good.")
    for page in (ann.page, ben.page):
        await expect(replies(page)).to_have_text(["Yes.", "Good."])
        await expect(pane(page).locator("[data-count]")).to_have_text("2 replies")
        await expect(page.locator("main .msg-body")).to_have_text(["Tea?", "Yes.", "Good."])
        await expect(page.locator("main .thread-link b")).to_have_text("2 replies")
        await expect(pane(page).locator(".is-pending, .is-failed")).to_have_count(0)
    await say(ann.page, "something else")
    await expect(ben.page.locator("main .msg-body")).to_have_count(4)
    await expect(replies(ben.page)).to_have_count(2)
    twice = await ann.page.evaluate(
        "[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, n, all) => all.indexOf(id) !== n)"
    )
    assert twice == []
    for n in range(2, 4):
        await writes(ben.page, f"**{n}** of ben")
        await writes(ann.page, f"{n} of ann")
        await expect(replies(ann.page)).to_have_count(2 * n)
        await expect(replies(ben.page)).to_have_count(2 * n)
    live = await looks(ann.page)
    await ann.page.reload()
    await expect(replies(ann.page)).to_have_count(6)
    await expect(pane(ann.page).locator("[data-close]")).to_be_visible()
    assert await looks(ann.page) == live


async def test_escape_closes_it_and_the_focus_goes_back(meet: Meet) -> None:
    ann, _ben, room = await both_open(meet)
    await writes(ann.page, "Well?")
    await expect(replies(ann.page)).to_have_count(1)
    await expect(ann.page).to_have_url(f"{ann.url}{room}/threads/3")
    await ann.page.keyboard.press("Escape")
    await expect(pane(ann.page)).to_have_count(0)
    await expect(ann.page).to_have_url(f"{ann.url}{room}")
    await ann.page.locator("main .thread-link").click()
    await expect(replies(ann.page)).to_have_text(["Well?"])
    await ann.page.get_by_role("link", name="Close the thread").click()
    await expect(ann.page.locator("main .thread-link")).to_be_focused()


async def test_the_list_of_threads_tells_of_what_is_new(meet: Meet) -> None:
    ann, ben, room = await meet()
    await say(ann.page, "Tea?")
    await shown(ben.page, "Tea?")
    await ann.goto("/threads")
    await expect(ann.page.get_by_role("heading", name="No threads yet")).to_be_visible()
    await answer(ben.page, "Tea?")
    await say(ben.page, "Yes.")
    link = ann.page.locator("[data-threads-row]")
    await expect(link.locator(".badge")).to_have_text("1 with unread replies")
    await link.click()
    await ann.page.locator(".list-row a").click()
    await expect(replies(ann.page)).to_have_text(["Yes."])
    await expect(link.locator(".badge")).to_have_count(0)
    await opens(ben.page, "Tea?")
    await writes(ben.page, "And cake.")
    await expect(replies(ann.page)).to_have_text(["Yes.", "And cake."])
    await expect(link.locator(".badge")).to_have_count(0)
    await ann.goto(f"{room}/threads/3")
    await pane(ann.page).get_by_role("button", name="Notify me of replies").click()
    await expect(
        pane(ann.page).get_by_role("button", name="Notify me of replies", pressed=False)
    ).to_be_visible()


async def test_what_waits_in_a_pane_goes_out_when_the_line_is_back(meet: Meet) -> None:
    ann, ben, _room = await both_open(meet)
    ben.allow(LOST)
    await ben.context.set_offline(True)
    await writes(ben.page, "Yes.")
    await expect(replies(ben.page)).to_have_text(["Yes."])
    await ben.context.set_offline(False)
    await ben.page.reload()
    await expect(replies(ann.page)).to_have_text(["Yes."])
    await expect(replies(ben.page)).to_have_text(["Yes."])
    await expect(pane(ben.page).locator(".is-pending")).to_have_count(0)


async def test_on_a_phone_the_thread_takes_the_rooms_place(meet: Meet) -> None:
    ann, ben, room = await meet()
    await say(ann.page, "Tea?")
    await shown(ben.page, "Tea?")
    await answer(ben.page, "Tea?")
    await say(ben.page, "Yes.")
    await expect(ann.page.locator("main .thread-link")).to_be_visible()
    side = ann.page.locator("#side-rooms-list .badge")
    await expect(side).to_have_count(0)
    await ann.page.set_viewport_size({"width": 390, "height": 640})
    await ann.page.locator("main .thread-link").click()
    await expect(replies(ann.page)).to_have_text(["Yes."])
    for width in (390, 320):
        await ann.page.set_viewport_size({"width": width, "height": 640})
        await expect(ann.page.locator("#composer")).to_be_hidden()
        await expect(ann.page.locator("#reply")).to_be_in_viewport()
        wide = await ann.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
    await send_form(ben, f"{room}/messages", key="0b0b9b60-6d66-4d2b-a5a8-9f62ad2a3c1f", body="x")
    await expect(ann.page.locator("main .msg-body")).to_have_count(3)
    await expect(side).to_contain_text("unread")  # what lies under the pane is not seen
    await ann.page.get_by_role("link", name="Close the thread").click()
    await expect(ann.page.locator("#composer")).to_be_visible()
    await expect(side).to_have_count(0)


async def test_a_reaction_can_be_joined_in_the_pane(meet: Meet) -> None:
    ann, ben, room = await both_open(meet)
    answer = await ann.page.request.post(
        f"{ann.url}{room}/messages/3/react",
        form={"emoji": "👍", "on": "true"},
        headers={"Origin": ann.url},
    )
    assert answer.ok
    chips = [
        pane(page).get_by_role("button", name=re.compile("👍")) for page in (ann.page, ben.page)
    ]
    for chip, pressed in zip(chips, ("true", "false"), strict=True):
        await expect(chip).to_have_attribute("aria-pressed", pressed)
    await chips[1].click()
    for chip in chips:
        await expect(chip).to_have_text("👍2")
        await expect(chip).to_have_attribute("aria-pressed", "true")
    await chips[1].click()
    await expect(chips[0]).to_have_text("👍1")
    await expect(chips[1]).to_have_attribute("aria-pressed", "false")
    await expect(ben.page).to_have_url(re.compile("/threads/3"))
