"""Measures the room log: from sending a message until its acknowledgement, which comes after the commit.

    .venv/bin/python -m benchmarks.acknowledgements [sqlite|postgresql …]

A real server process, 40 people with a socket each, in 10 rooms, on SQLite and on a PostgreSQL of its own with fsync
on. First at fixed rates (1, 100 and 1,000 messages a second, open loop: the next message does not wait for the last
answer), then as fast as acknowledgements come back (closed loop, `WINDOW` messages under way per person). Prints a
table and writes `.cache/acknowledgements.json`. All traffic stays on 127.0.0.1. Runs for about two minutes.
"""

import asyncio
import json
import logging
import re
import sys
import time
import uuid
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks import frames
from tests.support import databases, run_folder
from tests.support.chat_server import ChatServer
from tests.support.figures import quantile
from tests.support.postgres_server import PostgresServer

PEOPLE: Final = 40
ROOMS: Final = 10
RATES: Final = (1, 100, 1000)
SECONDS: Final = 10.0
WINDOW: Final = 50
BODY: Final = "x" * 100
ACK: Final = re.compile(rb'\{"type":"ack","room":\d+,"key":"([0-9a-f-]{36})"')
OTHER: Final = re.compile(rb'\{"type":"(busy|refused|unknown|error)"')


class Line:
    """A socket spoken by hand: a library would cost as much as the server does."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.sent: dict[bytes, float] = {}
        self.waits: list[float] = []
        self.others = 0
        self.open_window()

    async def connect(self, server: ChatServer, cookie: str) -> None:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", server.port, limit=2**20
        )
        self._writer.write(frames.handshake(server.port, cookie))
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in head, head
        self._reading = asyncio.create_task(self._read())

    def post(self) -> None:
        key = str(uuid.uuid4())
        frame = {"type": "post", "room": self.room, "key": key, "body": BODY}
        data = json.dumps(frame).encode()
        self.sent[key.encode()] = time.perf_counter()
        self._writer.write(frames.masked(frames.TEXT, data))

    def open_window(self) -> None:
        """Before `post_when_free`: acknowledgements of free posts have opened it too far."""
        self._free = asyncio.Semaphore(WINDOW)

    async def post_when_free(self) -> None:
        await self._free.acquire()
        self.post()

    async def _read(self) -> None:
        left = b""
        while data := await self._reader.read(65536):
            now = time.perf_counter()
            left += data
            came, at = frames.parts(left)
            left = left[at:]
            for opcode, payload in came:
                if opcode == frames.PING:
                    self._writer.write(frames.masked(frames.PONG, payload))
                elif found := ACK.match(payload):
                    self.waits.append(now - self.sent.pop(found[1]))
                    self._free.release()
                elif OTHER.match(payload):
                    self.others += 1
                    asyncio.get_running_loop().call_later(1, self._free.release)

    async def close(self) -> None:
        self._writer.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


async def gather_people(server: ChatServer) -> list[Line]:
    lines = []
    rooms: list[int] = []
    for number in range(PEOPLE):
        async with httpx.AsyncClient(
            base_url=server.url, headers={"origin": server.url}, timeout=60
        ) as person:
            form = {"name": f"p{number}", "email": f"p{number}@b.example", "password": "x" * 12}
            assert (await person.post("/sign-up", data=form)).status_code == 303
            if number < ROOMS:
                made = await person.post("/rooms", data={"name": f"Room {number}"})
                rooms.append(int(made.headers["location"].rsplit("/", 1)[1]))
            room = rooms[number % ROOMS]
            assert (await person.post(f"/rooms/{room}/join")).status_code == 303
            line = Line(room)
            await line.connect(server, f"sid={person.cookies['sid']}")
            lines.append(line)
    return lines


async def at_rate(lines: list[Line], rate: int) -> dict[str, Any]:
    for line in lines:
        line.waits.clear()
    started = time.perf_counter()
    count = int(max(20, rate * SECONDS) if rate > 1 else 20)
    for number in range(count):
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
        lines[number % PEOPLE].post()
    for _ in range(200):
        if not any(line.sent for line in lines):
            break
        await asyncio.sleep(0.05)
    return result(lines, f"{rate} messages/s", count, time.perf_counter() - started)


async def saturated(lines: list[Line]) -> dict[str, Any]:
    for line in lines:
        line.waits.clear()
        line.open_window()
    started = time.perf_counter()

    async def press(line: Line) -> None:
        while time.perf_counter() - started < SECONDS:
            await line.post_when_free()

    await asyncio.gather(*map(press, lines))
    took = time.perf_counter() - started
    count = sum(len(line.waits) for line in lines)
    return result(lines, "as fast as it goes", count, took)


def result(lines: list[Line], what: str, count: int, took: float) -> dict[str, Any]:
    waits = [wait for line in lines for wait in line.waits]
    return {
        "what": what,
        "acknowledged": len(waits),
        "missing": max(0, count - len(waits)),
        "other_answers": sum(line.others for line in lines),
        "per_second": round(len(waits) / took),
        "p50_ms": round(1000 * quantile(waits, 0.5), 2),
        "p99_ms": round(1000 * quantile(waits, 0.99), 2),
    }


async def measure(kind: str, folder: Path) -> list[dict[str, Any]]:
    postgres = None
    url = databases.sqlite(folder / "sqlite")
    if kind == "postgresql":
        postgres = PostgresServer(folder / "postgres", durable=True)
        await asyncio.to_thread(postgres.create)
        await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(postgres.create_database, "chat")
        url = postgres.url("chat")
    server = ChatServer(folder / "server", DATABASE_URL=url, LIMIT_FACTOR="1000000")
    try:
        await asyncio.to_thread(server.start)
        lines = await gather_people(server)
        found = []
        for work in (*(at_rate(lines, rate) for rate in RATES), saturated(lines)):
            found.append({"database": kind, **await work})
            print("  ".join(f"{name}={value}" for name, value in found[-1].items()), flush=True)
        for line in lines:
            await line.close()
        return found
    finally:
        server.close()
        if postgres is not None:
            postgres.close()


async def main(kinds: list[str]) -> list[dict[str, Any]]:
    folder = run_folder.make()
    try:
        rows: list[dict[str, Any]] = []
        for kind in kinds:
            rows += await measure(kind, folder / kind)
        return rows
    finally:
        run_folder.remove(folder)


if __name__ == "__main__":
    logging.getLogger("httpx").setLevel(logging.WARNING)
    figures = asyncio.run(main(sys.argv[1:] or ["sqlite", "postgresql"]))
    Path(".cache").mkdir(exist_ok=True)
    Path(".cache/acknowledgements.json").write_text(json.dumps(figures, indent=1))
