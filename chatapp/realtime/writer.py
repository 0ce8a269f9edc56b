"""The one write path of rooms: a bounded queue, and a task that turns it into transactions.

All posts that wait become one transaction (up to `BATCH_MOST`); while it commits, the next batch collects. So do those
who come to a room, leave it or react in it, one after another (up to `CROWD_MOST`). Other commands have a transaction
each. Order of arrival is order of numbers.

Every command ends in one of four ways, told once to the `done` it came with:
    a result             stored: a `Message` for a post, the room's number for the rest
    `Refused`            not stored, and never will be as it is
    `Later`              not stored, try again
    `OutcomeUnknown`     nobody could tell in time; a post may be sent again with its key
"""

import asyncio
import logging
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chatapp.clock import Clock
from chatapp.database import CommitUnknown, Database, Transaction
from chatapp.domain.changes import APPLY
from chatapp.domain.commands import (
    AcceptInvitation,
    Command,
    Committed,
    CreateRoom,
    EditMessage,
    JoinRoom,
    LeaveRoom,
    PostMessage,
    React,
)
from chatapp.domain.posts import Outcome, apply_posts
from chatapp.errors import Busy, ChatError, Invalid, Later
from chatapp.metrics import Metrics
from chatapp.realtime.fanout import Fanout
from chatapp.trouble import is_data_error, is_worth_retrying

QUEUE_MOST: Final = 10_000  # commands
QUEUE_BYTES: Final = 32 * 1024 * 1024  # of message bodies
USER_SHARE: Final = QUEUE_MOST // 20
OLDEST_SECONDS: Final = 5.0  # older than this at the head: no more is taken
BATCH_MOST: Final = 500
BATCH_BYTES: Final = 256 * 1024  # of bodies: a batch must fit into what may wait for a reader
CROWD_MOST: Final = 50
# What many ask of one room at once, and may be carried out twice.
CROWD: Final = (JoinRoom, LeaveRoom, React)
# The others may be carried out twice; these would find their own name taken, or use something up again.
ONCE: Final = (CreateRoom, AcceptInvitation)
TRIES: Final = 5
PAUSE_SECONDS: Final = 0.4  # the longest wait between tries
FAILED_SECONDS: Final = 10.0  # so long after a failure we say that nothing can be stored

log = logging.getLogger(__name__)


class OutcomeUnknown(Exception):
    """The database did not say whether the transaction was committed, not even when asked again."""


Done = Callable[[Any], None]


@dataclass(slots=True)
class _Entry:
    command: Command
    done: Done | None
    size: int
    at: float


