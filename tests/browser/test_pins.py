"""Pins in a browser: live for everybody, and after an absence."""

import re

from playwright.async_api import expect

from tests.browser.actions import say, shown
from tests.browser.meeting import Meet
from tests.browser.test_reactions import message


async def test_a_pin_is_seen_live_and_leads_to_its_message(meet: Meet) -> None:
    ann, ben, room = await meet()
    ben.allow("ERR_INTERNET_DISCONNECTED|WebSocket|Failed to fetch")
    await say(ann.page, "the plan")
    await shown(ben.page, "the plan")
    await message(ann.page, "the plan").hover()
    await message(ann.page, "the plan").get_by_role("button", name="More actions").click()
    await ann.page.get_by_role("button", name="Pin to the room").click()
    for page in (ann.page, ben.page):
        await expect(message(page, "the plan").locator(".pin-mark")).to_have_text("Pinned")
        await expect(page.locator(".event", has_text="Ann pinned a message.")).to_be_visible()
        await expect(page.get_by_role("link", name="Pinned messages, 1")).to_be_visible()
    await ben.context.set_offline(True)
    await message(ann.page, "the plan").get_by_role("button", name="More actions").click()
    await expect(ann.page.get_by_role("button", name="Pin to the room")).to_be_hidden()
    await ann.page.get_by_role("button", name="Unpin").click()
    await expect(message(ann.page, "the plan").locator(".pin-mark")).to_have_count(0)
    await ben.context.set_offline(False)
    await expect(message(ben.page, "the plan").locator(".pin-mark")).to_have_count(0)
    await expect(ben.page.get_by_role("link", name="Pinned messages, 0")).to_be_visible()
    await message(ann.page, "the plan").hover()
    await message(ann.page, "the plan").get_by_role("button", name="More actions").click()
    await ann.page.get_by_role("button", name="Pin to the room").click()
    await ben.page.get_by_role("link", name=re.compile("Pinned messages, 1")).click()
    await expect(ben.page).to_have_url(f"{ben.url}{room}/pins")
    await ben.page.locator(".list-row").get_by_role("link", name="Ann").click()
    await expect(message(ben.page, "the plan")).to_be_in_viewport()
    await ben.goto(f"{room}/pins")
    await ben.page.get_by_role("button", name="Unpin").click()
    await expect(ben.page.get_by_text("Nothing is pinned yet")).to_be_visible()
