"""Visits every socket once in `ROUND_SECONDS` with a ping and the last numbers of its rooms, some of them each second,
so that ten thousand sockets never stop the event loop; and asks every second who may not be here any more.

The two do not wait for each other: a database that does not answer keeps no beat back, or browsers would take their
lines for dead and come back all at once.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from chatapp.clock import Clock
from chatapp.metrics import Metrics
from chatapp.realtime import frames
from chatapp.realtime.connection import Connection
from chatapp.realtime.hub import Hub
from chatapp.trouble import is_worth_retrying

ROUND_SECONDS: Final = 15

EndDead = Callable[[Sequence[Connection]], Awaitable[None]]

log = logging.getLogger(__name__)


class Pulse:
    """`end_dead` asks the database which of some connections' sessions are over, and closes those."""

    def __init__(self, hub: Hub, clock: Clock, metrics: Metrics, end_dead: EndDead) -> None:
        self._hub = hub
        self._clock = clock
        self._metrics = metrics
        self._end_dead = end_dead

    async def run(self) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(self._visit_forever())
            both.create_task(self._end_forever())

    async def _visit_forever(self) -> None:
        """Each session has its second of the round, so whoever has just come need not wait for the next round."""
        now = asyncio.get_running_loop().time
        due = now()
        for second in itertools.cycle(range(ROUND_SECONDS)):
            due = max(due + 1, now())
            await asyncio.sleep(due - now())
            self._metrics.loop_was_late(max(0.0, now() - due))
            self._hub.expire(self._clock.wall())
            for connection in self._hub.connections():
                if connection.session_id % ROUND_SECONDS == second:
                    connection.ping()
                    connection.send(frames.beat(self._hub.numbers(connection)))

    async def _end_forever(self) -> None:
        """A session that ends is told at once, here and by a hint to the other processes; but a hint may be lost."""
        while True:
            await asyncio.sleep(1)
            try:
                if everybody := self._hub.connections():
                    await self._end_dead(everybody)
            except Exception as error:
                if not is_worth_retrying(error):
                    raise
                log.warning("nobody can say just now whose session is over")
