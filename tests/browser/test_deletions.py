"""Deleting in the room: at once for everybody, with ten seconds to think again."""

from playwright.async_api import expect

from tests.browser.actions import comes, join, open_room, say, send_form, shown
from tests.browser.changing import GONE, edits, from_the_menu, goes_to, over_http, reads, row
from tests.browser.meeting import Meet
from tests.browser.test_unread import unread
from tests.faults.replicas import two_replicas
from tests.support.fixtures import Arrive, Serve
from tests.support.redis_server import RedisServer


async def test_a_message_goes_for_everybody_and_comes_back_by_undo(
    meet: Meet,
) -> None:
    ann, ben, _room = await meet()
    await say(ann.page, "one")
    await say(ann.page, "two")
    await shown(ben.page, "one", "two")
    await edits(ann.page, "two", "three")
    await from_the_menu(ann.page, "three", "Delete")
    for page in (ann.page, ben.page):
        await reads(page, "one", GONE)
        await expect(page.locator(".msg.is-deleted")).to_have_count(1)
    offer = ann.page.get_by_role("status").filter(has_text="The message is deleted.")
    await expect(offer).to_be_visible()
    await expect(ben.page.get_by_text("The message is deleted.")).to_have_count(0)
    await offer.get_by_role("button", name="Undo").click()
    for page in (ann.page, ben.page):
        await reads(page, "one", "three *")
        await expect(page.locator(".msg.is-deleted")).to_have_count(0)
    await expect(offer).to_have_count(0)
    await expect(row(ann.page, "three")).to_be_focused()


async def test_deleting_and_taking_it_back_by_keyboard_alone(meet: Meet) -> None:
    ann, ben, _room = await meet()
    await say(ann.page, "one")
    await shown(ben.page, "one")
    page = ann.page
    await page.locator(".timeline").focus()
    await page.keyboard.press("ArrowUp")
    for name in ("More actions", "Delete"):
        await goes_to(page, name)
        await page.keyboard.press("Enter")
    await reads(ben.page, GONE)
    await expect(page.locator(".msg.is-deleted")).to_be_focused()
    await goes_to(page, "Undo", "Shift+Tab")
    await page.keyboard.press("Enter")
    await reads(ben.page, "one")
    await expect(row(page, "one")).to_be_focused()
    await from_the_menu(page, "one", "Delete")
    await reads(ben.page, GONE)
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()
    await page.locator(".msg.is-deleted").focus()
    await page.keyboard.press("Control+z")
    await reads(ben.page, "one")


async def test_the_owner_of_a_room_deletes_what_others_said(meet: Meet) -> None:
    ann, ben, _room = await meet()
    await say(ben.page, "rude")
    await shown(ann.page, "rude")
    await from_the_menu(ann.page, "rude", "Delete")
    await reads(ben.page, GONE)
    await ben.page.reload()
    await reads(ben.page, GONE)


async def test_what_is_deleted_is_unread_no_more_in_any_window_at_any_process(
    serve: Serve, person: Arrive, postgresql_url: str, redis: RedisServer
) -> None:
    first, second = await two_replicas(serve, postgresql_url, redis.url)
    ann, ben = await person("Ann", first), await person("Ben", first)
    await comes(ann)
    await comes(ben)
    lab = await open_room(ann, "Lab")
    await join(ben, lab)
    den = await send_form(ben, "/rooms", name="Den", topic="")
    await ben.goto(den)
    other = await ben.context.new_page()
    await other.goto(second.url + den)
    for text in ("one", "@Ben two"):
        await say(ann.page, text)
    mentions = other.locator(f'.side-row[href="{lab}"] [data-badge="mentions"]')
    for page in (ben.page, other):
        await unread(page, lab, 2)
    await expect(mentions).to_have_count(1)
    await from_the_menu(ann.page, "two", "Delete")
    for page in (ben.page, other):
        await unread(page, lab, 1)
    await expect(mentions).to_have_count(0)
    await ann.page.get_by_role("button", name="Undo").click()
    for page in (ben.page, other):
        await unread(page, lab, 2)
    await expect(mentions).to_have_count(1)
    await from_the_menu(ann.page, "two", "Delete")
    await from_the_menu(ann.page, "one", "Delete")
    for page in (ben.page, other):
        await unread(page, lab, 0)


async def test_without_scripts_messages_are_edited_and_deleted_by_pages(
    serve: Serve, person: Arrive
) -> None:
    ann = await person("Ann", await serve(), scripts=False)
    await comes(ann)
    await open_room(ann, "Tea")
    page = ann.page
    await page.locator("#composer").fill("Erl Grey")
    await page.get_by_role("button", name="Send").click()
    await page.get_by_role("link", name="Edit or delete messages").click()
    await page.get_by_role("link", name="Edit or delete this message of Ann").click()
    await page.get_by_role("textbox", name="Edit the message").fill("Earl Grey")
    await page.get_by_role("button", name="Save").click()
    await reads(page, "Earl Grey *")
    await page.locator("a.edited").click()
    await expect(page.locator(".version-text")).to_have_text(["Earl Grey", "Erl Grey"])
    await page.get_by_role("link", name="Back to the room").click()
    await page.get_by_role("link", name="Edit or delete messages").click()
    await page.get_by_role("link", name="Edit or delete this message of Ann").click()
    await page.get_by_role("button", name="Delete the message").click()
    await reads(page, GONE)
    await page.get_by_role("button", name="Undo").click()
    await reads(page, "Earl Grey *")


async def test_a_message_that_changes_does_not_take_the_tools_from_another(
    meet: Meet,
) -> None:
    ann, ben, room = await meet()
    await say(ann.page, "one")
    await say(ann.page, "two")
    await shown(ben.page, "one", "two")
    await row(ann.page, "two").focus()
    await row(ann.page, "one").hover()
    await expect(row(ann.page, "one").locator(".msg-tools")).to_have_count(1)
    seq = await row(ann.page, "two").get_attribute("data-seq")
    await over_http(ann, f"{room}/messages/{seq}/edit", body="three", base="0")
    await reads(ann.page, "one", "three *")
    await expect(row(ann.page, "three")).to_be_focused()
    await expect(row(ann.page, "one").locator(".msg-tools")).to_have_count(1)
