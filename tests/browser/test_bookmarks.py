"""Bookmarks in a browser: on the row, in every window of the person, and on a page of their own."""

import asyncio

from playwright.async_api import Page, Route, expect

from tests.browser.actions import say, shown
from tests.browser.changing import from_the_menu
from tests.browser.meeting import Meet
from tests.browser.test_reactions import message


async def bookmarked(page: Page, text: str, *, yes: bool) -> None:
    if yes:
        await expect(message(page, text)).to_contain_class("is-bookmarked")
        await expect(message(page, text)).to_have_attribute("aria-description", "Bookmarked")
    else:
        await expect(message(page, text)).not_to_contain_class("is-bookmarked")


async def test_a_bookmark_is_in_every_window_of_its_owner_and_in_no_others(
    meet: Meet,
) -> None:
    ann, ben, room = await meet()
    ben.allow("ERR_INTERNET_DISCONNECTED|WebSocket|Failed to fetch")
    await say(ann.page, "the plan")
    await shown(ben.page, "the plan")
    other = await ben.context.new_page()
    await other.goto(ben.url + room)
    await shown(other, "the plan")
    await ben.page.bring_to_front()
    await from_the_menu(ben.page, "the plan", "Bookmark")
    for page in (ben.page, other):
        await bookmarked(page, "the plan", yes=True)
    await expect(ann.page.locator(".is-bookmarked")).to_have_count(0)
    await ben.page.reload()
    await bookmarked(ben.page, "the plan", yes=True)
    await ben.page.get_by_role("link", name="Bookmarks").click()
    row = ben.page.locator(".list-row")
    await expect(row.locator(".inbox-text")).to_have_text("the plan")
    await row.get_by_role("link", name="Ann").click()
    await expect(message(ben.page, "the plan")).to_be_in_viewport()
    await bookmarked(ben.page, "the plan", yes=True)
    await from_the_menu(ben.page, "the plan", "Remove the bookmark")
    for page in (ben.page, other):
        await bookmarked(page, "the plan", yes=False)


async def test_what_another_device_did_while_the_line_was_down_is_there_after_it(
    meet: Meet,
) -> None:
    ann, ben, room = await meet()
    ben.allow("ERR_INTERNET_DISCONNECTED|WebSocket|Failed to fetch")
    await say(ann.page, "the plan")
    await shown(ben.page, "the plan")
    seq = await message(ben.page, "the plan").get_attribute("data-seq")
    cookies = await ben.context.cookies()
    await ben.context.set_offline(True)
    phone = await ann.context.browser.new_context()  # type: ignore[union-attr]
    await phone.add_cookies(
        [{"name": each["name"], "value": each["value"], "url": ben.url} for each in cookies]
    )
    answer = await phone.request.post(
        f"{ben.url}{room}/messages/{seq}/bookmark", form={"on": "true"}, headers={"Origin": ben.url}
    )
    assert answer.ok
    await phone.close()
    await ben.context.set_offline(False)
    await bookmarked(ben.page, "the plan", yes=True)


async def test_the_page_lets_them_go_one_by_one(meet: Meet) -> None:
    ann, ben, _room = await meet()
    for text in ("one", "two"):
        await say(ann.page, text)
    await shown(ben.page, "one", "two")
    for text in ("one", "two"):
        async with ben.page.expect_response("**/bookmark"):
            await from_the_menu(ben.page, text, "Bookmark")
    await ben.goto("/bookmarks")
    await expect(ben.page.locator(".inbox-text")).to_have_text(["two", "one"])
    await ben.page.get_by_role("button", name="Remove").first.press("Enter")
    await expect(ben.page.locator(".inbox-text")).to_have_text(["one"])
    await ben.page.get_by_role("button", name="Remove").press("Enter")
    await expect(ben.page.get_by_text("No bookmarks yet")).to_be_visible()


async def test_one_that_is_on_its_way_arrives_though_its_owner_has_left_the_page(
    meet: Meet,
) -> None:
    ann, ben, _room = await meet()
    await say(ann.page, "the plan")
    await shown(ben.page, "the plan")
    held: asyncio.Future[Route] = asyncio.get_running_loop().create_future()

    async def hold(route: Route) -> None:
        held.set_result(route)

    await ben.context.route("**/bookmark", hold)
    await from_the_menu(ben.page, "the plan", "Bookmark")
    request = await held
    await ben.goto("/")
    await request.continue_()
    async with asyncio.timeout(10):
        while not await ben.page.get_by_text("the plan").is_visible():
            await ben.goto("/bookmarks")
