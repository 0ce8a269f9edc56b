"""Who is here, as all processes know it together: each says whom it has, for a while at a time.

Whoever dies says nothing any more, and what it said lapses. `redis_leases.py` is the one for several processes.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

State = Literal["online", "away"]


class Leases(Protocol):
    """What presence asks of them."""

    async def exchange(self, mine: Mapping[int, State]) -> dict[int, State] | None:
        """Says who is here in this process, and returns who is in all of them. A person who is online in one is
        online. None when nobody can tell just now. Raises nothing."""

    async def close(self) -> None:
        """This process ends: its people have a few seconds to turn up at another one."""


class MemoryLeases:
    """For a single process: those who are here are all there are."""

    async def exchange(self, mine: Mapping[int, State]) -> dict[int, State] | None:
        return dict(mine)

    async def close(self) -> None:
        return
