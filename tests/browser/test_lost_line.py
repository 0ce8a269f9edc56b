"""Lines break, servers restart, laptops sleep. Nobody does anything, and nothing is missing."""

import asyncio

from playwright.async_api import expect

from tests.browser.actions import LOST, bodies, say, shown, two_in_a_room
from tests.browser.clocks import hurried, with_a_clock_of_its_own
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve
from tests.support.past import say_long_ago
from tests.support.wire import Wire, wire


async def both_expect_losses(
    person: Arrive, ann_at: ChatServer, ben_at: ChatServer | Wire
) -> tuple[Person, Person, str]:
    ann, ben, room = await two_in_a_room(person, ann_at, ben_at)
    for each in (ann, ben):
        each.allow(LOST)
    return ann, ben, room


async def test_words_written_while_the_server_is_away_go_out_by_themselves(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann, ben, _room = await both_expect_losses(person, server, server)
    for each in (ann, ben):
        await with_a_clock_of_its_own(each)
    await say(ann.page, "before")
    await shown(ben.page, "before")
    await asyncio.to_thread(server.kill)
    await say(ann.page, "while it was away")
    await expect(bodies(ann.page)).to_have_text(["before", "while it was away"])
    await expect(ann.page.locator(".send-state")).to_be_visible()
    await expect(ann.page.locator(".banner")).to_be_visible()
    await asyncio.to_thread(server.start)
    async with hurried(ann.page, ben.page):
        for page in (ben.page, ann.page):
            await expect(bodies(page)).to_have_text(["before", "while it was away"], timeout=30_000)
        await expect(ann.page.locator(".is-pending, .is-failed")).to_have_count(0)
    await expect(ann.page.locator(".banner")).to_have_count(0, timeout=15_000)
    await ann.page.reload()
    await shown(ann.page, "before", "while it was away")


async def test_a_reload_while_the_line_is_down_keeps_what_was_sent_and_what_was_being_written(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann, ben, room = await both_expect_losses(person, server, server)
    await asyncio.to_thread(server.kill)
    await say(ann.page, "keep me")
    await ann.page.locator("#composer").fill("half a thought")
    await ann.page.close()
    await asyncio.to_thread(server.start)
    page = await ann.tab(room)
    await shown(page, "keep me")
    await expect(page.locator("#composer")).to_have_value("half a thought")
    await expect(bodies(ben.page)).to_have_text(["keep me"], timeout=30_000)


async def test_ben_misses_nothing_while_he_is_offline_also_of_a_gap_longer_than_any_page(
    serve: Serve, person: Arrive, sqlite_url: str
) -> None:
    server = await serve(DATABASE_URL=sqlite_url)
    async with wire(server.port) as line:
        ann, ben, room = await both_expect_losses(person, server, line)
        await say(ann.page, "g0")
        await shown(ben.page, "g0")
        line.cut()
        for text in ("g1", "g2", "g3"):
            await say(ann.page, text)
        await shown(ann.page, "g0", "g1", "g2", "g3")
        line.mend()
        await say(ann.page, "live4")
        texts = ["g0", "g1", "g2", "g3", "live4"]
        await expect(bodies(ben.page)).to_have_text(texts, timeout=20_000)
        await shown(ann.page, *texts)  # stored, before others are written past it
        line.cut()
        texts += (gap := [f"h{number:03}" for number in range(1, 231)])
        say_long_ago(sqlite_url, room, gap)
        line.mend()
        await say(ann.page, "live5")
        await expect(bodies(ben.page)).to_have_text([*texts, "live5"], timeout=30_000)


async def test_after_an_absence_too_long_to_catch_up_the_page_is_fresh(
    serve: Serve, person: Arrive, sqlite_url: str
) -> None:
    server = await serve(DATABASE_URL=sqlite_url)
    async with wire(server.port) as line:
        ann, ben, room = await both_expect_losses(person, server, line)
        await say(ann.page, "first")
        await shown(ben.page, "first")
        await ben.page.locator("#composer").fill("my draft")
        line.cut()
        say_long_ago(sqlite_url, room, [f"h{number:04}" for number in range(1, 1101)])
        await say(ann.page, "the last")
        line.mend()
        await expect(ben.page.locator(".new-line")).to_be_visible(timeout=30_000)
        await ben.page.locator("[data-to-latest]").click()
        await expect(bodies(ben.page).last).to_have_text("the last", timeout=30_000)
        await expect(ben.page.locator("#composer")).to_have_value("my draft")
