"""People under bad conditions: scripted clients that behave like the browser and keep journals.

Each client writes into its journal before it sends, and at every answer and delivery. It sends one message at a time
(the next after the answer to the last), sends again with the same key whatever was not answered, and comes back with
its cursor. `check` compares the journals with the database and counts what must not be.
"""

import asyncio
import contextlib
import json
import random
import sys
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import ClientConnection

from tests.faults.room_page import cursor_in, load, rows_in

PASSWORD = "correct horse battery"
ANSWER_SECONDS = 5.0


@dataclass
class Client:
    """One person with one socket. `screen` is what they see: number → (key, words).

    `urls`: where they may be taken to when they come back, as by a proxy before several servers; empty: always `url`.
    `pings`: after so many seconds they ask the line whether it lives, and give it up after as many more; None: never.
    `loads`: how often they were sent to load the page afresh; `first`: the number from which on it showed the room.
    """

    name: str
    url: str
    cookie: str
    room: int
    cursor: str
    dice: random.Random
    journal: list[tuple[Any, ...]] = field(default_factory=list)
    screen: dict[int, tuple[str, str]] = field(default_factory=dict)
    acked: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    sent: dict[str, str] = field(default_factory=dict)
    closes: Counter[int] = field(default_factory=Counter)
    ack_seconds: list[float] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    doubled: int = 0
    urls: list[str] = field(default_factory=list)
    pings: float | None = 20
    loads: int = 0
    first: int = 0

    def __post_init__(self) -> None:
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._socket: ClientConnection | None = None
        self._moved = asyncio.Event()

    @property
    def seq(self) -> int:
        return int(self.cursor.rsplit(":", 1)[1])

    async def live(self) -> None:
        """Connects and follows the room, again and again, until cancelled."""
        while True:
            try:
                async with websockets.connect(
                    self.url.replace("http", "ws") + "/ws",
                    additional_headers={"Cookie": self.cookie},
                    origin=websockets.Origin(self.url),
                    compression=None,
                    max_queue=None,
                    open_timeout=5,
                    ping_interval=self.pings,
                    ping_timeout=self.pings,
                ) as socket:
                    self._socket = socket
                    await self._watch()
                    async for text in socket:
                        await self._take(json.loads(text))
            except (OSError, TimeoutError, websockets.WebSocketException, httpx.HTTPError):
                pass
            finally:
                if self._socket is not None and self._socket.close_code is not None:
                    self.closes[self._socket.close_code] += 1
                self._socket = None
                self.connected.clear()
            if self.urls:
                self.url = self.dice.choice(self.urls)
            await asyncio.sleep(self.dice.uniform(0.02, 0.25))

    async def come_again(self) -> None:
        """Ends the line, as by closing the tab; a new one follows."""
        if self._socket is not None:
            await self._socket.close()

    async def _load(self) -> None:
        """The page afresh: what is on it, and its number. What is above it is not asked for."""
        page = await load(self.url, self.cookie, self.room)
        self.screen = {}
        self._draw(page)
        self.first = min(self.screen, default=0)
        self.cursor = cursor_in(page)
        self.loads += 1
        await self._watch()

    async def _watch(self) -> None:
        await self._send({"type": "watch", "room": self.room, "cursor": self.cursor})

    async def _send(self, frame: dict[str, Any]) -> bool:
        if self._socket is None:
            return False
        try:
            await self._socket.send(json.dumps(frame))
        except (OSError, websockets.WebSocketException):
            return False
        return True

    async def _take(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        self.journal.append((kind, frame.get("seq"), frame.get("key")))
        if kind in {"ack", "refused", "busy", "unknown"}:
            future = self._answers.get(frame["key"])
            if future is not None and not future.done():
                future.set_result(frame)
            if kind == "ack":
                self.acked[frame["key"]] = frame["seq"]
        elif kind == "changes":
            await self._apply(frame)
        elif kind == "watching":
            self._advance(frame["seq"])
            self.connected.set()
        elif kind == "reload":
            await self._load()
        elif kind == "beat" and frame["rooms"].get(str(self.room), 0) > self.seq:
            await self._watch()

    async def _apply(self, frame: dict[str, Any]) -> None:
        if frame["seq"] <= self.seq:
            return
        if frame["from"] > self.seq:
            await self._watch()
            return
        self._draw(frame["html"])
        self._advance(frame["seq"])

    def _draw(self, markup: str) -> None:
        for seq, shown in rows_in(markup):
            if self.screen.setdefault(seq, shown) != shown:
                self.doubled += 1

    def _advance(self, seq: int) -> None:
        epoch = self.cursor.rsplit(":", 1)[0]
        self.cursor = f"{epoch}:{max(seq, self.seq)}"
        self._moved.set()

    async def reached(self, seq: int) -> None:
        while self.seq < seq:
            self._moved.clear()
            await self._moved.wait()

    async def say(self, words: str) -> None:
        """Until it is stored or refused, however often that takes."""
        key = str(uuid.uuid4())
        self.journal.append(("send", words, key))
        self.sent[key] = words
        loop = asyncio.get_running_loop()
        started = loop.time()
        while True:
            self._answers[key] = loop.create_future()
            frame = {"type": "post", "room": self.room, "key": key, "body": words}
            answer = {"type": "lost"}
            if await self._send(frame):
                with contextlib.suppress(TimeoutError):
                    answer = await asyncio.wait_for(self._answers[key], ANSWER_SECONDS)
            if answer["type"] == "ack":
                self.ack_seconds.append(loop.time() - started)
                return
            if answer["type"] == "refused":
                self.refused.add(key)
                return
            await asyncio.sleep(self.dice.uniform(0.02, 0.1))

    async def talk(self, count: int, pause: float = 0.0) -> None:
        for number in range(count):
            await self.say(f"{self.name}-{number}")
            if pause:
                await asyncio.sleep(self.dice.uniform(0, 2 * pause))


@dataclass
class Crowd:
    """Clients of one room, perhaps at different processes."""

    clients: list[Client]
    room: int

    @contextlib.asynccontextmanager
    async def here(self) -> Any:
        """All of them connected for the time of the block."""
        tasks = [asyncio.create_task(client.live()) for client in self.clients]
        try:
            await asyncio.wait_for(
                asyncio.gather(*(client.connected.wait() for client in self.clients)), 30
            )
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def settle(self, last: int, seconds: float = 30) -> None:
        """Until everybody has the room's last number."""
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(client.reached(last) for client in self.clients))


async def gather_crowd(urls: list[str], count: int, seed: int) -> Crowd:
    """`count` people of one new room; the first opens it, client i lives at urls[i % len(urls)]."""
    sys.stderr.write(f"seed {seed}\n")
    browsers = []
    for number in range(count):
        url = urls[number % len(urls)]
        browser = httpx.AsyncClient(base_url=url, headers={"origin": url}, timeout=30)
        form = {"name": f"p{number}", "email": f"p{number}@f.example", "password": PASSWORD}
        assert (await browser.post("/sign-up", data=form)).status_code == 303
        browsers.append(browser)
    made = await browsers[0].post("/rooms", data={"name": f"Room {seed}"})
    path = made.headers["location"]
    clients = []
    for number, browser in enumerate(browsers):
        if number:
            assert (await browser.post(f"{path}/join")).status_code == 303
        page = (await browser.get(path)).text
        clients.append(
            Client(
                name=f"p{number}",
                url=urls[number % len(urls)],
                cookie=f"sid={browser.cookies['sid']}",
                room=int(path.rsplit("/", 1)[1]),
                cursor=cursor_in(page),
                dice=random.Random(seed * 1000 + number),
            )
        )
        await browser.aclose()
    return Crowd(clients, clients[0].room)
