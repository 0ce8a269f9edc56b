"""CON-01: lines that died without a word, as after a sleep or behind a firewall that forgot them; and a late one."""

from playwright.async_api import Page, expect

from tests.browser.actions import LOST, bodies, comes, join, say, shown, two_in_a_room
from tests.browser.clocks import hurried, with_a_clock_of_its_own
from tests.browser.test_screens import writers
from tests.support.fixtures import Arrive, Serve
from tests.support.swamp import swamp

PATIENCE = 60_000
DEAD = f"{LOST}|htmx:error: timeout"  # requests that nobody will ever answer


async def wakes(page: Page) -> None:
    """Something may have happened to the tab's line: as after a sleep, it asks the line instead of trusting it."""
    await page.evaluate("() => { window.dispatchEvent(new Event('offline')); }")


async def test_ben_whose_line_died_silently_is_back_by_himself_and_has_everything(
    serve: Serve, person: Arrive
) -> None:
    """His tab believes to be connected. It finds out, says so, and gives up every handshake that hangs."""
    server = await serve()
    async with swamp(server.port) as line:
        ann, ben, _room = await two_in_a_room(person, server, line)
        ben.allow(DEAD)
        await with_a_clock_of_its_own(ben)
        await say(ann.page, "before")
        await shown(ben.page, "before")
        line.swallow()
        await say(ann.page, "z1")
        await say(ann.page, "z2")
        await shown(ann.page, "before", "z1", "z2")
        await shown(ben.page, "before")
        await wakes(ben.page)
        async with hurried(ben.page):
            await expect(ben.page.locator(".banner")).to_be_visible(timeout=PATIENCE)
            await say(ben.page, "mine")
            # Each hangs, and after the third so does the question whether the session is alive: nobody waits for ever.
            for _ in range(4):
                async with ben.page.expect_websocket(timeout=PATIENCE):
                    pass
            line.clear()
            for page in (ben.page, ann.page):
                await expect(bodies(page)).to_have_text(
                    ["before", "z1", "z2", "mine"], timeout=PATIENCE
                )
            await expect(ben.page.locator(".is-pending, .is-failed")).to_have_count(0)
        await expect(ben.page.locator(".banner")).to_have_count(0, timeout=PATIENCE)


async def test_rooms_that_change_before_the_first_line_comes_up_are_listed_as_they_are(
    serve: Serve, person: Arrive
) -> None:
    """The page is drawn, and the handshake takes its time."""
    server = await serve()
    ben = await person("Ben", server)
    ben.allow(LOST)
    await ben.context.add_init_script(
        """const Real = WebSocket;
        window.WebSocket = function (url) { return new Real(window.mayConnect ? url : `${url}/nowhere`); };
        window.WebSocket.OPEN = Real.OPEN;"""
    )
    await comes(ben)
    async with writers(server, "Ann") as [ann]:
        room = await ann.does("/rooms", name="Old name", topic="")
        await join(ben, room)
        await ben.goto("/rooms")
        await expect(ben.page.locator("#side-rooms-list")).to_contain_text("Old name")
        await ann.does(f"{room}/settings", name="New name", topic="")
    await ben.page.evaluate(
        "() => { window.mayConnect = true; dispatchEvent(new Event('online')); }"
    )
    await expect(ben.page.locator("#side-rooms-list")).to_contain_text("New name", timeout=20_000)
