"""Measures the foundation on SQLite: the room page, sign-ins beside other work, a post until another sees it.

    .venv/bin/python -m benchmarks.foundation

Prints a table; times in milliseconds. All traffic stays on 127.0.0.1. Runs for about a minute.
"""

import asyncio
import json
import statistics
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import websockets
from playwright.async_api import Page

from tests.support import chromium, run_folder
from tests.support.chat_server import ChatServer
from tests.support.figures import quantile

PASSWORD = "correct horse battery"
LOADS = 300
POSTS = 60


def line(what: str, value: str) -> None:
    print(f"{what:<58} {value}", flush=True)


async def arrive(server: ChatServer, name: str) -> httpx.AsyncClient:
    client = httpx.AsyncClient(
        base_url=server.url, headers={"origin": server.url}, timeout=30, follow_redirects=False
    )
    form = {"name": name, "email": f"{name}@bench.example", "password": PASSWORD}
    answer = await client.post("/sign-up", data=form)
    assert answer.status_code == 303, answer.text
    return client


async def post(client: httpx.AsyncClient, room: str, body: str) -> None:
    form = {"body": body, "key": str(uuid.uuid4())}
    answer = await client.post(f"{room}/messages", data=form)
    assert answer.status_code == 303, answer.text


def server_times(server: ChatServer, path: str) -> list[float]:
    """What the server says a page took, from its own log."""
    return [
        float(each["ms"])
        for each in server.lines()
        if each.get("path") == path and each.get("method") == "GET" and each.get("status") == 200
    ]


async def room_page(server: ChatServer, ann: httpx.AsyncClient, room: str) -> None:
    for number in range(49):
        await post(
            ann, room, f"Message {number}: twenty words or so, as people write them all day. " * 2
        )
    for _ in range(LOADS):
        answer = await ann.get(room)
    times = server_times(server, room)[-LOADS:]
    line(
        "room page with 50 messages, server time p50 / p99",
        f"{statistics.median(times):.1f} / {quantile(times, 0.99):.1f} ms",
    )
    line("  bytes of HTML", f"{len(answer.content):,}")


async def fragment_size(server: ChatServer, ann: httpx.AsyncClient, room: str) -> None:
    page = (await ann.get(room)).text
    cursor = page.split('data-cursor="')[1].split('"')[0]
    headers = {"Cookie": f"sid={ann.cookies['sid']}"}
    async with websockets.connect(
        server.socket_url, additional_headers=headers, origin=websockets.Origin(server.url)
    ) as socket:
        number = int(room.rsplit("/", 1)[1])
        await socket.send(json.dumps({"type": "watch", "room": number, "cursor": cursor}))
        await post(ann, room, "x" * 60)
        async for text in socket:
            frame: dict[str, Any] = json.loads(text)
            if frame["type"] == "changes":
                break
    line("fragment of a message of 60 characters", f"{len(frame['html'].encode()):,} bytes")


