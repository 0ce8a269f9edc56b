"""A thread beside its room, in a browser."""

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.actions import LOST, post_many, say, send_form, shown
from tests.browser.changing import GONE, edit_box, goes_to
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


def in_pane(page: Page, text: str) -> Locator:
    return pane(page).locator(".msg", has_text=text)


async def does(page: Page, text: str, what: str) -> None:
    """By the menu of a message in the pane."""
    await in_pane(page, text).hover()
    await pane(page).get_by_role("button", name="More actions").click()
    await pane(page).get_by_role("button", name=what, exact=True).click()


async def with_answers(meet: Meet, *texts: str) -> tuple[Person, Person, str]:
    """What Ann has answered herself, with both panes open."""
    ann, ben, room = await both_open(meet)
    for text in texts:
        await writes(ann.page, text)
        await expect(replies(ben.page).last).to_have_text(text)
    await expect(pane(ann.page).locator(".is-pending")).to_have_count(0)
    return ann, ben, room


async def test_an_answer_is_edited_in_the_pane_and_reads_so_in_both_panes_and_rooms(
    meet: Meet,
) -> None:
    ann, ben, _room = await with_answers(meet, "Yess.", "Good.")
    await does(ann.page, "Yess.", "Edit")
    await expect(pane(ann.page).locator("#edit")).to_be_focused()
    await edit_box(ann.page).fill("Yes!")
    await writes(ben.page, "Fine.")
    await expect(replies(ann.page).last).to_have_text("Fine.")
    await expect(edit_box(ann.page)).to_have_value("Yes!")
    await edit_box(ann.page).press("Enter")
    for page in (ann.page, ben.page):
        await expect(in_pane(page, "Yes!")).to_contain_text("(edited")
        await expect(page.locator("main .msg", has_text="Yes!")).to_contain_text("(edited")
    await expect(in_pane(ann.page, "Yes!")).to_be_focused()
    # up in the empty box: one's own last, not the last of all
    await ann.page.locator("#reply").press("ArrowUp")
    await expect(pane(ann.page).locator("#edit")).to_have_value("Good.")
    await ann.page.keyboard.press("Escape")
    await expect(edit_box(ann.page)).to_have_count(0)
    await expect(ann.page.locator("#reply")).to_be_focused()
    await ann.page.keyboard.press("Escape")
    await expect(pane(ann.page)).to_have_count(0)


async def test_what_is_being_edited_goes_on_in_the_room_when_the_pane_is_closed_and_after_a_reload_in_the_pane(
    meet: Meet,
) -> None:
    ann, ben, _room = await with_answers(meet, "Yess.")
    await does(ann.page, "Yess.", "Edit")
    await pane(ann.page).locator("#edit").fill("Yes, at")
    await pane(ann.page).get_by_role("link", name="Close the thread").click()
    await expect(ann.page.locator("main #edit")).to_be_focused()
    await expect(edit_box(ann.page)).to_have_value("Yes, at")
    await ann.page.keyboard.type(" four")
    await ann.page.locator("main .thread-link").click()
    await does(ann.page, "Yess.", "Edit")
    await expect(pane(ann.page).locator("#edit")).to_be_focused()
    await expect(ann.page.locator("main .is-editing")).to_have_count(0)
    await ann.page.keyboard.type(".")
    await ann.page.reload()
    await expect(pane(ann.page).locator("#edit")).to_have_value("Yes, at four.")
    await pane(ann.page).locator("#edit").press("Enter")
    await expect(in_pane(ben.page, "Yes, at four.")).to_be_visible()
    await expect(edit_box(ann.page)).to_have_count(0)


async def test_what_is_edited_where_the_room_does_not_show_it_waits_for_the_thread(
    meet: Meet,
) -> None:
    ann, _ben, room = await with_answers(meet, "Yess.")
    await post_many(ann, room, [f"{n} of many" for n in range(120)])
    await ann.goto(f"{room}?end=1")
    await expect(ann.page.locator("main .msg", has_text="119 of many")).to_be_visible()
    await expect(ann.page.locator("main .msg", has_text="Yess.")).to_have_count(0)
    # as a click on the thread in a list, but into a room that stays where it is
    await ann.goto(f"{room}/threads/3?end=1")
    await does(ann.page, "Yess.", "Edit")
    await pane(ann.page).locator("#edit").fill("Yes.")
    await pane(ann.page).get_by_role("link", name="Close the thread").click()
    await expect(ann.page.get_by_text("What you were editing is kept.")).to_be_visible()
    await ann.goto(f"{room}/threads/3?end=1")
    await expect(pane(ann.page).locator("#edit")).to_have_value("Yes.")


