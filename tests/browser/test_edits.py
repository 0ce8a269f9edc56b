"""Editing in the room: by keyboard and by pointer, live for everybody, and never at the cost of what was written."""

from playwright.async_api import Page, Route, expect

from tests.browser.actions import ENDED, LOST, post_many, say, shown, sign_in
from tests.browser.changing import (
    GONE,
    begins_to_edit,
    edit_box,
    edits,
    goes_to,
    over_http,
    reads,
    row,
)
from tests.browser.meeting import Meet
from tests.support.chromium import Person

REFUSED = "status of 4(04|09|22)"


async def test_up_edits_the_last_thing_said_and_is_only_a_key_where_there_is_none_or_words_are_in_the_box(
    meet: Meet,
) -> None:
    ann, ben, _room = await meet()
    await say(ann.page, "first")
    await shown(ben.page, "first")
    await ben.page.locator("#composer").press("ArrowUp")
    await ann.page.locator("#composer").fill("half a thought")
    await ann.page.locator("#composer").press("ArrowUp")
    await say(ann.page, "helo")  # by now a form would have come
    await shown(ben.page, "first", "helo")
    for page in (ann.page, ben.page):
        await expect(edit_box(page)).to_have_count(0)
    await say(ben.page, "what?")
    await shown(ann.page, "first", "helo", "what?")
    await ann.page.locator("#composer").press("ArrowUp")
    await expect(edit_box(ann.page)).to_be_focused()
    await expect(edit_box(ann.page)).to_have_value("helo")
    await edit_box(ann.page).press("Backspace")
    await ann.page.keyboard.type("lo")
    await ann.page.keyboard.press("Shift+Enter")
    await ann.page.keyboard.type("there")
    await ann.page.keyboard.press("Enter")
    for page in (ann.page, ben.page):
        await reads(page, "first", "hello\nthere *", "what?")
    await expect(ann.page.locator("#composer")).to_be_focused()
    # it is the same message in another wording: nothing to read aloud as new
    await expect(row(ben.page, "hello")).to_have_attribute("aria-live", "off")
    await ben.page.reload()
    await reads(ben.page, "first", "hello\nthere *", "what?")


async def test_an_edit_by_keyboard_alone_from_the_row_and_back_to_it(
    meet: Meet,
) -> None:
    ann, _room = await meet.alone()
    await say(ann.page, "one")
    await say(ann.page, "two")
    await shown(ann.page, "one", "two")
    page = ann.page
    await page.locator(".timeline").focus()
    for key in ("ArrowUp", "ArrowUp"):
        await page.keyboard.press(key)
    await expect(row(page, "one")).to_be_focused()
    for name in ("More actions", "Edit"):
        await goes_to(page, name)
        await page.keyboard.press("Enter")
    await expect(edit_box(page)).to_be_focused()
    await page.keyboard.type(" given up")
    await page.keyboard.press("Escape")
    await expect(row(page, "one")).to_be_focused()
    await reads(page, "one", "two")


async def test_names_are_offered_while_editing_and_whoever_is_newly_named_hears_of_it(
    meet: Meet,
) -> None:
    ann, ben, _room = await meet()
    await ben.goto("/rooms")
    await say(ann.page, "hello ")
    badge = ben.page.locator('[data-badge="mentions"]')
    await expect(ben.page.locator('[data-badge="unread"]')).to_have_count(1)
    await expect(badge).to_have_count(0)
    box = await begins_to_edit(ann.page, "hello")
    await box.press_sequentially(" @be")
    option = ann.page.locator("#edit-menu [role=option]")
    await expect(option).to_have_count(1)
    await ann.page.keyboard.press("Enter")  # chooses, and saves nothing
    await expect(box).to_have_value("hello @Ben ")
    await box.press("Enter")
    await reads(ann.page, "hello @Ben *")
    await expect(badge).to_have_count(1)
    await edits(ann.page, "hello", "hello nobody")
    await expect(badge).to_have_count(0)


async def another_window_edits(who: Person, room: str, text: str, new: str, base: int) -> None:
    seq = await row(who.page, text).get_attribute("data-seq")
    assert await over_http(who, f"{room}/messages/{seq}/edit", body=new, base=str(base)) == 303


