"""Thousands of sockets in one epoll loop: joins, sends, and reads so fast that the server is what is measured.

A reader that gets the very bytes that the last reader of its room got is done after one comparison. All else is taken
apart frame by frame. Times are seconds of `time.perf_counter`.
"""

import contextlib
import errno
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Final

from benchmarks import frames
from benchmarks.ledger import NOBODY, Ledger, Member, Room

RECEIVE_BYTES: Final = 64 * 1024
RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: no TIME_WAIT is left of ten thousand ports
SOURCES: Final = 3  # addresses 127.0.0.2 … that sockets come from
OPENING, WAITING, LIVE, DEAD = range(4)
QUIET, ALL, SELF = range(
    3
)  # when a message follows another by itself: never, all have it, the sender has it


class Line(Member):
    """One socket, which watches one room."""

    __slots__ = ("acknowledged", "cookie", "left", "out", "post", "rest", "socket", "state")

    def __init__(self, number: int, room: Room, cookie: str) -> None:
        super().__init__(number, room)
        room.members.append(self)
        self.cookie = cookie
        self.post = frames.Post(room.id)
        self.state = DEAD
        self.socket: socket.socket | None = None
        self.rest = b""
        self.out = b""
        self.acknowledged = 0


class Swarm:
    """Owner of the sockets. `mode` makes a closed loop: see `QUIET`, `ALL`, `SELF`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.ledger = Ledger()
        self.mode = QUIET
        self.sent = 0
        self.acks: list[tuple[int, float]] = []  # number of the message, when
        self.completions: list[float] = []  # seconds from sending until the last member has it
        self.cut = 0  # lines that the server ended
        self.reloads = 0
        self.joined = 0
        self.idle_seconds = 0.0
        self._epoch = b""
        self._poll = select.epoll()
        self._lines: dict[int, Line] = {}

    # -- joining --------------------------------------------------------------

    def join(self, lines: Sequence[Line], *, parallel: int = 128, patience: float = 30.0) -> float:
        """Connects them, at most `parallel` at a time, until each is told `watching`. Returns how long that took.

        `patience`: seconds in which somebody must get in."""
        started = time.perf_counter()
        waiting = list(reversed(lines))
        target = self.joined + len(lines)
        last, progress = self.joined, started
        while self.joined < target:
            while waiting and target - self.joined - len(waiting) < parallel:
                self.open(waiting.pop())
            self.turn(0.02)
            now = time.perf_counter()
            if self.joined > last:
                last, progress = self.joined, now
            elif now - progress > patience:
                raise TimeoutError(f"{target - self.joined} of {len(lines)} could not join")
        return time.perf_counter() - started

    def open(self, line: Line) -> None:
        line.socket = fresh = socket.socket()
        fresh.setblocking(False)
        fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fresh.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        fresh.bind((f"127.0.0.{2 + line.number % SOURCES}", 0))
        line.state, line.rest, line.out = OPENING, b"", frames.handshake(self.port, line.cookie)
        line.is_live = False
        self._lines[fresh.fileno()] = line
        with contextlib.suppress(BlockingIOError):
            fresh.connect(("127.0.0.1", self.port))
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

    # -- sending --------------------------------------------------------------

    def post(self, line: Line, intended: float) -> None:
        self.sent += 1
        line.own_at = NOBODY
        if self.mode == ALL:
            line.room.goal = len(line.room.log) + 1
            line.room.reached = 0
        self._write(line, line.post.frame(self.ledger.sent(line, intended)))

    def _write(self, line: Line, data: bytes) -> None:
        if line.socket is None:
            return
        if not line.out:
            try:
                data = data[line.socket.send(data) :]
            except BlockingIOError:
                pass
            except OSError:
                self._ended(line)
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
                self._ended(line)
            return
        if not line.out:
            self._poll.modify(line.socket.fileno(), select.EPOLLIN)

    # -- receiving ------------------------------------------------------------

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
        now = time.perf_counter()
        room, start = line.room, line.at
        if data and data == room.chunk and start == room.start and not line.rest:
            line.at, line.seq = room.end, room.seq
            self.ledger.arrivals.append((now, room, start, room.end))
        elif data:
            only = self._apart(line, line.rest + data, now)
            if only and line.is_live and line.at > start:
                room.chunk, room.start, room.end, room.seq = data, start, line.at, line.seq
        elif line.state == OPENING:
            self._again(line)
        else:
            self._ended(line)
        if self.mode and line.at > start:
            self._follow(line, now)

    def _follow(self, line: Line, now: float) -> None:
        """Closed loops: a delivery may be what the next message waits for."""
        room = line.room
        if self.mode == SELF:
            if NOBODY < line.own_at < line.at:
                self.post(line, now)
        elif line.at == room.goal:
            room.reached += 1
            if room.reached == len(room.members):
                number = int(room.log[-1])
                self.completions.append(now - self.ledger.intended[number])
                sender = self.ledger.senders[number]
                assert isinstance(sender, Line)
                self.post(sender, time.perf_counter())

    def _apart(self, line: Line, data: bytes, now: float) -> bool:
        """Frame by frame. True: there was nothing but deliveries, and all of it was whole."""
        fresh = not line.rest
        if line.state == OPENING:
            head, blank, data = data.partition(b"\r\n\r\n")
            if not blank:
                line.rest = head
                return False
            if b" 101 " not in head[:20]:
                raise ConnectionError(head.decode(errors="replace"))
            line.state = WAITING
        found, at = frames.parts(data)
        line.rest = data[at:]
        marks: list[bytes] = []
        only = fresh and not line.rest
        for opcode, payload in found:
            if opcode == frames.TEXT and payload.startswith(b'{"type":"changes"'):
                if not payload.startswith(b'{"type":"changes","room":%d,' % line.room.id):
                    self.ledger.faults.misrouted += len(frames.MARK.findall(payload))
                    continue
                span = frames.SPAN.search(payload)
                if span is None:
                    raise ConnectionError(payload[:120].decode())
                if int(span[1]) < line.seq < int(span[2]):  # a browser applies it: rows it has, too
                    self.ledger.delivered(line, marks, now)
                    self.ledger.delivered(line, frames.MARK.findall(payload), now, overlaps=True)
                    marks, only = [], False
                else:
                    marks += frames.MARK.findall(payload)
                line.seq = max(line.seq, int(span[2]))
            else:
                only = False
                if marks:  # what came before `watching` is judged as that
                    self.ledger.delivered(line, marks, now)
                    marks = []
                self._other(line, opcode, payload, now)
                if line.state == DEAD:
                    break
        if marks:
            self.ledger.delivered(line, marks, now)
        return only

    def _other(self, line: Line, opcode: int, payload: bytes, now: float) -> None:
        """What is no delivery. Types are told by the first bytes: `type` comes first in every frame of the server."""
        kind = payload[9 : payload.find(b'"', 9)]
        if opcode == frames.PING:
            self._write(line, frames.masked(frames.PONG, payload))
        elif opcode == frames.CLOSE:
            self._ended(line)
        elif kind == b"ack":
            if key := frames.KEY.search(payload):
                self.acks.append((int(key[1]), now))
                line.acknowledged += 1
        elif kind in {b"busy", b"refused", b"unknown"}:
            if key := frames.KEY.search(payload):
                self.ledger.refused.add(int(key[1]))
        elif kind == b"hello":
            if epoch := frames.EPOCH.search(payload):
                self._epoch = epoch[1]
            self._write(line, frames.watch(line.room.id, self._epoch, line.seq))
        elif kind == b"watching":
            if not line.is_live:
                self.joined += 1
            line.state, line.is_live = LIVE, True
        elif kind == b"reload":
            # A browser would load the page: we go on from where the room is, and say how often that was.
            self.reloads += 1
            line.is_live = False
            line.at = len(line.room.log)
            line.seq = max(line.seq, line.room.seq)
            self._write(line, frames.watch(line.room.id, self._epoch, line.seq))
        elif kind in {b"error", b"removed"}:
            raise ConnectionError(payload.decode())

    def _again(self, line: Line) -> None:
        self.drop(line)
        self.open(line)

    def _ended(self, line: Line) -> None:
        self.cut += 1
        self.drop(line)
