"""Signing out, in every tab and on every device; and what stays behind: nothing."""

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
from tests.browser.meeting import Meet
from tests.support.fixtures import Arrive, Serve

STORED = "() => JSON.stringify([{...localStorage}, {...sessionStorage}])"


async def test_signing_out_in_one_tab_ends_the_others_and_leaves_no_words_for_who_signs_in_after(
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
    ann.name = "Cat"
    await sign_up(ann)
    await join(ann, room)
    await expect(ann.page.locator("#composer")).to_have_value("")


async def test_who_signs_out_everywhere_or_changes_the_password_ends_what_is_open_elsewhere_until_signed_in_again(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    desk, phone = await person("Ann", server), await person("Ann", server)
    await comes(desk)
    room = await open_room(desk, "Tea")
    await phone.goto("/sign-in")
    await sign_in(phone)
    for each in (desk, phone):
        each.allow(ENDED)
    await expect(phone.page).to_have_url(f"{phone.url}{room}")
    await expect(phone.page.locator("html.js")).to_be_attached()
    await phone.page.locator("#composer").fill("draft text")
    kept = "() => Object.values(localStorage).some((each) => each.includes('draft text'))"
    await phone.page.wait_for_function(kept)
    await desk.goto("/settings")
    await desk.page.get_by_role("button", name="Sign out everywhere").click()
    await expect(phone.page).to_have_url(f"{phone.url}/sign-in?next=%2Frooms%2F1")
    await desk.goto(room)
    for each in (phone, desk):
        await sign_in(each)
        await expect(each.page).to_have_url(f"{each.url}{room}")
        await expect(each.page.locator("html.js")).to_be_attached()
    await expect(phone.page.locator("#composer")).to_have_value("draft text")
    reading = await desk.tab(room)
    await desk.goto("/settings")
    await desk.page.get_by_label("Password now").fill("correct horse battery")
    await desk.page.get_by_label("New password").fill("another password")
    await desk.page.get_by_role("button", name="Change password").click()
    await expect(desk.page.get_by_text("Your password is changed.")).to_be_visible()
    await expect(phone.page).to_have_url(f"{phone.url}/sign-in?next=%2Frooms%2F1")
    await say(reading, "still here")
    await shown(reading, "still here")


async def test_the_theme_is_right_at_first_paint(meet: Meet) -> None:
    ann, _room = await meet.alone()
    await ann.goto("/settings")
    await ann.page.get_by_label("Dark").check()
    await ann.page.get_by_role("button", name="Use this theme").click()
    await expect(ann.page.locator("html")).to_have_attribute("data-theme", "dark")
    await ann.goto("/rooms")
    await expect(ann.page.locator("html")).to_have_attribute("data-theme", "dark")
