"""A page that is loading does not jump under the reader's eyes, and is painted before its scripts have come."""

import asyncio

from playwright.async_api import Page, Route, expect

from tests.browser.actions import bodies, comes, open_room
from tests.browser.meeting import Meet
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


async def test_nothing_moves_while_a_page_loads(
    serve: Serve, person: Arrive, sqlite_url: str
) -> None:
    server = await serve(DATABASE_URL=sqlite_url)
    windows = [{"width": width, "height": 800} for width in (390, 1280)]
    ann, again = [await person("Ann", server, viewport=window) for window in windows]
    for each in (ann, again):
        await each.context.add_init_script(WATCH)
        await is_steady(each, "/sign-in")
    await comes(ann)
    await again.context.add_cookies(await ann.context.cookies())  # type: ignore[arg-type]
    room = await open_room(ann, "Log", "A topic of a few words")
    await again.goto(room)
    say_long_ago(sqlite_url, room, TEXTS)
    for each in (ann, again):
        await is_steady(
            each, room, "/rooms", "/settings", f"{room}/members", room, f"{room}?around=60"
        )


async def is_steady(who: Person, *paths: str) -> None:
    for path in paths:
        await who.goto(path)
        assert await shifts(who.page) == [], (path, who.page.viewport_size)


async def test_a_room_can_be_read_before_its_scripts_have_come(meet: Meet) -> None:
    ann, room = await meet.alone("Log")
    say_long_ago(meet.database_url, room, TEXTS)
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
