"""A thousand people come to one room within ten seconds: the frames that each of them gets, and how long others wait.

    .venv/bin/python -m benchmarks.presence            # SQLite
    .venv/bin/python -m benchmarks.presence postgresql

First those who are members already and open the page; then those who join a new room, each with a row in its log.
Everything shares the machine's cores, the generator too.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx
import websockets

from benchmarks.machine import Site
from benchmarks.people import layout
from tests.support import run_folder
from tests.support.figures import quantile

PEOPLE: Final = 1000
SECONDS: Final = 10.0
OWNER: Final = 5000  # nobody of the room


async def ask(site: Site, what: str, cookie: str) -> str:
    """Over a line of its own: a client's pool of connections would take longer than the server."""
    assert site.server is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", site.server.port)
    host = site.server.url.removeprefix("http://")
    writer.write(
        f"{what} HTTP/1.1\r\nHost: {host}\r\nOrigin: {site.server.url}\r\nCookie: {cookie}\r\n"
        "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )
    answer = await reader.read()
    writer.close()
    return answer.decode()


class Visitor:
    """Counts what comes over a socket."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.frames: Counter[str] = Counter()
        self.bytes = 0
        self.here = 0
        self.socket: Any = None
        self._reading: asyncio.Task[None] | None = None

    async def come(self, site: Site, room: int, *, joins: bool) -> None:
        assert site.server is not None
        url, cookie = site.server.url, site.people.cookies[self.number]
        self.socket = await websockets.connect(
            site.server.socket_url,
            origin=websockets.Origin(url),
            additional_headers={"Cookie": cookie},
            compression=None,
            max_queue=None,
            open_timeout=60,
            ping_interval=None,
        )
        self._reading = asyncio.create_task(self._read())
        await self._send(type="presence", state="here")
        cursor = f"{site.people.epoch}:0"
        if joins:  # and sees the page to which that leads
            while not (answer := await ask(site, f"POST /rooms/{room}/join", cookie)).startswith(
                "HTTP/1.1 303"
            ):
                assert answer.startswith("HTTP/1.1 503"), answer  # busy: people try again
                self.frames["turned away"] += 1
                await asyncio.sleep(2)
            page = await ask(site, f"GET /rooms/{room}", cookie)
            cursor = page.split('data-cursor="', 1)[1].split('"', 1)[0]
        await self._send(type="watch", room=room, cursor=cursor)

    async def _send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def _read(self) -> None:
        async for text in self.socket:  # ends with the socket
            kind = text[9 : text.index('"', 9)]
            self.frames[kind] += 1
            self.bytes += len(text)
            if kind == "presence":
                self.here = json.loads(text)["here"] or 0

    async def go(self) -> None:
        await self.socket.close()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)


async def waits(url: str, found: list[float]) -> None:
    """How long somebody waits who asks for next to nothing, 20 times a second."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        while True:
            began = time.perf_counter()
            await client.get("/up")
            found.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.05)


async def crowd(site: Site, room: int, numbers: list[int], *, joins: bool) -> None:
    assert site.server is not None
    visitors = [Visitor(number) for number in numbers]
    late: list[float] = []
    asking = asyncio.create_task(waits(site.server.url, late))

    async def come(place: int, visitor: Visitor) -> None:
        await asyncio.sleep(place / len(visitors) * SECONDS)
        await visitor.come(site, room, joins=joins)

    began = time.perf_counter()
    await asyncio.gather(*(come(place, visitor) for place, visitor in enumerate(visitors)))
    came = time.perf_counter() - began
    deadline = began + 60
    while any(visitor.here < len(visitors) for visitor in visitors):
        await asyncio.sleep(0.05)
        if time.perf_counter() > deadline:
            print("not everybody knows of everybody", flush=True)
            break
    known = time.perf_counter() - began
    await asyncio.sleep(3)  # and all that waited for each other is shown
    asking.cancel()
    kinds = {kind for visitor in visitors for kind in visitor.frames}
    most = {kind: max(visitor.frames[kind] for visitor in visitors) for kind in sorted(kinds)}
    mean = {
        kind: round(sum(visitor.frames[kind] for visitor in visitors) / len(visitors), 1)
        for kind in sorted(kinds)
    }
    print(
        f"{'join' if joins else 'come':<5} {len(visitors)} came in {came:.1f} s, all knew after {known:.1f} s\n"
        f"      frames per person, most: {most}\n"
        f"      frames per person, mean: {mean}\n"
        f"      kB per person, mean: {sum(v.bytes for v in visitors) / len(visitors) / 1000:.1f}\n"
        f"      GET /up beside it, p50 / p99: {quantile(late, 0.5):.0f} / {quantile(late, 0.99):.0f} ms",
        flush=True,
    )
    await asyncio.gather(*(visitor.go() for visitor in visitors))


async def measure(site: Site) -> None:
    await crowd(site, site.people.rooms["one"], layout()["one"][:PEOPLE], joins=False)
    assert site.server is not None
    async with httpx.AsyncClient(base_url=site.server.url) as owner:
        headers = {"Origin": site.server.url, "Cookie": site.people.cookies[OWNER]}
        answer = await owner.post("/rooms", data={"name": "Brand new"}, headers=headers)
        room = int(answer.headers["location"].rsplit("/", 1)[1])
    await crowd(site, room, list(range(PEOPLE)), joins=True)


def main(kind: str, folder: Path) -> None:
    site = Site(kind, folder / "site")
    try:
        site.start("0-1")
        asyncio.run(measure(site))
    finally:
        site.close()


if __name__ == "__main__":
    scratch = run_folder.make()
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "sqlite", scratch)
    finally:
        run_folder.remove(scratch)
