"""Looking for something that was said long ago, and getting to it."""

import re

from playwright.async_api import expect

from tests.browser.actions import PASSWORD, address, comes, open_room, say, send_form
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve


async def long_room(ann: Person) -> str:
    """A room in which the needle is far above the end."""
    await comes(ann)
    room = await open_room(ann, "Lab")
    await say(ann.page, "the **needle** is here")
    for n in range(70):
        key = f"00000000-0000-4000-8000-{n:012}"
        await send_form(ann, f"{room}/messages", body=f"hay number {n}", key=key)
    return room


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


async def test_results_come_while_somebody_types_and_a_hit_opens_in_place(
    serve: Serve, person: Arrive
) -> None:
    server: ChatServer = await serve(LIMIT_FACTOR="100")
    ann = await person("Ann", server)
    await long_room(ann)
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


async def test_search_works_without_scripts(serve: Serve, person: Arrive) -> None:
    server: ChatServer = await serve(LIMIT_FACTOR="100")
    await long_room(await person("Ann", server))
    ann = await person("Ann", server, scripts=False)
    await send_form(ann, "/sign-in", email=address(ann), password=PASSWORD)
    page = ann.page
    await ann.goto("/search")
    await page.locator("#search-q").fill("hay number")
    await page.locator("#search-q").press("Enter")
    await expect(page.locator("a.hit")).to_have_count(20)
    await page.locator(".search-more a").click()
    await expect(page.locator("a.hit").first).to_contain_text("hay number 49")
    await page.locator("#search-q").fill("needle in:lab from:me")
    await page.get_by_role("button", name="Search").click()
    await finds_and_jumps(ann)
