"""Takes files away that nobody may have any more: of deleted messages and rooms, never sent, or never finished; and
pictures of people that others have taken the place of.

First the row says `gone`, and that is committed; then the content goes; then the row. So nothing vanishes that might
come back, and a crash in between leaves a row that is found again.
"""

import asyncio
import time
from pathlib import Path
from typing import Final

from chatapp.database import CommitUnknown, Database
from chatapp.domain import avatars, files
from chatapp.domain.kept import Kept
from chatapp.files.storage import Storage
from chatapp.realtime.uploads import THUMBNAIL, WHOLE_SECONDS

LOOK_SECONDS: Final = 5.0
LOT: Final = 100


class Sweeper:
    """MUST run as one task (`run`). Several processes may do so side by side."""

    def __init__(self, database: Database, storage: Storage, spool: Path) -> None:
        self._database = database
        self._storage = storage
        self._spool = spool
        self._started = time.time()

    def begin(self) -> None:
        """Before anything comes. With SQLite no other process is there: whatever lies in the spool, a crash has
        left."""
        if self._database.is_sqlite:
            self._clear_spool(self._started)

    async def run(self) -> None:
        alone_since = int(self._started * 1000) if self._database.is_sqlite else None
        async with self._database.transaction() as tx:
            await files.apply_settle(tx, alone_since)
            await avatars.apply_settle(tx)
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Raises what the database and the storage raise."""
        await asyncio.to_thread(self._clear_spool, time.time() - WHOLE_SECONDS)
        for kept in (files.KEPT, avatars.KEPT):
            await self._clear(kept)

    async def _clear(self, kept: Kept) -> None:
        while await kept.have_lapsed(self._database):
            try:
                async with self._database.transaction() as tx:
                    ids = await kept.apply_lapse(tx, LOT)
                if not ids:  # another process is at it
                    return
                await self._storage.forget([*ids, *(id_ + THUMBNAIL for id_ in ids)])
                async with self._database.transaction() as tx:
                    await kept.apply_forget(tx, ids)
            except CommitUnknown:
                return  # the next look finds what is left

    def _clear_spool(self, dead: float) -> None:
        """What a process that died has left: parts to which nobody has written since a time."""
        for part in self._spool.iterdir():
            try:
                if part.stat().st_mtime < dead:
                    part.unlink()
            except FileNotFoundError:
                continue  # its upload has just ended
