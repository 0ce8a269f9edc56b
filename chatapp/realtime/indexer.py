"""Brings what was said into the index for search, a lot at a time, while nobody waits for it."""

import asyncio
import time
from typing import Final

from chatapp.database import Database
from chatapp.domain import search_index

LOOK_SECONDS: Final = 1.0
# Between two lots others write, for three times as long as the lot took and a little longer: SQLite has one writer.
SHARE: Final = 3
PAUSE_SECONDS: Final = 0.02


class Indexer:
    """MUST run as one task. Several processes take turns; who fails is started again and goes on where it was."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        while True:
            await self.catch_up()
            await asyncio.sleep(LOOK_SECONDS)

    async def catch_up(self) -> None:
        """Until all is in the index, or another process is at it."""
        while await search_index.is_behind(self._database):
            started = time.monotonic()
            async with self._database.transaction() as tx:
                is_done = await search_index.apply_lot(tx)
            if not is_done:
                return
            await asyncio.sleep(SHARE * (time.monotonic() - started) + PAUSE_SECONDS)
