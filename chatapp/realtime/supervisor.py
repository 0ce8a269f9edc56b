"""Background tasks that are watched: none ends unseen.

`keep`: runs for ever and is started again after a failure, ever more slowly. `spawn`: runs once; a failure is logged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from chatapp.trouble import is_worth_retrying

SPAWNED_MOST: Final = 20_000
LONGEST_PAUSE: Final = 5.0
STOP_ROUNDS: Final = 15  # of a second each
HEALTHY_SECONDS: Final = 30.0  # after so long a run the next failure counts as the first

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

    def count(self) -> int:
        return len(self._tasks)

    def has_room(self) -> bool:
        """Whether another task may be spawned for somebody outside."""
        return len(self._tasks) < SPAWNED_MOST

    def _add(self, task: "asyncio.Task[None]") -> "asyncio.Task[None]":
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _again_and_again(self, start: Callable[[], Awaitable[None]], name: str) -> None:
        pause = 0.05
        clock = asyncio.get_running_loop().time
        while True:
            started = clock()
            try:
                await start()
            except Exception as error:  # noqa: BLE001  whatever it was, the task must go on
                _report(error, name)
            if clock() - started > HEALTHY_SECONDS:
                pause = 0.05
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _once(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  there is nobody else to tell
            _report(error, name)

    async def stop(self) -> None:
        """Cancels until all are gone: a task in the middle of COMMIT turns a cancellation into `CommitUnknown`."""
        for _ in range(STOP_ROUNDS):
            if not (tasks := set(self._tasks)):
                return
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=1)
        log.error("tasks did not stop", extra={"count": len(self._tasks)})
