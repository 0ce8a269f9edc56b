"""One browser tab's socket: what waits to be sent to it, and its end.

MUSTs
1. `send` never waits: it puts a frame into a bounded queue; over the bound the connection is cut with 1013.
2. Frames leave in the order in which they were put in.
3. After `close` nothing more is sent, and `finished` becomes set.
4. One task sends; nobody else touches the transport.
5. Whoever does not take its end is cut off: at once when it was too slow, else `CLOSE_SECONDS` after `close`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from chatapp.realtime.frames import CLOSE_OVERLOADED

WAITING_BYTES: Final = 512 * 1024
WAITING_FRAMES: Final = 2048
CLOSE_SECONDS: Final = 5.0

SendText = Callable[[str], Awaitable[None]]
SendClose = Callable[[int], Awaitable[None]]


class Connection:
    """`session_id` and `user_id` say whose it is; `expires_at` (seconds, wall clock) when its session ends.

    `abort` drops the line under the socket without waiting for anybody.
    """

    __slots__ = (
        "_abort",
        "_bytes",
        "_close",
        "_code",
        "_drained",
        "_queue",
        "_send",
        "_wake",
        "expires_at",
        "finished",
        "rooms",
        "session_id",
        "user_id",
    )

    def __init__(
        self,
        *,
        user_id: int,
        session_id: int,
        expires_at: float,
        send: SendText,
        close: SendClose,
        abort: Callable[[], None],
    ) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self.expires_at = expires_at
        self.rooms: set[int] = set()  # kept by the hub
        self.finished = asyncio.Event()
        self._send = send
        self._close = close
        self._abort = abort
        self._queue: deque[str] = deque()
        self._bytes = 0
        self._code: int | None = None
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()

    @property
    def is_open(self) -> bool:
        return self._code is None

    def send(self, frame: str) -> None:
        if self._code is not None:
            return
        self._queue.append(frame)
        self._drained.clear()
        self._bytes += len(frame)
        # One frame may be larger: a batch or a page of long messages must reach whoever reads at all.
        too_much = self._bytes > WAITING_BYTES and len(self._queue) > 1
        if too_much or len(self._queue) > WAITING_FRAMES:
            self.close(CLOSE_OVERLOADED)
            self._abort()  # what has been written already would never drain
        self._wake.set()

    def close(self, code: int, last: str | None = None) -> None:
        """Drops what waits, sends the `last` frame if there is one, then closes. The first code counts."""
        if self._code is not None:
            return
        self._queue.clear()
        if last is not None:
            self._queue.append(last)
        self._code = code
        self._wake.set()
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._abort)

    async def drained(self) -> None:
        """Until nothing waits to be sent: for whoever has much to send and may wait."""
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
                    await self._send(frame)
                self._drained.set()
                if self._code is not None:
                    await self._close(self._code)
                    return
        finally:
            self._code = self._code or CLOSE_OVERLOADED
            self._queue.clear()
            self._drained.set()
            self.finished.set()
