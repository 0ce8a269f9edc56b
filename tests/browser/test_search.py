"""Looking for something that was said long ago, and getting to it."""

import re

from playwright.async_api import expect

from tests.browser.actions import post_many, say, shown
from tests.browser.meeting import Meet
from tests.support.chromium import Person
from tests.support.fixtures import Arrive


async def becomes_long(ann: Person, room: str) -> None:
    """In it the needle is far above the end."""
    await say(ann.page, "the **needle** is here")
    await shown(ann.page, "the needle is here")
    await post_many(ann, room, [f"hay number {n}" for n in range(70)])


async def finds_and_jumps(ann: Person) -> None:
    page = ann.page
    hit = page.locator("a.hit")
    await expect(hit).to_have_count(1)
    await expect(hit.locator("mark")).to_have_text("needle")
    await hit.click()
    await expect(page).to_have_url(re.compile(r"/rooms/\d+\?around=(\d+)#m-\1$"))
    target = page.locator(".msg:target")
    await expect(target).to_contain_text("the needle is here")
    await expect(target).to_be_in_viewport()


async def test_results_come_while_somebody_types_and_without_scripts_on_enter_and_a_hit_opens_in_place(
    meet: Meet, person: Arrive
) -> None:
    ann, room = await meet.alone()
    await becomes_long(ann, room)
    page = ann.page
    await page.locator("#search").click()
    await expect(page.locator("#search-q")).to_be_focused()
    await page.keyboard.type("hay number")
    await expect(page.locator("a.hit")).to_have_count(20)
    await expect(page.locator("#search-results [role=status]")).to_contain_text("20 messages")
    await page.locator(".search-more a").click()
    await expect(page.locator("a.hit")).to_have_count(40)
    await expect(page).to_have_url(re.compile(r"/search\?q=hay"))
    await page.locator("#search-q").fill("NEEDL")
    await expect(page.locator("a.hit")).to_have_count(1)
    await expect(page.locator("a.hit mark")).to_have_text("needl")
    await page.locator("#search-q").fill("needle")
    await finds_and_jumps(ann)
    plain = await person("Ann", ann.url, scripts=False)
    await plain.context.add_cookies(await ann.context.cookies())  # type: ignore[arg-type]
    page = plain.page
    await plain.goto("/search")
    await page.locator("#search-q").fill("hay number")
    await page.locator("#search-q").press("Enter")
    await expect(page.locator("a.hit")).to_have_count(20)
    await page.locator(".search-more a").click()
    await expect(page.locator("a.hit").first).to_contain_text("hay number 49")
    await page.locator("#search-q").fill("needle in:lab from:me")
    await page.get_by_role("button", name="Search").click()
    await finds_and_jumps(plain)
