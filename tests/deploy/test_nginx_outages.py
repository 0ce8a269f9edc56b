"""A replica dies, or all of them: people behind nginx go on, or are told so kindly."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from signal import SIGKILL, SIGTERM, Signals

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.actions import LOST, bodies, comes, open_room, say, shown
from tests.cases.conftest import Call
from tests.cases.pair import Pair
from tests.deploy.conftest import Shipped
from tests.deploy.listener import BREAKS_OFF, BUSY, listening
from tests.deploy.shipped import NOBODY, ShippedNginx
from tests.support.chat_server import ChatServer
from tests.support.fixtures import Arrive, Serve

DOWN = f"{LOST}|50[24]"
SOON = {"fail_timeout=2s": "fail_timeout=1s"}  # a replica that is back is asked so soon


@asynccontextmanager
async def without(server: ChatServer, number: Signals = SIGKILL) -> AsyncIterator[None]:
    """It is stopped so, and comes back afterwards."""
    await asyncio.to_thread(server.stop, number)
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


@pytest.mark.parametrize(("number", "signal"), [(0, SIGKILL), (1, SIGTERM)])
async def test_a_replica_goes_and_nobody_sees_an_error(
    pair: Pair, shipped: Shipped, call: Call, number: int, signal: Signals
):
    """Whichever it is. Pages are asked of the other one, and what is posted is stored once."""
    front = shipped(*(each.url for each in pair), other=SOON)
    ann, bob = [await call(f"{name} {number}", front) for name in ("Ann", "Bob")]
    room = await ann.opens(front, f"Shaky {number}")
    await bob.joins(front, room)
    texts = [f"m{count:02}" for count in range(20)]

    async def reads_on() -> None:
        while True:
            await bob.sees(front, room)
            await asyncio.sleep(0.05)

    async with ann.line(pair.at(number)) as cut, ann.line(pair.at(number + 1)) as kept:
        for line in (cut, kept):
            await line.watches(room)
        reading = [asyncio.create_task(reads_on()) for _ in range(2)]
        async with without(pair.at(number), signal):
            for text in texts:
                assert (await ann.posts(front, room, text)).status_code == 200
            await cut.ends()
            async with bob.line(front) as again, bob.line(front) as and_again:
                for line in (again, and_again):
                    await line.watches(room)
                await ann.posts(front, room, "over the other one")
                for line in (kept, again, and_again):
                    await line.hears("over the other one")
        # and when it is back it is asked again
        address = pair.at(number).url.removeprefix("http://")
        await front.visits(len(front.visits_so_far(replica=address)) + 1, replica=address)
        for reader in reading:
            reader.cancel()
        ends = await asyncio.gather(*reading, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 2, ends
    assert await bob.reads(front, room) == [*texts, "over the other one"]


async def test_a_replica_that_hangs_is_left_alone_for_a_while(pair: Pair, shipped: Shipped):
    """With less patience than the shipped 20 s. Two people wait that long, and nobody after them."""
    front = shipped(
        *(each.url for each in pair), other={"proxy_read_timeout 20s": "proxy_read_timeout 1s"}
    )
    pair.first.pause()
    try:
        async with httpx.AsyncClient(base_url=front.url, timeout=30) as visitor:
            answers = [await visitor.get("/sign-in") for _ in range(10)]
    finally:
        pair.first.resume()
    assert [answer.status_code for answer in answers] == [200] * 10
    asked = [visit["replica"].split(", ") for visit in await front.visits(10)]
    hanging = pair.first.url.removeprefix("http://")
    assert 1 <= sum(hanging in replicas for replicas in asked) <= 4


async def test_what_broke_off_is_asked_of_another_replica_only_if_that_changes_nothing(
    shipped: Shipped,
):
    async with listening(BREAKS_OFF) as broken, listening() as fine:
        for method, status, others in (("GET", 200, 1), ("HEAD", 200, 2), ("POST", 502, 2)):
            # an nginx that has not yet learned which of them is broken
            front = shipped(broken.url, fine.url)
            before = len(broken.heads)
            async with httpx.AsyncClient(base_url=front.url) as visitor:
                answer = await visitor.request(method, "/rooms/1")
            assert answer.status_code == status
            assert len(broken.heads) == before + 1
            assert len(fine.heads) == others


async def test_what_chatapp_itself_says_goes_through_as_it_is(shipped: Shipped):
    """Being busy is an answer: the other replica is not asked as well, and neither counts as dead for it."""
    async with listening(BUSY) as one, listening(BUSY) as two:
        front = shipped(one.url, two.url)
        async with httpx.AsyncClient(base_url=front.url) as visitor:
            for _ in range(10):
                answer = await visitor.get("/rooms")
                assert (answer.status_code, answer.text) == (503, "busy")
        assert len(one.heads) + len(two.heads) == 10
        assert min(len(one.heads), len(two.heads)) > 2


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
    front = shipped(server.url, other=SOON)
    ann = await person("Ann", front)
    ann.allow(DOWN)
    await comes(ann)
    room = await open_room(ann, "Lab")
    await say(ann.page, "before")
    await shown(ann.page, "before")
    async with without(server):
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