async def test_what_is_being_written_survives_a_change_of_the_row_and_giving_it_up_shows_what_came(
    meet: Meet,
) -> None:
    ann, ben, room = await meet()
    ann.allow(REFUSED)
    await say(ann.page, "one")
    await shown(ben.page, "one")
    box = await begins_to_edit(ann.page, "one")
    await box.fill("from this window")
    seq = await ann.page.locator(".msg.is-editing").get_attribute("data-seq")
    await over_http(ann, f"{room}/messages/{seq}/edit", body="from the other", base="0")
    await reads(ben.page, "from the other *")
    await say(ben.page, "I see")
    await expect(row(ann.page, "I see")).to_be_visible()
    await expect(box).to_have_value("from this window")
    await expect(box).to_be_focused()
    await box.press("Enter")
    await expect(ann.page.locator(".edit-now")).to_have_text("from the other")
    await expect(edit_box(ann.page)).to_have_value("from this window")
    await edit_box(ann.page).press("Enter")
    for page in (ann.page, ben.page):
        await reads(page, "from this window *", "I see")
    box = await begins_to_edit(ann.page, "from this window")
    assert await over_http(ann, f"{room}/messages/{seq}/edit", body="and again", base="2") == 303
    await reads(ben.page, "and again *", "I see")
    await say(ben.page, "once more")
    await expect(row(ann.page, "once more")).to_be_visible()
    await box.press("Escape")
    await reads(ann.page, "and again *", "I see", "once more")


async def test_of_a_message_that_was_deleted_meanwhile_the_words_can_still_be_copied(
    meet: Meet,
) -> None:
    ann, ben, room = await meet()
    ann.allow(REFUSED)
    await say(ann.page, "one")
    await shown(ben.page, "one")
    box = await begins_to_edit(ann.page, "one")
    await box.fill("a long thought")
    seq = await ann.page.locator(".msg.is-editing").get_attribute("data-seq")
    assert await over_http(ann, f"{room}/messages/{seq}/delete") == 303
    error = ann.page.locator("[data-error]")
    await expect(error).to_contain_text("deleted meanwhile")
    await box.press("Enter")
    await expect(error).to_contain_text("deleted meanwhile")
    await expect(box).to_have_value("a long thought")
    await box.press("Escape")
    await reads(ann.page, GONE)


async def test_a_page_that_is_loaded_again_goes_on_with_the_edit(
    meet: Meet,
) -> None:
    ann, ben, _room = await meet()
    await say(ann.page, "one")
    await shown(ann.page, "one")
    box = await begins_to_edit(ann.page, "one")
    await box.fill("one and a half")
    await ann.page.reload()
    await expect(edit_box(ann.page)).to_have_value("one and a half")
    await edit_box(ann.page).press("Enter")
    await reads(ben.page, "one and a half *")
    await ann.page.reload()
    await reads(ann.page, "one and a half *")
    await expect(edit_box(ann.page)).to_have_count(0)


async def test_without_a_line_an_edit_says_so_and_waits_in_the_box(
    meet: Meet,
) -> None:
    ann, ben, _room = await meet()
    ann.allow(LOST)
    await say(ann.page, "one")
    await say(ann.page, "two")
    await shown(ann.page, "one", "two")
    box = await begins_to_edit(ann.page, "one")
    await box.fill("one!")
    await ann.context.set_offline(True)
    await box.press("Enter")
    await expect(ann.page.locator("[data-error]")).to_contain_text("Your text stays here")
    await expect(box).to_have_value("one!")
    await ann.context.set_offline(False)
    await box.press("Enter")
    await reads(ben.page, "one! *", "two")
    await ann.context.set_offline(True)
    await row(ann.page, "two").hover()
    await ann.page.get_by_role("button", name="More actions").click()
    await ann.page.get_by_role("button", name="Edit", exact=True).click()
    await expect(ann.page.get_by_text("this cannot be changed")).to_be_visible()


