"""Pushes to browsers of people who are not reading: after a commit, held a while, and only to whom the database names.

1. `committed` never waits. A room waits `HOLD_SECONDS` after a message: whoever reads it meanwhile, anywhere, gets no
   push. In a busy room the next round is `APART_SECONDS` later, and tells of all that came between.
2. One query per room and round says who is owed one; membership, choice and reading are those of that moment. Before a
   push that had to wait is sent, or one from before a message was edited or deleted, they are looked at again, and so
   are the words.
3. Everything that waits has a bound. When it is reached the oldest goes, and is counted as `dropped`.
4. A subscription that its service does not know (404, 410) is deleted. What fails otherwise is tried again, ever more
   slowly, `TRIES` times. A push whose process dies is lost: notices are a help, the unread count is the truth.
"""

import asyncio
import heapq
import itertools
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from chatapp.clock import Clock
from chatapp.database import CommitUnknown, Database
from chatapp.domain import notices, subscriptions
from chatapp.domain.commands import Message
from chatapp.domain.notices import Notice
from chatapp.domain.subscriptions import Subscription
from chatapp.metrics import Metrics
from chatapp.outbound import Answer, Failed, Outbound, Unsafe
from chatapp.realtime.supervisor import Supervisor
from chatapp.trouble import is_worth_retrying
from chatapp.webpush import PAYLOAD_BYTES, Vapid, encrypt

HOLD_SECONDS: Final = 5.0
APART_SECONDS: Final = 15.0  # between two rounds of a room
TICK_SECONDS: Final = 0.25
ROUNDS_MOST: Final = 10_000  # rooms that wait
PUSHES_MOST: Final = 10_000  # pushes that wait, about 2 KB each
SENDERS: Final = 16  # at once
TRIES: Final = 4
RETRY_SECONDS: Final = 10.0  # then four times as long each time
RETRY_MOST: Final = 3600.0
FRESH_SECONDS: Final = 2.0  # so long after the query its answer is taken as it was
LIFE_SECONDS: Final = 24 * 3600  # that a service keeps a push for a browser that is away

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Round:
    """Messages of a room behind `after` up to `upto`, to be asked about at `at`."""

    room_id: int
    after: int
    upto: int
    at: float


@dataclass(frozen=True, slots=True)
class _Push:
    subscription: Subscription
    user_id: int
    notice: Notice
    count: int
    asked_at: float
    tries: int = 0


