"""One browser tab's socket as the rest of the code knows it: whose it is, and that it takes frames until it ends.

MUSTs
1. `send` never waits. More may wait for a reader than `WAITING_BYTES` only as one single frame; over that the line is
   cut at once, since what has been written already would never drain.
2. Frames leave in the order in which they were put in.
3. After `close` nothing more is sent.
4. Whoever does not take its end is cut off `CLOSE_SECONDS` after `close`.

There are two kinds of line: `direct_line` writes to the transport, `asgi_line` goes through the ASGI server.
"""

from typing import Final, Protocol

WAITING_BYTES: Final = 512 * 1024
CLOSE_SECONDS: Final = 5.0


class Line(Protocol):
    """What a connection asks of what lies under it."""

    def write(self, frame: bytes) -> bool:
        """Sends a frame of `frames.py` as soon as it can be. False: too much waits."""

    def write_soon(self, frame: bytes) -> bool:
        """The same, with the next frame that is written, at the latest when the event loop goes round."""

    def close(self, code: int) -> None:
        """Sends what waits and a close code, and cuts the line when the other side does not answer in time."""

    def abort(self) -> None:
        """Drops the line without waiting for anybody."""

    def ping(self) -> None:
        """Asks for a sign of life; cuts the line when the last ones stayed away."""

    async def drained(self) -> None:
        """Until little waits to be sent."""


class Connection:
    """`session_id` and `user_id` say whose it is; `expires_at` (seconds, wall clock) when its session ends."""

    __slots__ = (
        "_line",
        "expires_at",
        "frames_free_at",
        "ignored",
        "is_open",
        "rooms",
        "session_id",
        "user_id",
    )

    def __init__(self, *, user_id: int, session_id: int, expires_at: float, line: Line) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self.expires_at = expires_at
        self.is_open = True
        self.rooms: set[int] = set()  # kept by the hub
        self.frames_free_at = 0.0  # kept by the limit on frames, as is the next
        self.ignored = 0
        self._line = line

    def send(self, frame: bytes) -> None:
        if self.is_open and not self._line.write(frame):
            self._cut()

    def send_soon(self, frame: bytes) -> None:
        """Sends a frame together with what follows in the same step, if anything does: each writing costs as much as
        all else there is to do for a message."""
        if self.is_open and not self._line.write_soon(frame):
            self._cut()

    def _cut(self) -> None:
        self.is_open = False
        self._line.abort()

    def close(self, code: int, last: bytes | None = None) -> None:
        """Sends the `last` frame if there is one, then closes. The first code counts."""
        if not self.is_open:
            return
        if last is not None:
            self._line.write(last)
        self.is_open = False
        self._line.close(code)

    def ping(self) -> None:
        if self.is_open:
            self._line.ping()

    def ended(self) -> None:
        """The line is gone: nothing can be sent any more."""
        self.is_open = False

    async def drained(self) -> None:
        """Until little waits to be sent: for whoever has much to send and may wait."""
        await self._line.drained()
