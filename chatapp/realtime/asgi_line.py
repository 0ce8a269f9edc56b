"""A line over the ASGI server's own `send`: works with any server, and costs a queue and a task for each socket."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from chatapp.realtime import wire
from chatapp.realtime.connection import CLOSE_SECONDS, WAITING_BYTES

WAITING_FRAMES: Final = 2048

SendText = Callable[[str], Awaitable[None]]
SendClose = Callable[[int], Awaitable[None]]


class AsgiLine:
    """Frames wait in a queue; one task (`run`) sends them. `finished` becomes set when it ends, however it ends.

    `abort` drops the line under the socket.
    """

    def __init__(self, *, send: SendText, close: SendClose, abort: Callable[[], None]) -> None:
        self.finished = asyncio.Event()
        self._send = send
        self._close = close
        self._abort = abort
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._code: int | None = None
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()

    def write(self, frame: bytes) -> bool:
        too_much = self._queue and self._bytes + len(frame) > WAITING_BYTES
        if too_much or len(self._queue) >= WAITING_FRAMES:
            return False
        self._queue.append(frame)
        self._bytes += len(frame)
        self._drained.clear()
        self._wake.set()
        return True

    def write_soon(self, frame: bytes) -> bool:
        return self.write(frame)  # the task that sends comes later in any case

    def close(self, code: int) -> None:
        self._code = code
        self._wake.set()
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._abort)

    def abort(self) -> None:
        self._queue.clear()
        self._code = wire.CLOSE_LOST
        self._wake.set()
        self._abort()

    def ping(self) -> None:
        """The server does that by itself."""

    async def drained(self) -> None:
        await self._drained.wait()

    async def run(self) -> None:
        """Sends until closed. The endpoint runs this beside its reading."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    frame = self._queue.popleft()
                    self._bytes -= len(frame)
                    await self._send(wire.payload_of(frame).decode())
                self._drained.set()
                if self._code is not None:
                    if self._code != wire.CLOSE_LOST:
                        await self._close(self._code)
                    return
        finally:
            self._queue.clear()
            self._drained.set()
            self.finished.set()
