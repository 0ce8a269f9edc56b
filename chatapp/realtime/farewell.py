"""A process that stops sends its sockets to the others, a few at a time: taking one in costs about a millisecond, and
ten thousand at once would keep everybody waiting."""

import asyncio
import random
from typing import Final

from chatapp.realtime import frames
from chatapp.realtime.hub import Hub

SLICE: Final = 25  # sockets
PAUSE: Final = 0.02  # seconds: 1,250 sockets a second, 10,000 in 8 s


async def send_away(hub: Hub) -> None:
    """Closes all sockets with 1012. Until its turn comes, each goes on as ever."""
    leaving = hub.connections()
    random.shuffle(leaving)  # or a whole room would be away for a moment
    for start in range(0, len(leaving), SLICE):
        if start:
            await asyncio.sleep(PAUSE)
        for connection in leaving[start : start + SLICE]:
            connection.close(frames.CLOSE_RESTART)