async def test_an_answer_is_deleted_in_the_pane_and_taken_back_by_keyboard_alone(
    meet: Meet,
) -> None:
    ann, ben, _room = await with_answers(meet, "Yes.")
    page = ann.page
    await pane(page).locator(".timeline").focus()
    await page.keyboard.press("ArrowUp")
    await expect(in_pane(page, "Yes.")).to_be_focused()
    for name in ("More actions", "Delete"):
        await goes_to(page, name)
        await page.keyboard.press("Enter")
    for each in (page, ben.page):
        await expect(replies(each)).to_have_text([GONE])
    await goes_to(page, "Undo", "Shift+Tab")
    await page.keyboard.press("Enter")
    for each in (page, ben.page):
        await expect(replies(each)).to_have_text(["Yes."])
    await expect(in_pane(page, "Yes.")).to_be_focused()
    await does(page, "Yes.", "Delete")
    await expect(replies(ben.page)).to_have_text([GONE])
    await expect(pane(page).get_by_role("button", name="Undo")).to_be_visible()
    await page.keyboard.press("Control+z")
    await expect(replies(ben.page)).to_have_text(["Yes."])
    # what can be taken back goes to the room with whoever goes there
    await does(page, "Yes.", "Delete")
    await expect(pane(page).get_by_role("button", name="Undo")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.locator("main").get_by_role("button", name="Undo").click()
    await expect(replies(ben.page)).to_have_text(["Yes."])


async def test_reactions_and_bookmarks_made_in_the_pane_show_in_the_room_and_the_other_way_round(
    meet: Meet,
) -> None:
    ann, ben, _room = await with_answers(meet, "Yes.")
    await in_pane(ben.page, "Yes.").hover()
    await pane(ben.page).get_by_role("button", name="Add a reaction").click()
    await ben.page.locator("#reaction-picker input[type=search]").fill("tada")
    await ben.page.keyboard.press("Enter")
    for page, pressed in ((ann.page, "false"), (ben.page, "true")):
        for place in (page.locator("main"), pane(page)):
            chip = place.locator('.reaction[data-sign="🎉"]')
            await expect(chip).to_have_text("🎉1")
            await expect(chip).to_have_attribute("aria-pressed", pressed)
    await does(ben.page, "Yes.", "Bookmark")
    row_in_room = ben.page.locator("main .msg", has_text="Yes.")
    for copy in (row_in_room, in_pane(ben.page, "Yes.")):
        await expect(copy).to_contain_class("is-bookmarked")
    await ben.page.reload()
    for copy in (row_in_room, in_pane(ben.page, "Yes.")):
        await expect(copy).to_contain_class("is-bookmarked")
        await expect(copy.locator('.reaction[aria-pressed="true"]')).to_have_count(1)
    await row_in_room.hover()
    await row_in_room.get_by_role("button", name="More actions").click()
    await row_in_room.get_by_role("button", name="Remove the bookmark").click()
    for copy in (row_in_room, in_pane(ben.page, "Yes.")):
        await expect(copy).not_to_contain_class("is-bookmarked")


async def test_the_tools_of_a_pane_on_a_phone(meet: Meet) -> None:
    ann, ben, _room = await with_answers(meet, "Yes.")
    page = ann.page
    await page.set_viewport_size({"width": 320, "height": 640})
    await does(page, "Yes.", "Delete")
    undo = page.get_by_role("button", name="Undo")
    await expect(undo).to_be_in_viewport()
    await undo.click()
    await expect(replies(ben.page)).to_have_text(["Yes."])
    await in_pane(page, "Yes.").hover()
    await pane(page).get_by_role("button", name="More actions").click()
    await expect(page.get_by_role("button", name="Copy the link")).to_be_in_viewport()
    await page.keyboard.press("Escape")  # the menu, and not the pane
    await expect(page.get_by_role("button", name="Copy the link")).to_be_hidden()
    await in_pane(page, "Yes.").get_by_role("button", name="Add a reaction").click()
    await expect(page.locator("#reaction-picker")).to_be_in_viewport()
    await page.keyboard.press("Escape")
    await expect(page.locator("#reaction-picker")).to_be_hidden()
    await in_pane(page, "Yes.").get_by_role("button", name="Mark unread from here").click()
    await expect(pane(page).get_by_text("Marked as unread from here.")).to_be_in_viewport()
    await pane(page).get_by_role("button", name="Undo").click()
    await in_pane(page, "Yes.").hover()
    await in_pane(page, "Yes.").get_by_role("button", name="Answer", exact=True).click()
    await expect(page.locator("#reply")).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
