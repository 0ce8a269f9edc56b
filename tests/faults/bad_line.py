"""A long and lossy line between people and a server, as `tc netem` would make one, but in user space: not every kernel
has netem, and not everybody may use it.

What TCP makes of such a line is imitated for each packet and direction: it is late by chance; one that is lost comes
after the time TCP takes to notice and send it again (twice as long when that one is lost as well); and as bytes come
in order, a late packet holds up those behind it. A line that is cut is reset at both ends, and what was under way on
it is lost, answers to what has arrived among it.
"""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

PACKET_BYTES = 1448
NOTICED_SECONDS = 0.8  # smoothed round trip + 4 x its variance (RFC 6298)
RESET = struct.pack("ii", 1, 0)  # closing sends RST


@dataclass
class BadLine:
    """`latency` ± `jitter` in seconds one way, `loss` from 0 to 1. Takes any number of connections."""

    port: int
    dice: random.Random
    latency: float = 0.2
    jitter: float = 0.1
    loss: float = 0.05
    url: str = ""
    packets: int = 0
    lost: int = 0
    cuts: int = 0
    _pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = field(default_factory=set)

    def cut_one(self) -> None:
        """Resets one connection, whichever."""
        if self._pairs:
            self._cut(self.dice.choice(sorted(self._pairs, key=id)))
            self.cuts += 1

    def cut_all(self) -> None:
        for pair in list(self._pairs):
            self._cut(pair)

    def _cut(self, pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        self._pairs.discard(pair)
        for writer in pair:
            end: socket.socket = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, back)
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        finally:
            self._cut(pair)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the end of one direction has arrived at the other side."""
        loop = asyncio.get_running_loop()
        arrival = 0.0
        with contextlib.suppress(OSError):
            while packet := await reader.read(PACKET_BYTES):
                # a little after the one before it, since the loop keeps no order among equal times
                arrival = max(arrival + 1e-6, loop.time() + self._seconds_under_way())
                loop.call_at(arrival, _arrive, writer, packet)
        await asyncio.sleep(arrival - loop.time())
        with contextlib.suppress(OSError):
            if not writer.is_closing():
                writer.write_eof()

    def _seconds_under_way(self) -> float:
        self.packets += 1
        seconds = self.latency + self.dice.uniform(-self.jitter, self.jitter)
        noticed = NOTICED_SECONDS
        while self.dice.random() < self.loss:
            self.lost += 1
            seconds += noticed
            noticed *= 2
        return seconds


def _arrive(writer: asyncio.StreamWriter, packet: bytes) -> None:
    if not writer.is_closing():
        writer.write(packet)


@asynccontextmanager
async def bad_line(port: int, seed: int, **quality: Any) -> AsyncIterator[BadLine]:
    """A line to that port: people use its `url`."""
    line = BadLine(port, random.Random(seed), **quality)
    server = await asyncio.start_server(line.take, "127.0.0.1", 0)
    line.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
        line.cut_all()
        await asyncio.sleep(0)
