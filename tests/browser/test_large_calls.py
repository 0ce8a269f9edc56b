"""Large calls: everything goes through a real Janus, from the second or third person on to spare the machine."""

import asyncio

from playwright.async_api import expect

from tests.browser.actions import ENDED
from tests.browser.calling import gathered, others, reaches
from tests.support.fixtures import Arrive, Serve
from tests.support.janus_server import JanusServer


async def test_a_call_that_grows_goes_over_to_the_media_server(
    serve: Serve, person: Arrive, janus: JanusServer, database_url: str
) -> None:
    server = await serve(DATABASE_URL=database_url, JANUS_ABOVE="2", **janus.settings)
    _people, pages, _room = await gathered(person, server, server, server)
    for page in pages:
        await expect(others(page)).to_have_count(2)
        await reaches(page, pictures=2, sounds=2)
    ben = pages[1]
    await ben.get_by_role("button", name="Share").click()
    for page in (pages[0], pages[2]):
        screen = page.locator('.tile[data-tile^="screen-"]')
        await expect(screen).to_contain_text("Ben shares a screen")
        await reaches(page, pictures=3, sounds=3)
    await ben.get_by_role("button", name="Stop").click()
    await expect(pages[0].locator('.tile[data-tile^="screen-"]')).to_have_count(0)
    await reaches(pages[0], pictures=2, sounds=2)
    await ben.get_by_role("button", name="Leave").click()
    for page in (pages[0], pages[2]):
        await expect(others(page)).to_have_count(1)
        await reaches(page, pictures=1, sounds=1)
