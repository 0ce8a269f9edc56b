"""A line that is the protocol of its transport: no task, no queue of its own, one write for each frame."""

import asyncio
from typing import Any, Final, Protocol

from chatapp.realtime import frames, wire
from chatapp.realtime.connection import CLOSE_SECONDS, WAITING_BYTES, Connection

SILENT_PINGS: Final = 2  # so many unanswered: the line is dead
_PING: Final = wire.ping_frame()


class Taker(Protocol):
    """Who is told what browsers send, and that they are gone. One for all lines."""

    def took(self, connection: Connection, text: str) -> None: ...

    def took_binary(self, connection: Connection) -> None: ...

    def lost(self, connection: Connection) -> None: ...


class DirectLine(asyncio.Protocol):
    """MUST be given its connection by `serve` in the step in which it is made: what comes is told to that one's
    `taker`.

    `peers`: the server's own set of connections. A line takes itself out when it ends; the server may ask it to
    `shutdown`.
    """

    __slots__ = (
        "_closing",
        "_connection",
        "_deaf",
        "_held",
        "_paused",
        "_peers",
        "_reader",
        "_silent",
        "_taker",
        "_transport",
        "_waiters",
    )

    def __init__(
        self, transport: asyncio.Transport, peers: set[Any], most: int, taker: Taker
    ) -> None:
        self._transport = transport
        self._taker = taker
        self._peers = peers
        self._reader = wire.Reader(most)
        self._paused = False
        self._closing = False
        self._deaf = False
        self._held = b""  # what goes out with the next frame
        self._silent = 0
        self._waiters: list[asyncio.Future[None]] | None = None
        self._connection: Connection | None = None  # None again when the line is lost

    def serve(self, connection: Connection) -> None:
        self._connection = connection

    # -- what a connection asks ---------------------------------------------------

    def write(self, frame: bytes) -> bool:
        if self._held:
            frame, self._held = self._held + frame, b""
        if self._paused and not self._has_room(len(frame)):
            return False
        self._transport.write(frame)
        return True

    def write_soon(self, frame: bytes) -> bool:
        if not self._held:
            asyncio.get_running_loop().call_soon(self._let_out)
        self._held += frame
        return True

    def _let_out(self) -> None:
        """What nothing came after."""
        if self._held and not self._closing and self._connection is not None:
            self._connection.send(b"")

    def _has_room(self, size: int) -> bool:
        waiting = self._transport.get_write_buffer_size()
        return not waiting or waiting + size <= WAITING_BYTES

    def close(self, code: int) -> None:
        self._closing = True
        self._transport.write(self._held + wire.close_frame(code))
        self._held = b""
        loop = asyncio.get_running_loop()
        loop.call_later(CLOSE_SECONDS, self._transport.abort)

    def abort(self) -> None:
        self._closing = True
        self._transport.abort()

    def ping(self) -> None:
        if self._silent >= SILENT_PINGS:
            self.abort()
            return
        self._silent += 1
        if not self._paused:  # who does not read will not answer either
            self._transport.write(_PING)

    async def drained(self) -> None:
        if self._paused:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters = [*(self._waiters or ()), waiter]
            await waiter

    # -- what the transport tells -------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._silent = 0
        try:
            self._reader.feed(data, self)
        except wire.Violation as violation:
            self._refuse(violation.code)

    def eof_received(self) -> None:
        return None  # the transport closes itself

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._let_go()

    def connection_lost(self, _error: Exception | None) -> None:
        self._paused = False
        self._let_go()
        self._peers.discard(self)
        lost, self._connection = self._connection, None
        if lost is not None:
            lost.ended()
            self._taker.lost(lost)

    def _let_go(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def shutdown(self) -> None:
        """The server stops."""
        self._end(frames.CLOSE_RESTART)

    # -- what the reader tells ----------------------------------------------------

    def text_came(self, text: str) -> None:
        if not self._closing and self._connection is not None:
            self._taker.took(self._connection, text)

    def binary_came(self) -> None:
        if not self._closing and self._connection is not None:
            self._taker.took_binary(self._connection)

    def ping_came(self, payload: bytes) -> None:
        if not self._closing and not self.write(wire.pong_frame(payload)):
            self.abort()

    def close_came(self, code: int) -> None:
        """The other side closes, or answers our close: then the line ends when all is written."""
        if not self._closing:
            self._closing = True
            if self._connection is not None:
                self._connection.ended()
            self._transport.write(wire.close_frame(code))
        self._transport.close()

    def _refuse(self, code: int) -> None:
        """Closes, says no more and hears no more. What is still coming is read and dropped: a line that is closed
        with something unread is reset, and the other side would never learn why."""
        self._deaf = True
        is_news = not self._closing
        self._end(code)
        if is_news and self._transport.can_write_eof():
            self._transport.write_eof()

    def _end(self, code: int) -> None:
        if self._connection is not None and self._connection.is_open:
            self._connection.close(code)
        else:
            self._transport.close()
