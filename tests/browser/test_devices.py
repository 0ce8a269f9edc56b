"""Signing out, in every tab and on every device; and what stays behind: nothing."""

import asyncio

from playwright.async_api import expect

from tests.browser.actions import (
    ENDED,
    bodies,
    comes,
    join,
    open_room,
    say,
    shown,
    sign_in,
    sign_up,
)
from tests.support.fixtures import Arrive, Serve

STORED = "() => JSON.stringify([{...localStorage}, {...sessionStorage}])"


async def test_signing_out_in_one_tab_ends_the_others_and_leaves_no_words_behind(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann = await person("Ann", server)
    await sign_up(ann)
    room = await open_room(ann, "Tea")
    await say(ann.page, "private words")
    await shown(ann.page, "private words")
    await ann.page.locator("#composer").fill("a secret draft")
    other = await ann.tab(room)
    await expect(bodies(other)).to_have_text(["private words"])
    ann.allow(ENDED)
    await ann.goto("/settings")
    await ann.page.get_by_role("button", name="Sign out here").click()
    await expect(ann.page).to_have_url(f"{ann.url}/sign-in")
    await expect(other).to_have_url(f"{ann.url}/sign-in?next=%2Frooms%2F1")
    for _ in range(3):
        await ann.page.go_back()
        assert "private words" not in await ann.page.content()
    await ann.goto("/sign-in")
    stored = await ann.page.evaluate(STORED)
    assert "private words" not in stored
    assert "a secret draft" not in stored


async def test_who_signs_in_after_ann_on_her_browser_sees_nothing_of_hers(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann = await person("Ann", server)
    await comes(ann)
    room = await open_room(ann, "Tea")
    await ann.page.locator("#composer").fill("ann's draft")
    ann.allow(ENDED)
    await ann.goto("/settings")
    await ann.page.get_by_role("button", name="Sign out here").click()
    await expect(ann.page).to_have_url(f"{ann.url}/sign-in")
    ann.name = "Cat"
    await sign_up(ann)
    await join(ann, room)
    await expect(ann.page.locator("#composer")).to_have_value("")


async def test_a_new_password_ends_ann_s_other_device_and_keeps_this_one(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    desk, phone = await person("Ann", server), await person("Ann", server)
    await comes(desk)
    room = await open_room(desk, "Tea")
    await phone.goto("/sign-in")
    await sign_in(phone)
    await expect(phone.page).to_have_url(f"{phone.url}{room}")
    await expect(phone.page.locator("html.js")).to_be_attached()
    reading = await desk.tab(room)
    for each in (desk, phone):
        each.allow(ENDED)
    await desk.goto("/settings")
    await desk.page.get_by_label("Password now").fill("correct horse battery")
    await desk.page.get_by_label("New password").fill("another password")
    await desk.page.get_by_role("button", name="Change password").click()
    await expect(desk.page.get_by_text("Your password is changed.")).to_be_visible()
    await expect(phone.page).to_have_url(f"{phone.url}/sign-in?next=%2Frooms%2F1")
    await say(reading, "still here")
    await shown(reading, "still here")


async def test_a_session_that_ended_elsewhere_leads_to_the_sign_in_page_and_back(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann = await person("Ann", server)
    await comes(ann)
    room = await open_room(ann, "Tea")
    cookies = await ann.context.cookies()
    elsewhere = await person("Ann", server)
    await elsewhere.context.add_cookies(
        [{"name": each["name"], "value": each["value"], "url": server.url} for each in cookies]
    )
    await elsewhere.goto("/settings")
    await ann.page.locator("#composer").fill("draft text")
    await asyncio.sleep(0.5)  # drafts are kept a moment after the last key
    for each in (ann, elsewhere):
        each.allow(ENDED)
    await elsewhere.page.get_by_role("button", name="Sign out everywhere").click()
    await expect(ann.page).to_have_url(f"{ann.url}/sign-in?next=%2Frooms%2F1")
    await sign_in(ann)
    await expect(ann.page).to_have_url(f"{ann.url}{room}")
    await expect(ann.page.locator("#composer")).to_have_value("draft text")


async def test_without_a_line_there_is_a_page_that_says_so(serve: Serve, person: Arrive) -> None:
    server = await serve()
    ann = await person("Ann", server)
    await comes(ann)
    await ann.goto("/")
    await ann.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    ann.allow("ERR_|Failed to fetch|WebSocket")
    await asyncio.to_thread(server.stop)
    await ann.goto("/rooms")
    await expect(ann.page.get_by_role("heading", name="You are offline")).to_be_visible()
    background = await ann.page.evaluate("() => getComputedStyle(document.body).fontFamily")
    assert background != ""
    await asyncio.to_thread(server.start)
    await ann.page.get_by_role("link", name="Try again").click()
    await expect(ann.page.get_by_role("heading", name="Rooms", exact=True, level=1)).to_be_visible()


async def test_the_theme_is_right_at_first_paint(serve: Serve, person: Arrive) -> None:
    server = await serve()
    ann = await person("Ann", server)
    await comes(ann)
    await ann.goto("/settings")
    await ann.page.get_by_label("Dark").check()
    await ann.page.get_by_role("button", name="Use this theme").click()
    await expect(ann.page.locator("html")).to_have_attribute("data-theme", "dark")
    await ann.goto("/rooms")
    await expect(ann.page.locator("html")).to_have_attribute("data-theme", "dark")
