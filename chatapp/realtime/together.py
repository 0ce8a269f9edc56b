"""Questions that come while one is being asked are asked together: one query, however many people arrive at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from chatapp.realtime.supervisor import Supervisor

MOST: Final = 500  # questions in one query

Key = TypeVar("Key")
Answer = TypeVar("Answer")


class Together(Generic[Key, Answer]):
    """`ask` answers many keys; a key it does not know is missing from its answer.

    MUSTs
    1. A question is asked after it was put, never answered by a query that had begun before.
    2. Whoever stops waiting disturbs nobody else.
    3. What `ask` raises is raised to everybody whose question was in it.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[Key]], Awaitable[dict[Key, Answer]]],
        supervisor: Supervisor,
    ) -> None:
        self._ask = ask
        self._supervisor = supervisor
        self._waiting: list[tuple[Key, asyncio.Future[Answer | None]]] = []
        self._asking = False

    async def get(self, key: Key) -> Answer | None:
        future: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, future))
        if not self._asking:
            self._asking = True
            self._supervisor.spawn(self._ask_all(), "questions")
        return await future

    async def _ask_all(self) -> None:
        taken: list[tuple[Key, asyncio.Future[Answer | None]]] = []
        try:
            while self._waiting:
                taken, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                try:
                    found = await self._ask([key for key, _ in taken])
                except Exception as error:  # noqa: BLE001  it is theirs who asked
                    for _, future in taken:
                        if not future.done():
                            future.set_exception(error)
                    continue
                for key, future in taken:
                    if not future.done():
                        future.set_result(found.get(key))
        finally:  # cancelled: we stop
            self._asking = False
            for _, future in (*taken, *self._waiting):
                future.cancel()
            self._waiting = []
