"""A WebSocket client that speaks ASGI straight to the application."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message


class Refused(Exception):
    """The handshake was turned down: `status` when by an HTTP answer, `code` when by a close."""

    def __init__(self, status: int, code: int | None, body: bytes) -> None:
        super().__init__(f"refused with {status}, code {code}: {body[:200]!r}")
        self.status = status
        self.code = code
        self.body = body


class Closed(Exception):
    """The application closed the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"closed with {code} {reason}".strip())
        self.code = code
        self.reason = reason


class AsgiSocket:
    def __init__(
        self, app: ASGIApp, path: str, *, headers: Mapping[str, str], address: str
    ) -> None:
        route, _, query = path.partition("?")
        self._scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": route,
            "raw_path": route.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": (address, 40_001),
            "server": ("localhost", 80),
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
        }
        self._app = app
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Future[None] | None = None
        self.close_code: int | None = None

    async def connect(self) -> None:
        self._task = asyncio.ensure_future(
            self._app(self._scope, self._to_app.get, self._from_app.put)
        )
        await self._to_app.put({"type": "websocket.connect"})
        first = await self._next(10)
        if first["type"] == "websocket.accept":
            return
        if first["type"] == "websocket.close":
            await self.leave()
            raise Refused(403, first.get("code", 1000), b"")
        body = b""
        more = True
        while more:
            part = await self._next(10)
            body += part.get("body", b"")
            more = part.get("more_body", False)
        await self.leave()
        raise Refused(first["status"], None, body)

    async def send(self, text: str | bytes) -> None:
        kind = "text" if isinstance(text, str) else "bytes"
        await self._to_app.put({"type": "websocket.receive", kind: text})

    async def send_json(self, value: Any) -> None:
        await self.send(json.dumps(value))

    async def receive(self, timeout: float = 5) -> str:
        """The next text frame; raises Closed at the end and TimeoutError when nothing comes.

        Beats come whenever their second has come, and are nobody's answer: they are left out."""
        message = await self._next(timeout)
        while _is_beat(message):
            message = await self._next(timeout)
        if message["type"] == "websocket.close":
            self.close_code = message.get("code", 1000)
            raise Closed(self.close_code or 1000, message.get("reason") or "")
        assert message["type"] == "websocket.send", message
        text: str | None = message.get("text")
        return message["bytes"].decode() if text is None else text

    async def receive_json(self, kind: str | None = None, timeout: float = 5) -> dict[str, Any]:
        """The next frame, or the next of that type."""
        async with asyncio.timeout(timeout):
            while True:
                frame: dict[str, Any] = json.loads(await self.receive(timeout))
                if kind is None or frame.get("type") == kind:
                    return frame

    async def silence(self, seconds: float = 0.2) -> None:
        """Fails when a frame comes within that time."""
        try:
            frame = await self.receive(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"a frame came: {frame}")

    async def closed(self, timeout: float = 5) -> int:
        """Reads on until the application closes; returns the code."""
        async with asyncio.timeout(timeout):
            while True:
                try:
                    await self.receive(timeout)
                except Closed as end:
                    return end.code

    async def leave(self, code: int = 1001) -> None:
        """Goes away as a closed tab does, and waits until the application is done with it."""
        if self._task is None:
            return
        await self._to_app.put({"type": "websocket.disconnect", "code": code, "reason": ""})
        await asyncio.wait({self._task}, timeout=5)
        if not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            raise AssertionError("the application did not end after the socket was gone")
        task, self._task = self._task, None
        task.result()

    async def _next(self, timeout: float) -> Message:
        """What the application sends, or what it raises."""
        assert self._task is not None
        answer = asyncio.ensure_future(self._from_app.get())
        try:
            both: set[asyncio.Future[Any]] = {answer, self._task}
            await asyncio.wait(both, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            if not self._from_app.empty():
                return self._from_app.get_nowait()
            if self._task.done():
                self._task.result()
                raise AssertionError("the application ended without closing the socket")
            raise TimeoutError
        finally:
            answer.cancel()


def _is_beat(message: Message) -> bool:
    """Sockets of chatapp's; what the harness is tried on sends none."""
    return message["type"] == "websocket.send" and '"type":"beat"' in (message.get("text") or "")
