"""A replica dies, or all of them: people behind nginx go on, or are told so kindly."""

import asyncio
import contextlib
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.actions import LOST, bodies, comes, open_room, say, shown
from tests.cases.callers import Caller
from tests.cases.conftest import Pair
from tests.deploy.conftest import Shipped
from tests.deploy.shipped import NOBODY, ShippedNginx
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Arrive, Serve

DOWN = f"{LOST}|50[24]"


@contextlib.contextmanager
def without(server: ChatServer) -> Iterator[None]:
    """It is killed, and comes back afterwards."""
    server.kill()
    try:
        yield
    finally:
        server.start()


@pytest.mark.parametrize("number", [0, 1])
async def test_a_replica_is_killed_and_nobody_sees_an_error(
    pair: Pair, front: ShippedNginx, ann: Caller, bob: Caller, number: int
):
    """Whichever it is. Pages are asked of the other one, and what is posted is stored once."""
    room = await ann.opens(front, f"Shaky {number}")
    await bob.joins(front, room)
    texts = [f"m{count:02}" for count in range(20)]

    async def load() -> None:
        for _ in range(25):
            await bob.sees(front, room)

    async with ann.line(pair.at(number)) as cut, ann.line(pair.at(number + 1)) as kept:
        for line in (cut, kept):
            await line.watches(room)
        with without(pair.at(number)):
            reading = [asyncio.create_task(load()) for _ in range(4)]
            for text in texts:
                assert (await ann.posts(front, room, text)).status_code == 200
            await asyncio.gather(*reading)
            await cut.ends()
            async with bob.line(front) as again, bob.line(front) as and_again:
                for line in (again, and_again):
                    await line.watches(room)
                await ann.posts(front, room, "over the other one")
                for line in (kept, again, and_again):
                    await line.hears("over the other one")
        assert await bob.reads(front, room) == [*texts, "over the other one"]
    # and when it is back it is asked again
    address = pair.at(number).url.removeprefix("http://")
    before = len(front.visits_so_far(replica=address))
    async with asyncio.timeout(30):
        while len(front.visits_so_far(replica=address)) == before:
            assert (await bob.at(front).get("/rooms")).status_code == 200
            await asyncio.sleep(0.1)


@pytest.fixture
def lonely(shipped: Shipped) -> ShippedNginx:
    """With nobody behind it."""
    return shipped(NOBODY)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}, {"Accept": "application/json"}])
async def test_where_nobody_answers_a_page_says_so_and_when_to_come_again(lonely, method, headers):
    async with httpx.AsyncClient(base_url=lonely.url, headers=headers) as visitor:
        for path in ("/", "/rooms/1", "/sign-in", "/rooms/1/messages", "/static/x/app.css", "/ws"):
            answer = await visitor.request(method, path)
            assert answer.status_code == 502, path
            assert answer.headers["retry-after"] == "5"
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            assert answer.headers["cache-control"] == "no-store"
            assert "Back in a moment" in answer.text
            assert "nginx</center>" not in answer.text
            assert not re.search("<script|<style| style=", answer.text)
        assert (await visitor.get("/unavailable.html")).status_code in {404, 502}, "no address"
        assert (await visitor.get("/unavailable.css")).headers["content-type"] == "text/css"


async def test_who_is_in_a_room_stays_there_while_nobody_answers_and_finds_the_way_back(
    serve: Serve, shipped: Shipped, person: Arrive
):
    """A proxy's page never takes the place of a piece of the room; somebody who loads it anew reads it, and comes
    back by its link."""
    server = await serve()
    front = shipped(server.url)
    ann = await person("Ann", front)
    ann.allow(DOWN)
    await comes(ann)
    room = await open_room(ann, "Lab")
    await say(ann.page, "before")
    await shown(ann.page, "before")
    with without(server):
        for event, path in (("refresh-members", "members"), ("refresh-sidebar", "sidebar")):
            async with ann.page.expect_response(re.compile(path)) as answer:
                await ann.page.evaluate(f"htmx.trigger(document.body, '{event}')")
            assert (await answer.value).status == 502
        await expect(ann.page.get_by_role("heading", name="Back in a moment")).to_have_count(0)
        await expect(ann.page.locator("#side-rooms-list")).to_contain_text("Lab")
        await expect(ann.page.locator("#details")).to_contain_text("Ann")
        await say(ann.page, "meanwhile")
        await expect(bodies(ann.page)).to_have_text(["before", "meanwhile"])
        await ann.goto(room)
        await expect(ann.page.get_by_role("heading")).to_have_text("Back in a moment")
        await expect(ann.page.locator("a")).to_have_css(
            "text-decoration-line", "none"
        )  # is dressed
    # nginx looks again after fail_timeout
    async with asyncio.timeout(30):
        while "Back" in await ann.page.title():
            await ann.page.get_by_role("link", name="Try again").click()
    await expect(bodies(ann.page)).to_have_text(["before", "meanwhile"], timeout=30_000)
