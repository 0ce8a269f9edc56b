"""Brings what was said into the index for search, a lot at a time, while nobody waits for it.

Searches read what is not in the index yet, so nothing hangs on when this is done; but it costs CPU, and SQLite has one
writer. So whoever talks goes first: a process that is busy leaves all but a lot now and then for later.
"""

import asyncio
import time
from typing import Final

from chatapp.database import CommitUnknown, Database
from chatapp.domain import search_index

LOOK_SECONDS: Final = 1.0
SHARE: Final = 3  # between two lots others write, for so many times as long as the lot took
PAUSE_SECONDS: Final = 0.02
BUSY: Final = 0.4  # of a core that this process has used while nothing was indexed
BUSY_SECONDS: Final = 10.0  # between two lots then


class Indexer:
    """MUST run as one task. Several processes take turns; who fails is started again and goes on where it was."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        while True:
            await self._rest(LOOK_SECONDS)
            took = await self._lot()
            while took is not None:
                await self._rest(SHARE * took + PAUSE_SECONDS)
                took = await self._lot()

    async def catch_up(self) -> None:
        """Until all is in the index, or another process is at it, without a rest."""
        while await self._lot() is not None:
            pass

    async def _lot(self) -> float | None:
        """How long one took, in seconds; None when there is nothing to do here."""
        if not await search_index.is_behind(self._database):
            return None
        started = time.monotonic()
        try:
            async with self._database.transaction() as tx:
                is_done = await search_index.apply_lot(tx)
        except CommitUnknown:  # whichever it was, the next look sees it
            return None
        return time.monotonic() - started if is_done else None

    async def _rest(self, seconds: float) -> None:
        started, used = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        share = (time.process_time() - used) / (time.monotonic() - started)
        if share > BUSY:
            await asyncio.sleep(BUSY_SECONDS)
