"""Large calls: everything goes through a real Janus, from the second or third person on to spare the machine."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from chatapp.realtime.media import room_number
from tests.browser.actions import ENDED, LOST, send_form
from tests.browser.calling import crashed, gathered, in_call, others, reaches
from tests.faults.replicas import hear_redis, two_replicas
from tests.support.fixtures import Arrive, Serve
from tests.support.janus_server import JanusServer
from tests.support.redis_server import RedisServer

OPEN = "() => window.links.filter(link => link.signalingState !== 'closed').length"


async def number_of(page: Page, call: int = 1) -> int:
    """Of the call's room in Janus."""
    cursor = await page.locator("main.call").get_attribute("data-cursor")
    assert cursor
    return room_number(cursor.rpartition(":")[0], call)


async def tokens(*pages: Page) -> list[str]:
    """What the others' tiles are called, in order."""
    found = {
        str(await tile.get_attribute("data-tile"))
        for page in pages
        for tile in await others(page).all()
    }
    return sorted(found)


async def test_a_call_that_grows_goes_over_to_the_media_server_which_who_leaves_is_out_of(
    serve: Serve, person: Arrive, janus: JanusServer, postgresql_url: str
) -> None:
    server = await serve(DATABASE_URL=postgresql_url, JANUS_ABOVE="2", **janus.settings)
    people, pages, room = await gathered(person, server, server, server)
    for page in pages:
        await expect(others(page)).to_have_count(2)
        await reaches(page, pictures=2, sounds=2)
        assert await page.evaluate(OPEN) == 2, "one to send and one to get, whoever is there"
    await janus.comes_to(await number_of(pages[0]), await tokens(*pages))
    await expect(others(pages[0]).first).to_have_class(re.compile("is-speaking"))
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
    number = await number_of(pages[0])
    await janus.comes_to(number, await tokens(pages[0], pages[2]))
    cat, (ann,) = people[2], await tokens(pages[2])
    cat.allow(ENDED)
    await send_form(cat, f"{room}/leave")
    await expect(pages[2].get_by_role("heading", name="no longer a member")).to_be_visible()
    assert await pages[2].evaluate(OPEN) == 0
    await janus.comes_to(number, [ann])
    await reaches(pages[0], pictures=0, sounds=0)
    await pages[0].get_by_role("button", name="Leave").click()
    await janus.comes_to(number, None)


@pytest.mark.faults
async def test_what_one_turns_off_the_others_see_and_do_not_get(
    serve: Serve, person: Arrive, janus: JanusServer
) -> None:
    server = await serve(JANUS_ABOVE="1", **janus.settings)
    _people, (hers, his), _room = await gathered(person, server, server)
    tile = others(hers)
    await reaches(hers, pictures=1, sounds=1)
    for key in ("m", "v", "h"):
        await his.keyboard.press(key)
    await expect(tile.locator("[data-words]")).to_have_text(", muted")
    await expect(tile.locator("video")).to_be_hidden()
    await expect(tile.get_by_role("img", name="Hand raised")).to_be_visible()
    await reaches(hers, pictures=0, sounds=0)
    for key in ("m", "v", "h"):
        await his.keyboard.press(key)
    await expect(tile.locator("video")).to_be_visible()
    await reaches(hers, pictures=1, sounds=1)
    await hers.get_by_role("button", name="Devices and quality").click()
    row = hers.get_by_role("region", name="Quality").locator("tbody tr")
    await expect(row).to_contain_text("kbit/s", timeout=10_000)
    await expect(row).to_contain_text(" × ")


