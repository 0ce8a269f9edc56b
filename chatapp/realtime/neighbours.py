"""Several processes on one PostgreSQL without Redis: people at different ones would read each other up to a second
late, and nobody would know why. So it is said, loudly, for as long as it lasts."""

import asyncio
import logging
import sys
from typing import Final

from chatapp.database import Database

LOOK_SECONDS: Final = 15.0
AGAIN: Final = 40  # looks, until it is said again: ten minutes

log = logging.getLogger(__name__)

_BANNER: Final = """
==============================================================================
  {count} chatapp processes serve this database, but REDIS_URL is not set here.
  Messages reach people at the other processes up to a second late.
  Set REDIS_URL to one Redis for all of them, or run a single process.
==============================================================================
"""


class Neighbours:
    """Looks for other processes. MUST run as one task."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        looks = 0
        while True:
            count = await self._database.processes()
            if count > 1:
                if looks % AGAIN == 0:
                    sys.stderr.write(_BANNER.format(count=count))
                    log.warning("several processes without redis", extra={"count": count})
                looks += 1
            else:
                looks = 0
            await asyncio.sleep(LOOK_SECONDS)
