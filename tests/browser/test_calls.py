"""Calls: people see and hear each other, with fake cameras and microphones but real browsers."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.actions import ENDED, LOST, comes, join, open_room, send_form
from tests.browser.calling import calls, comes_in, crashed, gathered, in_call, met, others, reaches
from tests.browser.meeting import Meet
from tests.faults.replicas import hear_redis, two_replicas
from tests.support.chromium import Person, arrive, browser
from tests.support.fixtures import Arrive, Serve
from tests.support.redis_server import RedisServer


async def test_two_people_see_and_hear_each_other_and_the_room_says_how_it_was(meet: Meet) -> None:
    await see_and_hear_each_other(*await met(meet))


@pytest.mark.faults
async def test_two_people_see_and_hear_each_other_while_postgresql_keeps_the_room(
    serve: Serve, person: Arrive, postgresql_url: str
) -> None:
    server = await serve(DATABASE_URL=postgresql_url)
    await see_and_hear_each_other(*await gathered(person, server, server))


async def see_and_hear_each_other(people: list[Person], pages: list[Page], _room: str) -> None:
    """And what one turns off the other sees."""
    (ann, _ben), (hers, his) = people, pages
    for page in (hers, his):
        await expect(others(page)).to_have_count(1)
        await reaches(page, pictures=1, sounds=1)
        await expect(others(page).locator("video")).to_be_visible()
    await expect(others(hers).locator("[data-name]")).to_have_text("Ben")
    await expect(others(hers)).to_have_class("tile is-speaking")  # the fake microphone beeps
    banner = ann.page.locator("[data-call-banner]")
    await expect(banner).to_contain_text("Ann, Ben")
    await expect(ann.page.locator(".side-row [data-live]")).to_contain_text("2")
    await expect(ann.page.get_by_role("link", name="Join the call")).to_be_visible()
    tile = others(hers)
    await his.keyboard.press("m")
    await expect(tile.locator("[data-words]")).to_have_text(", muted")
    await his.keyboard.press("v")
    await expect(tile.locator("video")).to_be_hidden()
    await expect(tile.locator(".avatar")).to_be_visible()
    await reaches(hers, pictures=0, sounds=0)
    await his.keyboard.press("h")
    await expect(tile.get_by_role("img", name="Hand raised")).to_be_visible()
    await expect(hers.get_by_role("status").filter(has_text="Ben raised a hand")).to_have_count(1)
    for key in ("m", "v", "h"):
        await his.keyboard.press(key)
    await expect(tile.locator("video")).to_be_visible()
    await expect(tile.get_by_role("img", name="Hand raised")).to_have_count(0)
    await reaches(hers, pictures=1, sounds=1)
    for page in (his, hers):
        await page.get_by_role("button", name="Leave").click()
        await expect(page.get_by_role("heading", name="You have left the call.")).to_be_visible()
    await expect(banner).to_be_hidden()
    await expect(ann.page.get_by_role("link", name="Start a call")).to_be_visible()
    events = ann.page.locator(".event")
    await expect(events.filter(has_text="started a call")).to_have_count(1)
    await expect(events.last).to_contain_text("Call ended after less than a minute. Ann, Ben were")


async def test_two_who_come_at_once_find_each_other_and_again_after_networks_change_and_a_tab_crashes(
    meet: Meet,
) -> None:
    ann, ben, room = await meet()
    hers, his = await calls(ann, room), await calls(ben, room)
    await asyncio.gather(comes_in(hers), comes_in(his))
    for page in (hers, his):
        await reaches(page, pictures=1, sounds=1)
    way = "() => window.links.at(-1).localDescription.sdp.match(/ice-ufrag:(.*)/)[1]"
    before = [await page.evaluate(way) for page in (hers, his)]
    await asyncio.gather(*(_network_changes(page) for page in (hers, his)))
    for page, old in zip((hers, his), before, strict=True):
        await page.wait_for_function(f"old => ({way})() !== old", arg=old)
        await reaches(page, pictures=1, sounds=1)
    async with crashed(ben, his):
        await expect(others(hers)).to_have_count(0, timeout=30_000)
    again = await in_call(ben, room)
    for page in (hers, again):
        await expect(others(page)).to_have_count(1)
        await reaches(page, pictures=1, sounds=1)


async def test_it_rings_by_hand_or_in_a_conversation_by_itself_and_the_call_fits_the_window(
    meet: Meet,
) -> None:
    ann, ben, room = await meet()
    dialog = ben.page.get_by_role("dialog", name="Ann is calling")
    alone = await send_form(ann, "/direct", names="Ben")
    hers = await in_call(ann, alone)
    await expect(dialog).to_be_visible()
    await expect(ben.page.locator(f'.side-row[href="{alone}"]')).to_be_visible()
    await dialog.get_by_role("button", name="Decline").click()
    await expect(hers.locator("[data-ring-state]")).to_have_text("Declined")
    await hers.close()
    hers = await in_call(ann, room)
    ring = hers.get_by_role("button", name="Ring Ben")
    await ring.click()
    await expect(dialog).to_contain_text("Lab")
    await dialog.get_by_role("button", name="Decline").click()
    await expect(dialog).to_be_hidden()
    await expect(hers.locator("[data-ring-state]")).to_have_text("Declined")
    await ring.click()
    async with ben.context.expect_page() as opening:
        await dialog.get_by_role("link", name="Accept").click()
    his = await opening.value
    await comes_in(his)
    await expect(dialog).to_be_hidden()
    await expect(others(hers)).to_have_count(1)
    await expect(ring).to_be_hidden()
    for share in (False, True):
        if share:
            await his.get_by_role("button", name="Share").click()
            await expect(hers.locator(".tile.screen")).to_be_visible()
        for width, height in ((320, 640), (640, 320), (1280, 800)):
            await hers.set_viewport_size({"width": width, "height": height})
            await _fits(hers)
    await hers.set_viewport_size({"width": 320, "height": 640})
    await hers.get_by_role("button", name="Leave").click()
    await _fits(hers)
    await expect(hers.get_by_role("button", name="Join again")).to_be_in_viewport()
    assert ann.problems == []


@pytest.mark.faults
async def test_three_people_on_two_replicas_share_pictures_sound_and_a_screen(
    serve: Serve, person: Arrive, redis: RedisServer, postgresql_url: str
) -> None:
    first, second = await two_replicas(serve, postgresql_url, redis.url)
    await hear_redis([first, second])
    _people, pages, _room = await gathered(person, first, second, first)
    for page in pages:
        await expect(others(page)).to_have_count(2)
        await reaches(page, pictures=2, sounds=2)
    ben = pages[1]
    await ben.get_by_role("button", name="Share").click()
    for page in (pages[0], pages[2]):
        screen = page.locator('.tile[data-tile^="screen-"]')
        await expect(screen).to_contain_text("Ben shares a screen")
        await expect(screen).to_have_class("tile screen is-main")
        await reaches(page, pictures=3, sounds=3)
    await ben.get_by_role("button", name="Stop").click()
    await expect(pages[0].locator('.tile[data-tile^="screen-"]')).to_have_count(0)
    await ben.get_by_role("button", name="Leave").click()
    for page in (pages[0], pages[2]):
        await expect(others(page)).to_have_count(1)
        await reaches(page, pictures=1, sounds=1)


async def test_media_goes_on_while_the_replica_that_passed_signals_is_dead_and_people_can_join_again(
    serve: Serve, person: Arrive, redis: RedisServer, postgresql_url: str
) -> None:
    first, second = await two_replicas(serve, postgresql_url, redis.url)
    await hear_redis([first, second])
    (ann, ben), (hers, his), room = await gathered(person, first, second)
    for page in (hers, his):
        await reaches(page, pictures=1, sounds=1)
    ben.allow(LOST)
    token = await others(hers).get_attribute("data-tile")
    await asyncio.to_thread(second.kill)
    await expect(his.locator("[data-line]")).to_be_visible()
    for page in (hers, his):
        await reaches(page, pictures=1, sounds=1)
    await asyncio.to_thread(second.start)
    await expect(his.locator("[data-line]")).to_be_hidden(timeout=30_000)
    assert await others(hers).get_attribute("data-tile") == token, "he comes back as the same"
    cat = await person("Cat", second)
    await comes(cat)
    await join(cat, room)
    page = await in_call(cat, room)
    for each in (page, hers, his):
        await reaches(each, pictures=2, sounds=2)
    ann.allow(ENDED)


async def _network_changes(page: Page) -> None:
    await page.evaluate("() => { window.dispatchEvent(new Event('online')); }")


@pytest.mark.faults
async def test_who_is_in_the_call_in_another_window_leaves_this_one(meet: Meet) -> None:
    (_ann, ben), (hers, his), room = await met(meet)
    again = await in_call(ben, room)
    await expect(his.get_by_role("heading", name="in another window")).to_be_visible()
    await expect(others(hers)).to_have_count(1)
    for page in (hers, again):
        await reaches(page, pictures=1, sounds=1)
    await his.get_by_role("button", name="Join again").click()
    await expect(again.get_by_role("heading", name="in another window")).to_be_visible()
    await reaches(hers, pictures=1, sounds=1)


async def test_whose_membership_ends_is_out_of_the_call(meet: Meet) -> None:
    (ann, ben), (hers, his), room = await met(meet)
    await reaches(hers, pictures=1, sounds=1)
    for somebody in (ann, ben):
        somebody.allow(ENDED)
    await send_form(ben, f"{room}/leave")
    await expect(his.get_by_role("heading", name="no longer a member")).to_be_visible()
    await expect(others(hers)).to_have_count(0)
    await join(ben, room)
    his = await in_call(ben, room)
    await expect(others(hers)).to_have_count(1)
    await send_form(ben, "/sign-out")
    await expect(his).to_have_url(re.compile("/sign-in"), timeout=30_000)
    await expect(others(hers)).to_have_count(0, timeout=30_000)
    await send_form(ann, f"{room}/delete", confirm="Lab")
    await expect(hers.get_by_role("heading", name="no longer a member")).to_be_visible()


@pytest.mark.faults
async def test_a_large_picture_and_the_quality_of_the_call(meet: Meet) -> None:
    _people, (hers, his), _room = await met(meet)
    await reaches(hers, pictures=1, sounds=1)
    await others(hers).get_by_role("button", name="Show large").click()
    await expect(others(hers)).to_have_class("tile is-speaking is-main")
    await hers.get_by_role("button", name="Show all tiles in one size").click()
    await expect(hers.locator(".tile.is-main")).to_have_count(0)
    await hers.get_by_role("button", name="Devices and quality").click()
    row = hers.get_by_role("region", name="Quality").locator("tbody tr")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("kbit/s", timeout=10_000)
    await expect(row.get_by_role("rowheader")).to_have_text("Ben")
    await hers.get_by_role("button", name="Close").first.click()
    await his.close()
    await expect(others(hers)).to_have_count(0)


async def test_without_a_camera_or_permission_one_is_told_and_can_come_in(serve: Serve) -> None:
    server = await serve()
    async with browser("--use-fake-ui-for-media-stream=deny") as strict:
        ann = await arrive(strict, "Ann", server.url)
        await comes(ann)
        room = await open_room(ann, "Lab")
        page = await calls(ann, room)
        await expect(page.get_by_role("alert")).to_contain_text("was not allowed to use the")
        await comes_in(page)
        await expect(page.locator('.tile[data-tile="me"] [data-words]')).to_have_text(", muted")
        assert ann.unexpected() == []


async def _fits(page: Page) -> None:
    over = "() => document.scrollingElement.scrollWidth - window.innerWidth"
    assert await page.evaluate(over) <= 0
    for button in await page.locator(".call-bar button:visible").all():
        await expect(button).to_be_in_viewport(ratio=0.9)
