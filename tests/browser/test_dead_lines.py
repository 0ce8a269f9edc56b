"""CON-01: lines that died without a word, as after a sleep or behind a firewall that forgot them."""

from playwright.async_api import Page, expect

from tests.browser.actions import LOST, bodies, say, shown, two_in_a_room
from tests.browser.clocks import hurried, with_a_clock_of_its_own
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
    """His tab believes to be connected. It finds out, says so, and gives up a handshake that hangs."""
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
            line.clear()
            for page in (ben.page, ann.page):
                await expect(bodies(page)).to_have_text(
                    ["before", "z1", "z2", "mine"], timeout=PATIENCE
                )
            await expect(ben.page.locator(".is-pending, .is-failed")).to_have_count(0)
        await expect(ben.page.locator(".banner")).to_have_count(0, timeout=PATIENCE)


async def test_a_handshake_that_hangs_is_given_up_and_tried_again(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    async with swamp(server.port) as line:
        ann, ben, _room = await two_in_a_room(person, server, line)
        ben.allow(DEAD)
        await with_a_clock_of_its_own(ben)
        line.swallow()
        await wakes(ben.page)
        async with hurried(ben.page):
            for _ in range(2):  # the first hangs, and so does the next: nobody waits for ever
                async with ben.page.expect_websocket(timeout=PATIENCE):
                    pass
            await say(ann.page, "meanwhile")
            line.clear()
            await expect(bodies(ben.page)).to_have_text(["meanwhile"], timeout=PATIENCE)
