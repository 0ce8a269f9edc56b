"""Visits every socket once in `ROUND_SECONDS`: a ping, the last numbers of its rooms, and whether it may still be here.

A part of them each second, so that ten thousand sockets never stop the event loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from chatapp.clock import Clock
from chatapp.metrics import Metrics
from chatapp.realtime import frames
from chatapp.realtime.connection import Connection
from chatapp.realtime.hub import Hub

ROUND_SECONDS: Final = 15

EndDead = Callable[[Sequence[Connection]], Awaitable[None]]


class Pulse:
    """`end_dead` asks the database which of some connections' sessions are over, and closes those."""

    def __init__(self, hub: Hub, clock: Clock, metrics: Metrics, end_dead: EndDead) -> None:
        self._hub = hub
        self._clock = clock
        self._metrics = metrics
        self._end_dead = end_dead

    async def run(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            round_of = self._hub.connections()
            share = -(-len(round_of) // ROUND_SECONDS)
            for second in range(ROUND_SECONDS):
                started = now()
                await asyncio.sleep(1)
                self._metrics.loop_was_late(max(0.0, now() - started - 1))
                self._hub.expire(self._clock.wall())
                await self.visit(round_of[second * share : (second + 1) * share])

    async def visit(self, some: Sequence[Connection]) -> None:
        living = [connection for connection in some if connection.is_open]
        for connection in living:
            connection.ping()
            connection.send(frames.beat(self._hub.numbers(connection)))
        if living:
            await self._end_dead(living)