@pytest.mark.faults
async def test_after_a_crash_of_the_media_server_and_of_ours_all_comes_back(
    serve: Serve, person: Arrive, janus: JanusServer, postgresql_url: str
) -> None:
    server = await serve(DATABASE_URL=postgresql_url, JANUS_ABOVE="1", **janus.settings)
    people, (hers, his), _room = await gathered(person, server, server)
    for page in (hers, his):
        await reaches(page, pictures=1, sounds=1)
    await asyncio.to_thread(janus.kill)
    await expect(others(hers)).to_have_class(re.compile("is-connecting"))
    await asyncio.to_thread(janus.start)
    for page in (hers, his):
        await reaches(page, pictures=1, sounds=1)
    for who in people:
        who.allow(LOST)
    before = await tokens(hers, his)
    await asyncio.to_thread(server.kill)
    await expect(his.locator("[data-line]")).to_be_visible()
    await asyncio.to_thread(server.start)
    for page in (hers, his):
        await expect(page.locator("[data-line]")).to_be_hidden(timeout=30_000)
        await reaches(page, pictures=1, sounds=1)
    assert await tokens(hers, his) == before, "they come back as the same"
    await janus.comes_to(await number_of(hers), before)


@pytest.mark.faults
async def test_people_on_two_replicas_meet_in_one_room_of_the_media_server(
    serve: Serve, person: Arrive, janus: JanusServer, redis: RedisServer, postgresql_url: str
) -> None:
    given = {"JANUS_ABOVE": "1", **janus.settings}
    first, second = await two_replicas(serve, postgresql_url, redis.url, **given)
    await hear_redis([first, second])
    (_ann, ben), (hers, his), _room = await gathered(person, first, second)
    for page in (hers, his):
        await reaches(page, pictures=1, sounds=1)
    ben.allow(LOST)
    await asyncio.to_thread(second.kill)
    await expect(his.locator("[data-line]")).to_be_visible()
    await asyncio.to_thread(second.start)
    await expect(his.locator("[data-line]")).to_be_hidden(timeout=30_000)
    for page in (hers, his):
        await reaches(page, pictures=1, sounds=1)


@pytest.mark.faults
async def test_whose_tab_crashes_is_out_of_the_media_server_and_comes_back(
    serve: Serve, person: Arrive, janus: JanusServer
) -> None:
    server = await serve(JANUS_ABOVE="1", **janus.settings)
    (_ann, ben), (hers, his), room = await gathered(person, server, server)
    for page in (hers, his):
        await reaches(page, pictures=1, sounds=1)
    mine = await tokens(his)
    async with crashed(ben, his):
        await expect(others(hers)).to_have_count(0, timeout=30_000)
    await janus.comes_to(await number_of(hers), mine)
    await reaches(hers, pictures=0, sounds=0)
    again = await in_call(ben, room)
    for page in (hers, again):
        await reaches(page, pictures=1, sounds=1)


@pytest.mark.faults
async def test_a_small_picture_is_got_where_a_small_one_is_wanted(
    serve: Serve, person: Arrive, janus: JanusServer
) -> None:
    server = await serve(JANUS_ABOVE="1", **janus.settings)
    _people, (hers, his), _room = await gathered(person, server, server, small=False)
    for page in (hers, his):
        await reaches(page, pictures=1, sounds=1)
    await becomes(hers, 1280)
    await hers.evaluate(WANT_SMALL_ONES)
    await his.keyboard.press("v")
    await reaches(hers, pictures=0, sounds=1)
    await his.keyboard.press("v")
    await becomes(hers, 320)


# From now on the page's wishes for cameras are for the smallest layer.
WANT_SMALL_ONES = """() => {
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) { send.call(this, text.replaceAll('"layer":2', '"layer":0')); };
}"""

WIDTH = """async () => {
  for (const link of window.links) {
    if (link.signalingState === "closed") continue;
    for (const report of (await link.getStats()).values()) {
      if (report.type === "inbound-rtp" && report.kind === "video") return report.frameWidth;
    }
  }
}"""


async def becomes(page: Page, width: int) -> None:
    """The one picture that reaches her."""
    async with asyncio.timeout(20):
        while await page.evaluate(WIDTH) != width:
            await asyncio.sleep(0.1)
