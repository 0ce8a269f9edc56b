"""CON-01: lines that died without a word, as after a sleep or behind a firewall that forgot them."""

from playwright.async_api import Page, expect

from tests.browser.actions import bodies, say, shown
from tests.browser.test_lost_line import two_in_a_room
from tests.support.fixtures import Arrive, Serve
from tests.support.wire import wire

PATIENCE = 60_000


async def wakes(page: Page) -> None:
    """Something may have happened to the tab's line: as after a sleep, it asks the line instead of trusting it."""
    await page.evaluate("() => { window.dispatchEvent(new Event('offline')); }")


async def test_ben_whose_line_died_silently_is_back_by_himself_and_has_everything(
    serve: Serve, person: Arrive
) -> None:
    """His tab believes to be connected. It finds out, says so, and gives up a handshake that hangs."""
    server = await serve()
    async with wire(server.port) as line:
        ann, ben, _room = await two_in_a_room(server, person, line)
        await say(ann.page, "before")
        await shown(ben.page, "before")
        line.hush()
        await say(ann.page, "z1")
        await say(ann.page, "z2")
        await shown(ann.page, "before", "z1", "z2")
        await shown(ben.page, "before")
        await wakes(ben.page)
        await expect(ben.page.locator(".banner")).to_be_visible(timeout=PATIENCE)
        await say(ben.page, "mine")
        line.mend()
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
    async with wire(server.port) as line:
        ann, ben, _room = await two_in_a_room(server, person, line)
        await shown(ben.page)
        line.hush()
        line.drop()
        async with ben.page.expect_websocket(timeout=PATIENCE):
            pass  # it hangs
        async with ben.page.expect_websocket(timeout=PATIENCE):
            pass  # and so does the next: nobody waits for ever
        await say(ann.page, "meanwhile")
        line.mend()
        await expect(bodies(ben.page)).to_have_text(["meanwhile"], timeout=PATIENCE)