async def sign_ins(server: ChatServer) -> None:
    """The event loop beside sign-ins: how long /up takes while eight people sign in again and again."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as idle:

        async def answers(seconds: float) -> list[float]:
            times, end = [], time.perf_counter() + seconds
            while time.perf_counter() < end:
                started = time.perf_counter()
                await idle.get("/up")
                times.append((time.perf_counter() - started) * 1000)
                await asyncio.sleep(0.002)
            return times

        quiet = await answers(3)
        signed_in = 0

        async def sign_in_again_and_again(end: float) -> None:
            nonlocal signed_in
            async with httpx.AsyncClient(
                base_url=server.url, headers={"origin": server.url}, timeout=30
            ) as client:
                while time.perf_counter() < end:
                    client.cookies.clear()
                    form = {"email": "ann@bench.example", "password": PASSWORD}
                    answer = await client.post("/sign-in", data=form)
                    signed_in += answer.status_code == 303

        end = time.perf_counter() + 6
        people = asyncio.gather(*(sign_in_again_and_again(end) for _ in range(8)))
        busy = await answers(6)
        await people
    line("GET /up, quiet: p50 / p99 / longest", _three(quiet))
    line(f"GET /up beside {signed_in / 6:.1f} sign-ins/s: p50 / p99 / longest", _three(busy))


def _three(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} / {quantile(times, 0.99):.1f} / {max(times):.1f} ms"


async def loop_lag(folder: Path) -> None:
    """The same in this process, with a ticker in the loop itself."""
    from chatapp.app import create_app
    from chatapp.settings import Settings
    from tests.support.asgi import Site, lifespan

    settings = Settings.from_env(
        {"DATA_DIR": str(folder), "LIMIT_FACTOR": "1000", "LOG_LEVEL": "WARNING"}
    )
    app = create_app(settings)
    async with lifespan(app) as state:
        site = Site(app, state, settings)
        late: list[float] = []

        async def tick() -> None:
            while True:
                due = time.perf_counter() + 0.001
                await asyncio.sleep(0.001)
                late.append((time.perf_counter() - due) * 1000)

        ticker = asyncio.create_task(tick())
        client = site.client()
        await client.post(
            "/sign-up", data={"name": "tick", "email": "t@bench.example", "password": PASSWORD}
        )
        late.clear()
        form = {"email": "t@bench.example", "password": PASSWORD}

        async def five_times() -> None:
            guest = site.client()
            for _ in range(5):
                guest.cookies.clear()
                await guest.post("/sign-in", data=form)

        await asyncio.gather(*(five_times() for _ in range(8)))
        ticker.cancel()
        await site.close()
    line("event loop late beside 8 people signing in, p99 / longest", _two(late))


def _two(times: list[float]) -> str:
    return f"{quantile(times, 0.99):.1f} / {max(times):.1f} ms"


LONG_TASKS = """
window.long = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.long.push(entry.duration);
}).observe({type: 'longtask', buffered: true});
"""


async def loading(server: ChatServer, room: str, ann: httpx.AsyncClient) -> None:
    """A room's page in a browser, ten times: when it is painted, and what keeps it busy for more than 50 ms."""
    async with chromium.browser() as browser:
        context = await browser.new_context()
        await context.add_init_script(LONG_TASKS)
        await context.add_cookies(
            [{"name": "sid", "value": ann.cookies["sid"] or "", "url": server.url}]
        )
        page = await context.new_page()
        painted: list[float] = []
        long: list[float] = []
        for _ in range(10):
            await page.goto(server.url + room)
            await page.locator("html.js").wait_for()
            await asyncio.sleep(0.5)
            painted += await page.evaluate(
                "() => [performance.getEntriesByName('first-contentful-paint')[0].startTime]"
            )
            long += await page.evaluate("() => window.long")
    line("room page in a browser, first paint p50 / longest", _middle_and_longest(painted))
    line(
        "  tasks over 50 ms in ten loads, and the longest",
        f"{len(long)} / {max(long, default=0):.0f} ms",
    )


def _middle_and_longest(times: list[float]) -> str:
    return f"{statistics.median(times):.0f} / {max(times):.0f} ms"


async def delivery(server: ChatServer, room: str, people: list[httpx.AsyncClient]) -> None:
    """From Enter in one browser to the words in the other, both on this machine."""
    async with chromium.browser() as browser:
        pages: list[Page] = []
        for client in people:
            context = await browser.new_context()
            await context.add_cookies(
                [{"name": "sid", "value": client.cookies["sid"] or "", "url": server.url}]
            )
            page = await context.new_page()
            await page.goto(server.url + room)
            await page.locator("html.js").wait_for()
            pages.append(page)
        writer, reader = pages
        await asyncio.sleep(1)
        await reader.evaluate(
            """() => { window.seen = {}; new MutationObserver((changes) => {
              for (const change of changes) for (const node of change.addedNodes) {
                const found = /bench-(\\d+)/.exec(node.textContent || '');
                if (found && !(found[1] in window.seen)) window.seen[found[1]] = Date.now() + performance.now() % 1;
              } }).observe(document.querySelector('.timeline'), {childList: true, subtree: true}); }"""
        )
        times = []
        for number in range(POSTS):
            await writer.fill("#composer", f"bench-{number}")
            sent = await writer.evaluate(
                """() => { const box = document.querySelector('#composer');
                  const at = Date.now() + performance.now() % 1;
                  box.form.requestSubmit(); return at; }"""
            )
            shown = await reader.evaluate(
                """(number) => new Promise((done) => { const look = () => number in window.seen
                  ? done(window.seen[number]) : setTimeout(look, 5); look(); })""",
                str(number),
            )
            times.append(shown - sent)
            await asyncio.sleep(0.25)  # a person types; the outbox would hold back a faster one
        line(
            "post in one browser until shown in the other, p50 / p95",
            f"{statistics.median(times):.0f} / {quantile(times, 0.95):.0f} ms",
        )


async def measure(scratch: Path) -> None:
    server = ChatServer(scratch / "server", LIMIT_FACTOR="1000", PASSWORD_COST="12")
    server.start()
    try:
        ann, bob = await arrive(server, "ann"), await arrive(server, "bob")
        made = await ann.post("/rooms", data={"name": "Bench", "topic": ""})
        room = made.headers["location"]
        await bob.post(f"{room}/join")
        await room_page(server, ann, room)
        await fragment_size(server, ann, room)
        await loading(server, room, ann)
        await delivery(server, room, [ann, bob])
        await sign_ins(server)
        await ann.aclose()
        await bob.aclose()
    finally:
        server.close()
    await loop_lag(scratch / "ticker")


if __name__ == "__main__":
    folder = run_folder.make()
    try:
        asyncio.run(measure(folder))
    finally:
        run_folder.remove(folder)
