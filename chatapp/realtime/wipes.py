"""Wipes what was deleted once nobody may take it back any more: here, and where other processes have died."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from chatapp.database import CommitUnknown, Database
from chatapp.domain import deletions

LOOK_SECONDS: Final = 2.0


class Wipes:
    """MUST run as one task (`run`). `forget` is told of each room of which copies elsewhere must go too."""

    def __init__(
        self, database: Database, forget: Callable[[int], Awaitable[None]] | None = None
    ) -> None:
        self._database = database
        self._forget = forget

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Raises what the database raises."""
        if not await deletions.have_lapsed(self._database):
            return
        try:
            async with self._database.transaction() as tx:
                rooms = await deletions.wipe(tx)
        except CommitUnknown:
            return  # the next look finds what is left
        if self._forget is not None:
            for room_id in rooms:
                await self._forget(room_id)
