"""Calls: how long until the first picture of another person, how many frames that takes, and what our process does.

    .venv/bin/python -m benchmarks.calls

Real browsers with fake cameras share the machine's cores with the server, so pictures come later than for people who
have a machine each; frames and the server's own time do not depend on that.
"""

import asyncio
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page, WebSocket

from tests.browser.actions import comes, join, open_room
from tests.browser.calling import REMEMBER
from tests.support import run_folder
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person, arrive, browser
from tests.support.figures import quantile

ROUNDS: Final = 20
SIZES: Final = (2, 4, 6)
SECONDS: Final = 20.0
PICTURE: Final = {"width": 320, "height": 240}
WAYS: Final = ("sent", "got")

# From the click to the first picture of somebody else that was decoded, in milliseconds.
FIRST: Final = """async () => {
  const start = performance.now();
  document.querySelector("[data-join]").click();
  for (;;) {
    await new Promise((done) => setTimeout(done, 10));
    for (const link of window.links) {
      for (const report of (await link.getStats()).values())
        if (report.type === "inbound-rtp" && report.framesDecoded > 0) return performance.now() - start;
    }
  }
}"""


class Guest:
    """Somebody at the page of a call, whose frames about it are counted."""

    def __init__(self, who: Person, page: Page) -> None:
        self.who = who
        self.page = page
        self.frames: Counter[str] = Counter()
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda text: self._count("sent", text))
        socket.on("framereceived", lambda text: self._count("got", text))

    def _count(self, way: str, text: Any) -> None:
        kind = json.loads(text)["type"]
        if kind == "signal" or kind.startswith("call"):
            self.frames[way] += 1

    async def leave(self) -> None:
        await self.page.get_by_role("button", name="Leave").click()


async def gather(chromium: Browser, server: ChatServer) -> list[Guest]:
    guests: list[Guest] = []
    room = ""
    for number in range(max(SIZES)):
        who = await arrive(chromium, f"Guest{number}", server.url, viewport=PICTURE)
        await comes(who)
        if room:
            await join(who, room)
        else:
            room = await open_room(who, "Lab")
        guest = Guest(who, who.page)
        await who.page.add_init_script(REMEMBER)
        await who.goto(f"{room}/call")
        guests.append(guest)
    return guests


async def first_pictures(first: Guest, second: Guest) -> list[float]:
    await first.page.get_by_role("button", name="Join the call").click()
    found = []
    for _ in range(ROUNDS):
        await second.page.reload()
        await second.page.locator("[data-preview]:visible").wait_for()
        found.append(await second.page.evaluate(FIRST))
        await second.leave()
    await first.leave()
    return found


def spent(pid: int) -> float:
    """Seconds of a core that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main(folder: Path) -> None:
    server = ChatServer(folder / "server", LIMIT_FACTOR="1000")
    await asyncio.to_thread(server.start)
    try:
        async with browser() as chromium:
            await _measure(chromium, server)
    finally:
        await asyncio.to_thread(server.stop)


async def _measure(chromium: Browser, server: ChatServer) -> None:
    guests = await gather(chromium, server)
    waits = await first_pictures(guests[0], guests[1])
    print(
        f"first picture after the click, {ROUNDS} times: p50 {quantile(waits, 0.5):.0f} ms,"
        f" p95 {quantile(waits, 0.95):.0f} ms"
    )
    for place, guest in enumerate(guests):
        await guest.page.reload()
        await guest.page.locator("[data-preview]:visible").wait_for()
        for each in guests:
            each.frames.clear()
        if place:
            await guest.page.evaluate(FIRST)
        else:
            await guest.page.get_by_role("button", name="Join the call").click()
        await asyncio.sleep(5)
        if place + 1 in SIZES:
            mine = ", ".join(f"{way} {guest.frames[way]}" for way in WAYS)
            all_of_them = sum(sum(each.frames.values()) for each in guests)
            print(f"{place + 1} people: the newcomer {mine} frames; all together {all_of_them}")
    before = spent(server.pid)
    await asyncio.sleep(SECONDS)
    share = (spent(server.pid) - before) / SECONDS
    print(f"our process during a call of {len(guests)}: {share:.2%} of a core")


if __name__ == "__main__":
    scratch = run_folder.make()
    try:
        asyncio.run(main(scratch))
    finally:
        run_folder.remove(scratch)
