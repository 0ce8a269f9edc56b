"""A page that is loading does not jump under the reader's eyes, and is painted before its scripts have come."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.actions import bodies, comes, open_room
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve
from tests.support.past import say_long_ago

TEXTS = [f"n{number:03} " + "some words " * (number % 40) for number in range(120)]

# Keeps what the browser itself reports: https://www.w3.org/TR/layout-instability/. What a person causes does not count.
WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (!entry.hadRecentInput)
      window.shifts.push([entry.value, ...entry.sources.map((s) => s.node?.outerHTML?.slice(0, 80))]);
}).observe({type: 'layout-shift', buffered: true});
"""
PAINTED = "() => performance.getEntriesByType('paint').map((entry) => entry.name)"


async def shifts(page: Page) -> list[object]:
    """After scripts have started and two more frames were drawn."""
    await page.locator("html.js").wait_for()
    await page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    found: list[object] = await page.evaluate("() => window.shifts")
    return found


@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_moves_while_a_page_loads(
    serve: Serve, person: Arrive, sqlite_url: str, width: int
) -> None:
    server = await serve(DATABASE_URL=sqlite_url)
    ann: Person = await person("Ann", server, viewport={"width": width, "height": 800})
    await ann.context.add_init_script(WATCH)
    await ann.goto("/sign-in")
    assert await shifts(ann.page) == []
    await comes(ann)
    room = await open_room(ann, "Log", "A topic of a few words")
    say_long_ago(sqlite_url, room, TEXTS)
    for path in (room, "/rooms", "/settings", f"{room}/members", room, f"{room}?around=60"):
        await ann.goto(path)
        assert await shifts(ann.page) == [], path


async def test_a_room_can_be_read_before_its_scripts_have_come(
    serve: Serve, person: Arrive, sqlite_url: str
) -> None:
    server = await serve(DATABASE_URL=sqlite_url)
    ann = await person("Ann", server)
    await comes(ann)
    room = await open_room(ann, "Log")
    say_long_ago(sqlite_url, room, TEXTS)
    come = asyncio.Event()

    async def late(route: Route) -> None:
        await come.wait()
        await route.continue_()

    await ann.context.route("**/*.js", late)
    await ann.page.goto(room, wait_until="commit")
    await expect(bodies(ann.page).last).to_contain_text("n119")
    await expect(ann.page.locator("html.js")).to_have_count(0)
    async with asyncio.timeout(20):
        while "first-contentful-paint" not in await ann.page.evaluate(PAINTED):
            await asyncio.sleep(0.05)
    come.set()
    await ann.page.locator("html.js").wait_for()
