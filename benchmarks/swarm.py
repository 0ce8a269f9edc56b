"""Members of rooms by the thousand: they join, send, and read so fast that the server is what is measured.

A reader that gets the very bytes that the last reader of its room got is done after one comparison. All else is taken
apart frame by frame. Times are seconds of `time.perf_counter`.
"""

import time
from collections.abc import Sequence

from benchmarks import frames
from benchmarks.ledger import NOBODY, Ledger
from benchmarks.sockets import DEAD, LIVE, OPENING, WAITING, Line, Sockets

QUIET, ALL, SELF = range(
    3
)  # when a message follows another by itself: never, all have it, the sender has it


class Swarm(Sockets):
    """Owner of the sockets. `mode` makes a closed loop: see `QUIET`, `ALL`, `SELF`."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.ledger = Ledger()
        self.mode = QUIET
        self.sent = 0
        self.acks: list[tuple[int, float]] = []  # number of the message, when
        self.completions: list[float] = []  # seconds from sending until the last member has it
        self.reloads = 0
        self.joined = 0
        self._epoch = b""

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

    # -- sending --------------------------------------------------------------

    def post(self, line: Line, intended: float) -> None:
        self.sent += 1
        line.own_at = NOBODY
        if self.mode == ALL:
            line.room.goal = len(line.room.log) + 1
            line.room.reached = 0
        self.write(line, line.post.frame(self.ledger.sent(line, intended)))

    # -- receiving ------------------------------------------------------------

    def received(self, line: Line, data: bytes, now: float) -> None:
        room, start = line.room, line.at
        if data == room.chunk and start == room.start and not line.rest:
            line.at, line.seq = room.end, room.seq
            self.ledger.arrivals.append((now, room, start, room.end))
        else:
            only = self._apart(line, line.rest + data, now)
            if only and line.is_live and line.at > start:
                room.chunk, room.start, room.end, room.seq = data, start, line.at, line.seq
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
                found_marks = frames.MARK.findall(payload)
                if self._reaches(line, payload):
                    marks += found_marks
                else:
                    self.ledger.delivered(line, marks, now)
                    self.ledger.delivered(line, found_marks, now, overlaps=True)
                    marks, only = [], False
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

    @staticmethod
    def _reaches(line: Line, payload: bytes) -> bool:
        """Moves the cursor. False for a frame that begins before it: a browser drops such a frame, or applies rows
        that it has had."""
        span = frames.SPAN.search(payload)
        if span is None:
            raise ConnectionError(payload[:120].decode())
        fits = int(span[1]) >= line.seq
        line.seq = max(line.seq, int(span[2]))
        return fits

    def _other(self, line: Line, opcode: int, payload: bytes, now: float) -> None:
        """What is no delivery. Types are told by the first bytes: `type` comes first in every frame of the server."""
        kind = payload[9 : payload.find(b'"', 9)]
        if opcode == frames.PING:
            self.write(line, frames.masked(frames.PONG, payload))
        elif opcode == frames.CLOSE:
            self.ended(line)
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
            self.write(line, frames.watch(line.room.id, self._epoch, line.seq))
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
            self.write(line, frames.watch(line.room.id, self._epoch, line.seq))
        elif kind in {b"error", b"removed"}:
            raise ConnectionError(payload.decode())
