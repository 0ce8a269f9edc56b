"""Sockets in one epoll loop: opening, dropping, writing and reading thousands of them. Knows no protocol.

Times are seconds of `time.perf_counter`.
"""

import contextlib
import errno
import select
import socket
import struct
import time
from typing import Final

from benchmarks import frames
from benchmarks.ledger import Member, Room

RECEIVE_BYTES: Final = 64 * 1024
RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: no TIME_WAIT is left of ten thousand ports
SOURCES: Final = 3  # addresses 127.0.0.2 … that sockets come from
OPENING, WAITING, LIVE, DEAD = range(4)


class Line(Member):
    """One socket, which watches one room."""

    __slots__ = ("acknowledged", "cookie", "left", "out", "port", "post", "rest", "socket", "state")

    def __init__(self, number: int, room: Room, cookie: str) -> None:
        super().__init__(number, room)
        room.members.append(self)
        self.cookie = cookie
        self.port = 0  # of a server of its own; 0: where everybody is
        self.post = frames.Post(room.id)
        self.state = DEAD
        self.socket: socket.socket | None = None
        self.rest = b""
        self.out = b""
        self.acknowledged = 0


class Sockets:
    """Owner of the sockets."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cut = 0  # lines that the server ended
        self.idle_seconds = 0.0
        self._poll = select.epoll()
        self._lines: dict[int, Line] = {}

    def received(self, line: Line, data: bytes, now: float) -> None:
        """Bytes came."""
        raise NotImplementedError

    def open(self, line: Line) -> None:
        line.socket = fresh = socket.socket()
        fresh.setblocking(False)
        fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fresh.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        fresh.bind((f"127.0.0.{2 + line.number % SOURCES}", 0))
        port = line.port or self.port
        line.state, line.rest, line.out = OPENING, b"", frames.handshake(port, line.cookie)
        line.is_live = False
        self._lines[fresh.fileno()] = line
        with contextlib.suppress(BlockingIOError):
            fresh.connect(("127.0.0.1", port))
        self._poll.register(fresh.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def drop(self, line: Line) -> None:
        """Ends a line without a word, as a lost network does."""
        if line.socket is not None:
            del self._lines[line.socket.fileno()]
            self._poll.unregister(line.socket.fileno())
            line.socket.close()
            line.socket = None
        line.state, line.is_live = DEAD, False

    def close(self) -> None:
        for line in list(self._lines.values()):
            self.drop(line)
        self._poll.close()

    def write(self, line: Line, data: bytes) -> None:
        if line.socket is None:
            return
        if not line.out:
            try:
                data = data[line.socket.send(data) :]
            except BlockingIOError:
                pass
            except OSError:
                self.ended(line)
                return
        if data:
            line.out += data
            self._poll.modify(line.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _writable(self, line: Line) -> None:
        assert line.socket is not None
        try:
            line.out = line.out[line.socket.send(line.out) :]
        except BlockingIOError:
            return
        except OSError as error:
            # The listening queue was full and the server forgot about us: knock again, as a browser would.
            if line.state == OPENING and error.errno in {errno.ECONNRESET, errno.ECONNREFUSED}:
                self._again(line)
            else:
                self.ended(line)
            return
        if not line.out:
            self._poll.modify(line.socket.fileno(), select.EPOLLIN)

    def turn(self, seconds: float) -> None:
        """Waits at most so long, then handles all that came. Short waits spin: `epoll` counts in milliseconds."""
        before = time.perf_counter()
        events = self._poll.poll(seconds if seconds > 0.0015 else 0, 2048)
        now = time.perf_counter()
        if seconds > 0.0015 or not events:
            self.idle_seconds += now - before
        for number, event in events:
            line = self._lines.get(number)
            if line is None:
                continue
            if event & select.EPOLLOUT:
                self._writable(line)
            if event & ~select.EPOLLOUT and line.socket is not None:
                self._readable(line)

    def _readable(self, line: Line) -> None:
        assert line.socket is not None
        try:
            data = line.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.received(line, data, time.perf_counter())
        elif line.state == OPENING:
            self._again(line)
        else:
            self.ended(line)

    def _again(self, line: Line) -> None:
        self.drop(line)
        self.open(line)

    def ended(self, line: Line) -> None:
        self.cut += 1
        self.drop(line)
