"""Background tasks that are watched: none ends unseen.

`keep`: runs for ever and is started again after a failure, ever more slowly. `spawn`: runs once; a failure is logged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from chatapp.database import is_worth_retrying

SPAWNED_MOST: Final = 20_000
LONGEST_PAUSE: Final = 5.0

log = logging.getLogger(__name__)


def _report(error: Exception, name: str) -> None:
    """A database that is away is expected to come back; anything else is a fault of ours."""
    if is_worth_retrying(error):
        log.warning("the task %s has no database", name)
    else:
        log.error("the task %s failed", name, exc_info=error)


class Supervisor:
    """Owner of all tasks that outlive a request."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, start: Callable[[], Awaitable[None]], name: str) -> None:
        self._add(asyncio.create_task(self._again_and_again(start, name), name=name))

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        return self._add(asyncio.create_task(self._once(work, name), name=name))

    def has_room(self) -> bool:
        """Whether another task may be spawned for somebody outside."""
        return len(self._tasks) < SPAWNED_MOST

    def _add(self, task: "asyncio.Task[None]") -> "asyncio.Task[None]":
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _again_and_again(self, start: Callable[[], Awaitable[None]], name: str) -> None:
        pause = 0.05
        while True:
            try:
                await start()
            except Exception as error:  # noqa: BLE001  whatever it was, the task must go on
                _report(error, name)
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _once(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  there is nobody else to tell
            _report(error, name)

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