class Pushes:
    """Owner of what waits. MUST run as one `run` and `SENDERS` of `send_forever`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        metrics: Metrics,
        outbound: Outbound,
        vapid: Vapid,
        subject: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self.outbound = outbound
        self._vapid = vapid
        self._subject = subject
        self._order = itertools.count()
        self._rounds: list[tuple[float, int, _Round]] = []
        self._last: OrderedDict[int, _Round] = OrderedDict()
        self._ready: OrderedDict[tuple[int, int], _Push] = OrderedDict()  # by subscription and room
        self._later: list[tuple[float, int, _Push]] = []
        self._changed_at = float("-inf")  # when a message was changed
        self._wake = asyncio.Event()
        self._work = asyncio.Semaphore(0)

    def start(self, supervisor: Supervisor) -> None:
        supervisor.keep(self.run, "pushes")
        for _ in range(SENDERS):
            supervisor.keep(self.send_forever, "pushes out")

    @property
    def public_key(self) -> str:
        return self._vapid.public

    def waiting(self) -> int:
        return len(self._rounds) + len(self._ready) + len(self._later)

    def committed(self, room_id: int, rows: Sequence[Message]) -> None:
        """Rows of a room were stored. Comes back at once."""
        now = self._clock.monotonic()
        if any(not row.is_new for row in rows):
            self._changed_at = now
        numbers = [row.seq for row in rows if row.kind == "message" and row.is_new]
        if not numbers:
            return
        last = self._last.get(room_id)
        if last is not None and last.at >= now + HOLD_SECONDS:
            last.upto = max(last.upto, *numbers)
            return
        at = now + HOLD_SECONDS
        if last is not None:
            at = max(at, last.at + APART_SECONDS)
        step = _Round(room_id, min(numbers) - 1, max(numbers), at)
        self._last[room_id] = step
        self._last.move_to_end(room_id)
        if len(self._last) > ROUNDS_MOST:
            self._last.popitem(last=False)
        heapq.heappush(self._rounds, (at, next(self._order), step))
        if len(self._rounds) > ROUNDS_MOST:
            heapq.heappop(self._rounds)
            self._metrics.pushed("dropped")
        self._wake.set()

    # -- who is owed one --------------------------------------------------------------

    async def run(self) -> None:
        while True:
            if not (self._rounds or self._later):
                self._wake.clear()
                await self._wake.wait()
            await self.tick()
            await asyncio.sleep(TICK_SECONDS)

    async def tick(self) -> None:
        """Does what is due by the clock."""
        now = self._clock.monotonic()
        while self._later and self._later[0][0] <= now:
            self._enqueue(heapq.heappop(self._later)[2])
        while self._rounds and self._rounds[0][0] <= now:
            step = heapq.heappop(self._rounds)[2]
            try:
                await self._ask(step)
            except Exception as error:
                if not is_worth_retrying(error):
                    raise
                heapq.heappush(self._rounds, (now + HOLD_SECONDS, next(self._order), step))
                log.warning("pushes wait for the database")
                return
        while self._last:  # a round long ago holds nobody back
            room_id, oldest = next(iter(self._last.items()))
            if oldest.at + APART_SECONDS > now:
                break
            del self._last[room_id]

    async def _ask(self, step: _Round) -> None:
        owed = await subscriptions.due(self._database, step.room_id, step.after, step.upto)
        asked_at, at = self._clock.monotonic(), self._clock.wall()
        found: dict[int, Notice | None] = {}
        for each in owed:
            if each.quiet.holds(at):
                continue
            notice = found.get(each.seq)
            if each.seq not in found or (notice is not None and notice.is_direct):
                notice = await notices.find(self._database, step.room_id, each.seq, each.user_id)
                found[each.seq] = notice
            if notice is not None:
                push = _Push(each.subscription, each.user_id, notice, each.unread, asked_at)
                self._enqueue(push)

    def _enqueue(self, push: _Push) -> None:
        """A newer one about the same room takes the place of an older one."""
        key = (push.subscription.id, push.notice.room_id)
        known = self._ready.get(key)
        if known is not None:
            if known.notice.seq < push.notice.seq:
                self._ready[key] = push
            return
        self._ready[key] = push
        if len(self._ready) > PUSHES_MOST:
            self._ready.popitem(last=False)
            self._metrics.pushed("dropped")
        else:
            self._work.release()

    # -- sending ------------------------------------------------------------------------

    async def send_forever(self) -> None:
        while True:
            await self._work.acquire()
            if self._ready:
                await self._send(self._ready.popitem(last=False)[1])

    async def _send(self, push: _Push) -> None:
        room_id, seq = push.notice.room_id, push.notice.seq
        try:
            if not self._is_fresh(push):
                notice = None
                if await subscriptions.is_due(self._database, push.subscription.id, room_id, seq):
                    notice = await notices.find(self._database, room_id, seq, push.user_id)
                if notice is None:
                    self._metrics.pushed("read meanwhile")
                    return
                push = replace(push, notice=notice)
            answer = await self._post(push.subscription, _payload(push), f"room-{room_id}")
            if 200 <= answer.status < 300:
                self._metrics.pushed("taken")
            elif answer.status in {404, 410}:
                self._metrics.pushed("gone")
                await subscriptions.drop(self._database, [push.subscription.id])
            elif answer.status == 429 or answer.status >= 500:
                await self._again(push, answer.retry_after)
            else:
                self._metrics.pushed("refused")
                log.warning("a push service refused", extra={"status": answer.status})
                await subscriptions.failed(self._database, push.subscription.id)
        except Failed:
            await self._again(push, None)
        except (Unsafe, ValueError):  # its host has other addresses now, or its keys are none
            self._metrics.pushed("refused")
            await subscriptions.drop(self._database, [push.subscription.id])
        except Exception as error:
            if not (isinstance(error, CommitUnknown) or is_worth_retrying(error)):
                raise
            log.warning("a push has no database")

    def _is_fresh(self, push: _Push) -> bool:
        """Whether what was asked is taken as it was."""
        age = self._clock.monotonic() - push.asked_at
        return age <= FRESH_SECONDS and push.asked_at > self._changed_at

    async def _again(self, push: _Push, retry_after: float | None) -> None:
        tries = push.tries + 1
        if tries >= TRIES:
            self._metrics.pushed("failed")
            await subscriptions.failed(self._database, push.subscription.id)
            return
        if len(self._later) >= PUSHES_MOST:
            self._metrics.pushed("dropped")
            return
        wait = min(max(RETRY_SECONDS * 4**push.tries, retry_after or 0), RETRY_MOST)
        due = self._clock.monotonic() + wait
        heapq.heappush(self._later, (due, next(self._order), replace(push, tries=tries)))
        self._wake.set()

    async def _post(self, subscription: Subscription, payload: bytes, topic: str) -> Answer:
        """Raises `Unsafe`, `Failed`, `ValueError`."""
        origin = self.outbound.target(subscription.endpoint).origin
        headers = {
            "Authorization": self._vapid.authorization(origin, self._subject),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(LIFE_SECONDS),
            "Urgency": "high",
            "Topic": topic,
        }
        body = encrypt(payload, subscription.p256dh, subscription.auth)
        return await self.outbound.post(subscription.endpoint, headers, body)

    async def test(self, subscription: Subscription, payload: dict[str, object]) -> int:
        """Sends one at once. Returns what the service answered, 0 when it did not."""
        try:
            encoded = msgspec.json.encode(payload)
            answer = await self._post(subscription, encoded, "test")
        except (Failed, Unsafe, ValueError):
            return 0
        if answer.status in {404, 410}:
            await subscriptions.drop(self._database, [subscription.id])
        return answer.status


def _payload(push: _Push) -> bytes:
    """What the browser shows. The service sees none of it."""
    notice = push.notice
    encoded = msgspec.json.encode(
        {
            "room": notice.room_id,
            "name": notice.room,
            "author": notice.author,
            "text": notice.text,
            "seq": notice.seq,
            "count": push.count,
            "url": notices.address(notice),
        }
    )
    return encoded if len(encoded) <= PAYLOAD_BYTES else b"{}"
