"""People who come over the network to one or another process: with pages and forms, and with sockets."""

import asyncio
import html
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol
from uuid import uuid4

import httpx
import websockets

from tests.routes import pages

PASSWORD = "correct horse battery"
ROW = re.compile(r'id="m-(\d+)" data-seq="\1".*?(?=<article|<p class="event"|$)', re.DOTALL)
WORDS = re.compile(r'<div class="msg-body"[^>]*><p>(.*?)</p>', re.DOTALL)
ENDS = {"ack", "refused", "busy", "unknown"}

_numbers = itertools.count(1)


class Where(Protocol):
    """A server, or a proxy in front of one."""

    url: str


class Line:
    """A socket whose frames are kept. `rows` is what its frames put on a screen: number → words ('' for events)."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []
        self.rows: dict[int, str] = {}
        self.seq = 0
        self.epoch = ""
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                frame = json.loads(text)
                self.frames.append(frame)
                if frame["type"] == "changes":
                    self._apply(frame)
                self._news.set()
        except websockets.ConnectionClosed:
            pass
        self._news.set()

    def _apply(self, frame: dict[str, Any]) -> None:
        assert frame["from"] <= self.seq, f"a hole before {frame}"
        for row in ROW.finditer(frame["html"]):
            number = int(row[1])
            words = WORDS.search(row[0])
            assert number not in self.rows or number <= self.seq, f"{number} came twice"
            self.rows[number] = html.unescape(words[1]) if words else ""
        self.seq = max(self.seq, frame["seq"])

    async def until(self, true: Callable[[], Any], seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def reaches(self, seq: int) -> None:
        await self.until(lambda: self.seq >= seq)

    async def hears(self, words: str) -> None:
        await self.until(lambda: words in self.rows.values())

    async def frame(self, kind: str, count: int = 1, seconds: float = 30) -> dict[str, Any]:
        """The `count`-th frame of a kind, now or later."""
        await self.until(lambda: len(self.of(kind)) >= count, seconds)
        return self.of(kind)[count - 1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def watches(self, room: int, seq: int = 0) -> None:
        """Follows the room from a number on, and has everything up to now."""
        self.epoch = (await self.frame("hello"))["epoch"]
        self.seq = seq
        before = len(self.of("watching"))
        await self.send(type="watch", room=room, cursor=f"{self.epoch}:{seq}")
        watching = await self.frame("watching", before + 1)
        self.seq = max(self.seq, watching["seq"])  # it may be further on by now

    async def says(self, room: int, body: str, key: str = "") -> str:
        """Does not wait for the answer."""
        key = key or str(uuid4())
        await self.send(type="post", room=room, key=key, body=body)
        return key

    def answers(self, key: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] in ENDS and frame["key"] == key]

    async def answer(self, key: str) -> dict[str, Any]:
        await self.until(lambda: self.answers(key))
        return self.answers(key)[0]

    async def has_heard_all(self) -> None:
        """Everything that was on its way here has come: a nonsense frame is answered after it."""
        before = len(self.of("error"))
        await self.send(type="is-that-all")
        await self.frame("error", before + 1)

    async def ends(self) -> int | None:
        """The close code."""
        async with asyncio.timeout(30):
            await self.socket.wait_closed()
        return self.socket.close_code

    async def leave(self) -> None:
        await self.socket.close()
        await self._reading


class Caller:
    """Somebody with a session, good at every process that shares the key and the database."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cookie = ""
        self._clients: dict[str, httpx.AsyncClient] = {}

    def at(self, server: Where) -> httpx.AsyncClient:
        if server.url not in self._clients:
            headers = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
            cookies = {"sid": self.cookie} if self.cookie else None
            self._clients[server.url] = httpx.AsyncClient(
                base_url=server.url, headers=headers, cookies=cookies, timeout=60
            )
        return self._clients[server.url]

    async def signs_up(self, server: Where) -> "Caller":
        answer = await self.tries_to_sign_up(server)
        assert answer.status_code == 303, answer.text
        self.cookie = self.at(server).cookies["sid"]
        return self

    async def tries_to_sign_up(self, server: Where) -> httpx.Response:
        email = f"caller{next(_numbers)}@people.example"
        form = {"name": self.name, "email": email, "password": PASSWORD}
        return await self.at(server).post("/sign-up", data=form)

    async def tries(self, server: Where, path: str, **fields: str) -> httpx.Response:
        return await self.at(server).post(path, data=fields)

    async def does(self, server: Where, path: str, **fields: str) -> str:
        answer = await self.tries(server, path, **fields)
        assert answer.status_code == 303, (answer.status_code, answer.text)
        return str(answer.headers["location"])

    async def opens(self, server: Where, name: str, topic: str = "") -> int:
        return int((await self.does(server, "/rooms", name=name, topic=topic)).rsplit("/", 1)[1])

    async def joins(self, server: Where, room: int) -> None:
        await self.does(server, f"/rooms/{room}/join")

    async def posts(self, server: Where, room: int, body: str) -> httpx.Response:
        return await self.at(server).post(
            f"/rooms/{room}/messages",
            data={"body": body, "key": str(uuid4())},
            headers={"Accept": "application/json"},
        )

    async def sees(self, server: Where, room: int) -> str:
        answer = await self.at(server).get(f"/rooms/{room}")
        assert answer.status_code == 200, answer.status_code
        return answer.text

    async def reads(self, server: Where, room: int) -> list[str]:
        """The texts on the room's page."""
        return pages.bodies(await self.sees(server, room))

    @asynccontextmanager
    async def line(self, server: Where) -> AsyncIterator[Line]:
        async with websockets.connect(
            server.url.replace("http", "ws") + "/ws",
            origin=websockets.Origin(server.url),
            additional_headers={"Cookie": f"sid={self.cookie}"},
            compression=None,
            max_queue=None,
            open_timeout=30,
        ) as socket:
            line = Line(socket)
            try:
                yield line
            finally:
                await line.leave()

    async def goes(self) -> None:
        for client in self._clients.values():
            await client.aclose()
