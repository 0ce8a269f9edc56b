"""Conversations among a few, and a room in which somebody keeps order, as those see them who have the page open."""

import re

from playwright.async_api import expect

from tests.browser.actions import ENDED, say, send_form, shown
from tests.browser.meeting import Meet


async def test_a_direct_message_comes_up_counts_like_a_mention_and_is_gone_once_read(
    meet: Meet,
) -> None:
    ann, ben, _room = await meet()
    await ben.goto("/rooms")
    room = await send_form(ann, "/direct", names="Ben")
    await ann.goto(room)
    for text in ("hello", "are you there?"):
        await say(ann.page, text)
    row = ben.page.locator(f'.side-row[href="{room}"]')
    await expect(row.locator('[data-badge="mentions"]')).to_have_text(re.compile("^@2"))
    await expect(row.locator('[data-badge="unread"]')).to_have_count(0)
    await expect(ben.page).to_have_title(re.compile(r"^\(2\) "))
    await expect(ben.page.locator('.side-row[href="/mentions"] .badge')).to_have_count(0)
    await row.click()
    await shown(ben.page, "hello", "are you there?")
    await expect(ben.page.get_by_role("heading", level=1)).to_have_text("Ann")
    await expect(row.locator(".badge")).to_have_count(0)
    await expect(row).to_be_visible()


async def test_who_may_write_and_who_is_there_changes_on_open_pages(meet: Meet) -> None:
    ann, ben, lab = await meet()
    ben.allow(ENDED)
    composer = ben.page.locator("#composer")
    await expect(composer).to_be_visible()
    await send_form(ann, f"{lab}/talk", announcement="on")
    await expect(
        ben.page.get_by_text("Only the owner and the moderators write here")
    ).to_be_visible()
    await expect(composer).to_be_hidden()
    await send_form(ann, f"{lab}/members/2", do="promote")
    await expect(composer).to_be_visible()
    await send_form(ann, f"{lab}/members/2", do="remove")
    await expect(ben.page.get_by_role("alert")).to_contain_text("no longer a member")
    await expect(ben.page.locator(f'.side-row[href="{lab}"]')).to_have_count(0)
