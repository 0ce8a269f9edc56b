"""CON-04: after a restart everybody returns, but not in the same moment; and if they do, nothing breaks."""

import asyncio
import random
from itertools import pairwise

import httpx
from playwright.async_api import expect

from tests.browser.actions import bodies, open_room, say, sign_up
from tests.browser.test_lost_line import LOST
from tests.faults.driver import NONE, Client, Crowd, check, gather_crowd, stored
from tests.support.fixtures import Arrive, Serve
from tests.support.wire import wire

SEED = 20261129
PATIENCE = 30_000

# Three tabs' sockets over lines that a test lets break and come up; times are the page's own, which the test turns.
THREE_TABS = """async (path) => {
  const { Socket } = await import(path);
  const lines = new Set();
  const hear = (line, frame) => line.onmessage?.({ data: JSON.stringify(frame) });
  Object.assign(window, { up: true, attempts: [], restart: () => {
    window.up = false;
    for (const line of [...lines]) { lines.delete(line); line.onclose?.({ code: 1012 }); }
  } });
  window.WebSocket = class {
    static OPEN = 1;
    constructor(tab) {
      attempts.push([Number(tab), Date.now()]);
      setTimeout(() => {
        if (!window.up) { this.onclose?.({ code: 1006 }); return; }
        this.readyState = 1;
        lines.add(this);
        hear(this, { type: 'hello' });
      }, 5);
    }
    send() {}
    close() { lines.delete(this); }
  };
  setInterval(() => lines.forEach((line) => hear(line, { type: 'beat', rooms: {} })), 20_000);
  window.sockets = [0, 1, 2].map((tab) =>
    new Socket({ url: String(tab), sessionIsDead: async () => false, signIn: () => {} }));
  for (const socket of sockets) socket.start();
}"""


async def test_over_twenty_restarts_three_tabs_come_back_at_spread_moments(
    serve: Serve, person: Arrive
) -> None:
    """CON-04 (a): each time the server stays away for 15 s, then everything is well for a while."""
    server = await serve()
    ann = await person("Ann", server)
    await ann.page.clock.install()
    await ann.goto("/sign-in")
    app = await ann.page.locator("script[type=module]").first.get_attribute("src")
    assert app is not None
    await ann.page.evaluate(THREE_TABS, app.replace("app.js", "socket.js"))
    await ann.page.clock.run_for(31_000)

    async def away(milliseconds: int) -> list[list[int]]:
        """When each tab tried, counted from the restart."""
        await ann.page.evaluate("() => { attempts.length = 0; window.at = Date.now(); restart(); }")
        await ann.page.clock.run_for(milliseconds)
        await ann.page.evaluate("() => { window.up = true; }")
        await ann.page.clock.run_for(31_000)  # the longest wait
        assert await ann.page.evaluate("() => sockets.every((socket) => socket.live)")
        await ann.page.clock.run_for(31_000)  # health
        tried = await ann.page.evaluate("() => attempts.map(([tab, at]) => [tab, at - window.at])")
        return [[at for each, at in tried if each == tab] for tab in range(3)]

    firsts: list[int] = []
    for _ in range(20):
        for tries in await away(15_000):
            firsts.append(tries[0])
            waits = [after - before for before, after in pairwise(tries)]
            assert all(wait >= 1000 for wait in waits), "never closer than a second"
            assert len(tries) <= 12
    assert max(firsts) <= 1100, "n starts again after health"
    for third in range(3):
        share = sum(third <= first // 334 < third + 1 for first in firsts)
        assert 5 <= share <= 40, f"{sorted(firsts)} are not spread"
    [long, *_] = await away(10 * 60_000)
    waits = [after - before for before, after in pairwise(long)]
    assert max(waits) <= 30_100, "capped"
    assert max(waits) > 8_000, "and growing"
    assert len({*waits}) > 5, "with chance in each"


async def test_three_tabs_whose_line_breaks_try_again_at_moments_of_their_own(
    serve: Serve, person: Arrive
) -> None:
    """CON-04 (a), the whole page over a real line"""
    server = await serve()
    async with wire(server.port) as line:
        ann = await person("Ann", line)
        ann.allow(LOST)
        await ann.context.add_init_script(
            """window.attempts = []; const Real = WebSocket;
            window.WebSocket = class extends Real {
              constructor(...given) { attempts.push(Date.now()); super(...given); } };"""
        )
        await sign_up(ann)
        room = await open_room(ann, "Lab")
        tabs = [ann.page, await ann.tab(room), await ann.tab(room)]
        for page in tabs:
            await say(page, "here")
            await expect(page.locator(".is-pending")).to_have_count(0, timeout=PATIENCE)
        line.cut()
        await asyncio.sleep(5)
        line.mend()
        await say(ann.page, "back")
        for page in tabs:
            await expect(bodies(page)).to_have_text(["here"] * 3 + ["back"], timeout=PATIENCE)
        tried = [(await page.evaluate("() => attempts"))[1:] for page in tabs]
    for attempts in tried:
        waits = [after - before for before, after in pairwise(attempts)]
        assert all(wait >= 990 for wait in waits)
        assert len(attempts) >= 2
    assert len({tuple(attempts) for attempts in tried}) == 3


async def test_a_hundred_sockets_that_return_in_one_moment_break_nothing(serve: Serve) -> None:
    """CON-04 (b), smaller: five people with all the sockets they may have. Nobody is refused, nothing is lost."""
    server = await serve(LIMIT_FACTOR="1000")
    async with wire(server.port) as line:
        five = await gather_crowd([server.url], 5, SEED)
        for client in five.clients:
            client.url = line.url
        tabs = [
            Client(f"{one.name}t{n}", line.url, one.cookie, one.room, one.cursor, random.Random(n))
            for one in five.clients
            for n in range(19)
        ]
        crowd = Crowd([*five.clients, *tabs], five.room)
        statuses: list[int] = []
        done = asyncio.Event()

        async def look() -> None:
            visitor = five.clients[0]
            async with httpx.AsyncClient(
                base_url=server.url, headers={"Cookie": visitor.cookie}, timeout=30
            ) as browser:
                while not done.is_set():
                    statuses.append((await browser.get(f"/rooms/{crowd.room}")).status_code)
                    await asyncio.sleep(0.05)

        async with crowd.here():
            looking = asyncio.create_task(look())
            talking = asyncio.gather(*(client.talk(30, pause=0.02) for client in five.clients))
            for _ in range(3):
                line.cut()
                for client in crowd.clients:
                    client.connected.clear()
                line.mend()
                async with asyncio.timeout(60):
                    await asyncio.gather(*(client.connected.wait() for client in crowd.clients))
            await asyncio.wait_for(talking, 60)
            done.set()
            await looking
            room = await stored(f"sqlite:///{server.folder}/data/chatapp.db", crowd.room)
            await crowd.settle(room.last_seq)
            closes = {code for client in crowd.clients for code in client.closes}
        assert closes == {1006}, "by the line alone"
        assert check(crowd, room) == NONE
        assert len(room.messages) == 150
        assert set(statuses) == {200}