class Writer:
    """Owner of the queue. MUST run as one task (`run`); `submit` never waits."""

    def __init__(self, database: Database, fanout: Fanout, clock: Clock, metrics: Metrics) -> None:
        self.database = database
        self.fanout = fanout
        self.clock = clock
        self.metrics = metrics
        self._queue: deque[_Entry] = deque()
        self._bytes = 0
        self._by_user: Counter[int] = Counter()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._closed = False
        self._failed_at: float | None = None
        self._ends: Counter[str] = Counter()  # of the batch under way

    # -- intake -----------------------------------------------------------------

    def submit(self, command: Command, done: Done) -> None:
        """Queues a command. `done` gets its end, from within the writer: it must not wait. Raises `Busy`."""
        size = len(command.body) * 4 if isinstance(command, PostMessage | EditMessage) else 100
        if (
            self._closed
            or len(self._queue) >= QUEUE_MOST
            or self._bytes + size > QUEUE_BYTES
            or self._by_user[command.actor_id] >= USER_SHARE
            or self.oldest_seconds() > OLDEST_SECONDS
        ):
            self.metrics.ended("busy")
            raise Busy("busy", random.uniform(1, 3))  # noqa: S311  spreads the second tries
        self._queue.append(_Entry(command, done, size, self.clock.monotonic()))
        self._bytes += size
        self._by_user[command.actor_id] += 1
        self._wake.set()

    async def ask(self, command: Command) -> Any:
        """Queues a command and waits for its end. Raises what went wrong."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(end: Any) -> None:
            if future.done():  # whoever asked has gone
                return
            if isinstance(end, Exception):
                future.set_exception(end)
            else:
                future.set_result(end)

        self.submit(command, done)
        return await future

    def depth(self) -> int:
        return len(self._queue)

    def waiting_bytes(self) -> int:
        return self._bytes

    def oldest_seconds(self) -> float:
        """How long the command at the head has waited."""
        return self.clock.monotonic() - self._queue[0].at if self._queue else 0.0

    def is_storing(self) -> bool:
        """Whether the last batch was stored or its failure is a while ago: nobody may have tried since."""
        failed = self._failed_at
        return failed is None or self.clock.monotonic() - failed > FAILED_SECONDS

    async def drain(self, seconds: float) -> None:
        """Takes no more, and waits until what was taken is stored, at most `seconds`."""
        self._closed = True
        self._wake.set()
        async with asyncio.timeout(seconds):
            await self._idle.wait()

    # -- the task ---------------------------------------------------------------

    async def run(self) -> None:
        while True:  # first what waits: the task may have been started again after a failure
            while self._queue:
                batch = self._take()
                try:
                    await self._carry_out(batch)
                finally:
                    for entry in batch:  # those without an end: the task was cancelled or failed
                        self._tell(entry, OutcomeUnknown())
                    for end, count in self._ends.items():
                        self.metrics.ended(end, count)
                    self._ends.clear()
            if self._closed:
                self._idle.set()
            await self._wake.wait()
            self._wake.clear()

    def _take(self) -> list[_Entry]:
        """All posts at the head of the queue, or a crowd in one room, or the one other command that stands there."""
        batch: list[_Entry] = []
        size = 0
        while self._queue and size < BATCH_BYTES and _goes_with(batch, self._queue[0].command):
            entry = self._queue.popleft()
            self._bytes -= entry.size
            size += entry.size
            self._by_user[entry.command.actor_id] -= 1
            if not self._by_user[entry.command.actor_id]:
                del self._by_user[entry.command.actor_id]
            batch.append(entry)
        return batch

    async def _carry_out(self, batch: list[_Entry]) -> None:
        started = self.clock.monotonic()
        if isinstance(batch[0].command, PostMessage):
            await self._posts(batch)
        else:
            await self._others(batch)
        self.metrics.batch_size.observe(len(batch))
        self.metrics.commit_seconds.observe(self.clock.monotonic() - started)

    async def _posts(self, batch: list[_Entry]) -> None:
        """Stores a batch. After an unknown commit the same batch runs again: its keys tell what was stored."""
        posts = [e.command for e in batch if isinstance(e.command, PostMessage)]
        unknown = False
        for attempt in range(TRIES):
            try:
                async with self.database.transaction() as tx:
                    outcomes, committed = await apply_posts(tx, posts)
            except CommitUnknown:
                unknown = True
                self.metrics.commit_failed("unknown")
            except Exception as error:
                if is_data_error(error):
                    await self._part(batch, error)
                    return
                if not is_worth_retrying(error):
                    log.exception("a batch failed")
                    break
                self.metrics.commit_failed("retried")
            else:
                self._failed_at = None
                self._answer(batch, outcomes)
                await self.fanout.ready(committed)
                self.fanout.publish(committed)
                if unknown:  # rows of the first try have not been shown to anybody yet
                    for room_id in {post.room_id for post in posts}:
                        self.fanout.refresh(room_id)
                return
            await self._pause(attempt)
        self._failed_at = self.clock.monotonic()
        for entry in batch:
            self._tell(entry, OutcomeUnknown() if unknown else Busy("busy", 2))

    async def _part(self, batch: list[_Entry], error: Exception) -> None:
        """The database would not have some value of the batch: halves it until only the culprit is refused."""
        if len(batch) == 1:
            log.error("a post was refused by the database", exc_info=error)
            self._tell(batch[0], Invalid({"body": "message_characters"}))
            return
        middle = len(batch) // 2
        await self._posts(batch[:middle])
        await self._posts(batch[middle:])

    async def _others(self, batch: list[_Entry]) -> None:
        """Carries out commands in one transaction; each of them may be refused by itself."""
        failure: Exception = Busy("busy", 2)
        unknown = False
        for attempt in range(TRIES):
            try:
                async with self.database.transaction() as tx:
                    ends = [await self._apply(tx, entry.command) for entry in batch]
            except CommitUnknown:
                unknown = True
                self.metrics.commit_failed("unknown")
                failure = OutcomeUnknown()
                if isinstance(batch[0].command, ONCE):
                    break
            except Exception as error:
                if not is_worth_retrying(error):
                    log.exception("a command failed")
                    if len(batch) > 1:  # each by itself: the others shall not suffer
                        for entry in batch:
                            await self._others([entry])
                        return
                    failure = failure if unknown else error
                    break
                self.metrics.commit_failed("retried")
            else:
                self._failed_at = None
                await self._show(batch, ends, unknown=unknown)
                return
            await self._pause(attempt)
        self._failed_at = self.clock.monotonic()
        for entry in batch:
            self._tell(entry, failure)

    async def _apply(self, tx: Transaction, command: Command) -> Committed | ChatError:
        """What was refused leaves nothing behind in the transaction."""
        try:
            async with tx.part():
                return await APPLY[type(command)](tx, command)
        except ChatError as error:
            return error

    async def _show(
        self, batch: Sequence[_Entry], ends: Sequence[Committed | ChatError], *, unknown: bool
    ) -> None:
        """`unknown`: an earlier try may have been stored as well, and then nobody was shown it."""
        for entry, end in zip(batch, ends, strict=True):
            if isinstance(end, ChatError):
                self._tell(entry, OutcomeUnknown() if unknown else end)
            else:
                self._tell(entry, end.value)
        for committed in _together(ends):
            await self.fanout.ready(committed)
            self.fanout.publish(committed)
            if unknown:
                self.fanout.refresh(committed.value)

    def _answer(self, batch: Sequence[_Entry], outcomes: Sequence[Outcome]) -> None:
        """Acknowledges before the rows are shown, so that a sender's own window knows its number first."""
        for entry, outcome in zip(batch, outcomes, strict=True):
            self._tell(entry, outcome)

    def _tell(self, entry: _Entry, end: Any) -> None:
        """Gives a command its end, the first time only."""
        done, entry.done = entry.done, None
        if done is not None:
            self._ends[_kind(end)] += 1
            done(end)

    @staticmethod
    async def _pause(attempt: int) -> None:
        longest = min(PAUSE_SECONDS, 0.02 * 2**attempt)
        await asyncio.sleep(random.uniform(0, longest))  # noqa: S311


def _goes_with(batch: Sequence[_Entry], command: Command) -> bool:
    """Whether a command may join a batch: posts of any rooms, or a crowd in one."""
    if not batch:
        return True
    first = batch[0].command
    if isinstance(first, PostMessage):
        return isinstance(command, PostMessage) and len(batch) < BATCH_MOST
    return (
        isinstance(first, CROWD)
        and isinstance(command, CROWD)
        and command.room_id == first.room_id
        and len(batch) < CROWD_MOST
    )


def _together(ends: Sequence[Committed | ChatError]) -> list[Committed]:
    """What is shown at once. A departure stays where it was: who left and came back is a member."""
    found: list[Committed] = []
    for end in ends:
        if isinstance(end, ChatError):
            continue
        if found and not (end.departures or found[-1].departures):
            found[-1].add(end)
        else:
            found.append(end)
    return found


def _kind(end: Any) -> str:
    """What an end counts as in the metrics."""
    if not isinstance(end, Exception):
        return "stored"
    if isinstance(end, Later):
        return "busy"
    if isinstance(end, OutcomeUnknown):
        return "unknown"
    return "refused" if isinstance(end, ChatError) else "failed"