async def test_who_is_signed_out_while_editing_signs_in_again_and_goes_on(
    meet: Meet,
) -> None:
    """HTX-01: the whole page goes to the sign-in page, and nothing that was written is lost."""

    async def signed_out(route: Route) -> None:
        await ann.context.clear_cookies()
        await route.continue_()

    ann, room = await meet.alone()
    ann.allow(ENDED)
    await say(ann.page, "one")
    await say(ann.page, "two")
    await shown(ann.page, "one", "two")
    box = await begins_to_edit(ann.page, "one")
    await box.fill("one and a half")
    await ann.context.clear_cookies()
    await box.press("Enter")
    await expect(ann.page.get_by_role("button", name="Sign in")).to_be_visible()
    await sign_in(ann)
    await expect(ann.page).to_have_url(f"{ann.url}{room}")
    await expect(edit_box(ann.page)).to_have_value("one and a half")
    await edit_box(ann.page).press("Enter")
    await reads(ann.page, "one and a half *", "two")
    await row(ann.page, "two").hover()
    await ann.page.get_by_role("button", name="More actions").click()
    # no sooner: whatever else the page asks for just then would lead there as well, before the click
    await ann.page.route("**/messages/*/edit", signed_out)
    await ann.page.get_by_role("button", name="Edit", exact=True).click()
    await expect(ann.page.get_by_role("button", name="Sign in")).to_be_visible()


async def test_what_the_server_refuses_and_what_an_input_method_has_not_ended_stay_in_the_box(
    meet: Meet,
) -> None:
    ann, _room = await meet.alone()
    await say(ann.page, "one")
    await shown(ann.page, "one")
    box = await begins_to_edit(ann.page, "one")
    await box.fill("x" * 4003)
    await expect(ann.page.locator("[data-error]")).to_have_text("3 characters too many")
    await expect(ann.page.get_by_role("button", name="Save")).to_be_disabled()
    await box.press("Enter")
    await expect(box).to_have_value("x" * 4003)
    await box.fill("にほん")
    for key in ("Enter", "Escape"):
        await box.dispatch_event("keydown", {"key": key, "isComposing": True, "bubbles": True})
    await expect(box).to_have_value("にほん")
    await box.press("Enter")
    await reads(ann.page, "にほん *")


async def test_what_a_message_said_before_opens_from_its_mark(meet: Meet) -> None:
    ann, ben, _room = await meet()
    await say(ann.page, "helo **all**")
    await shown(ann.page, "helo all")
    await edits(ann.page, "helo", "hello <b>all</b>")
    await reads(ben.page, "hello <b>all</b> *")
    await ben.page.locator("a.edited").press("Enter")
    dialog = ben.page.get_by_role("dialog", name="What the message said")
    texts = dialog.locator(".version-text")
    await expect(texts).to_have_text(["hello <b>all</b>", "helo **all**"])
    await ben.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(ben.page.locator("a.edited")).to_be_focused()


async def top_of(page: Page, text: str) -> float:
    return float(await row(page, text).evaluate("each => each.getBoundingClientRect().bottom"))


async def test_the_place_of_a_reader_does_not_move_when_something_above_is_edited(
    meet: Meet,
) -> None:
    """HIS-02 (c)"""
    ann, ben, room = await meet()
    await post_many(ann, room, [f"number {n} ends" for n in range(40)])
    await expect(row(ben.page, "number 39 ends")).to_be_visible()
    await row(ben.page, "number 20 ends").evaluate("each => each.scrollIntoView({block: 'center'})")
    before = await top_of(ben.page, "number 20 ends")
    await another_window_edits(ann, room, "number 5 ends", "line\n" * 30, 0)
    await expect(ben.page.locator(".msg", has_text="line")).to_have_count(1)
    assert abs(await top_of(ben.page, "number 20 ends") - before) <= 2


async def test_only_ones_own_messages_offer_an_edit(meet: Meet) -> None:
    ann, ben, _room = await meet()
    await say(ann.page, "mine")
    await shown(ben.page, "mine")
    for page, what in ((ann.page, ["Edit", "Delete"]), (ben.page, [])):
        await row(page, "mine").hover()
        await page.get_by_role("button", name="More actions").click()
        menu = page.locator("#msg-menu")
        await expect(menu.get_by_text("Copy the link")).to_be_visible()
        seen = [text for text in ("Edit", "Delete") if await menu.get_by_text(text).is_visible()]
        assert seen == what
