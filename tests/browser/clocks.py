"""Pages whose clocks run faster than ours: browsers wait long before they give up a line or try the next."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page

from tests.support.beside import beside
from tests.support.chromium import Person


async def with_a_clock_of_its_own(who: Person) -> None:
    """The page, loaded again, and with a line that works."""
    await who.page.clock.install()
    async with who.page.expect_websocket() as opened:
        await who.page.reload()
    line = await opened.value
    await line.wait_for_event("framereceived")


@asynccontextmanager
async def hurried(*pages: Page) -> AsyncIterator[None]:
    """Meanwhile their clocks run about ten times as fast."""

    async def run() -> None:
        while True:
            await asyncio.gather(*(page.clock.run_for(1000) for page in pages))
            await asyncio.sleep(0.1)

    async with beside(run()):
        yield
