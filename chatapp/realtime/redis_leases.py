"""Leases in Redis: one sorted set, a member for each process, person and state, its score the time when it lapses.
Imported only where `REDIS_URL` is set.

One script in one trip each second puts what is new or due, takes out what has gone or lapsed, by Redis's own clock,
and returns all of them if any changed since this process last looked.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from chatapp.clock import Clock
from chatapp.realtime.leases import State

LEASE_SECONDS: Final = 55.0  # with the time to read and to show it, a crash has healed within 60
REFRESH_PART: Final = 0.36  # of a lease, after which it is put again: every 20 s
LAST_SECONDS: Final = 5.0  # that people of a process that ends are still believed to be there
SETTLE_SECONDS: Final = 4.0  # once Redis is back, until the others have said again whom they have
PUT_MOST: Final = 5_000  # in one trip; the rest a second later
SECONDS: Final = 1.0  # the longest wait for Redis

_KEYS: Final = ("{chatapp:presence}:leases", "{chatapp:presence}:version")
_STATES: Final[dict[str, State]] = {"h": "online", "a": "away"}
_SIGNS: Final = {state: sign for sign, state in _STATES.items()}

# ARGV: our mark, milliseconds, the version we know, how many to put, these, those to take out
_SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local changed = redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local fresh = redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
changed = changed + fresh
local last = 4 + ARGV[4]
for i = 5, last do changed = changed + redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[i]) end
for i = last + 1, #ARGV do changed = changed + redis.call('ZREM', KEYS[1], ARGV[i]) end
if changed > 0 then redis.call('SET', KEYS[2], time[1] .. '.' .. time[2] .. ARGV[1]) end
local version = redis.call('GET', KEYS[2]) or ''
if version == ARGV[3] then return {fresh, version, false} end
return {fresh, version, redis.call('ZRANGE', KEYS[1], 0, -1)}
"""

log = logging.getLogger(__name__)


class RedisLeases:
    """`exchange` MUST NOT be called again before it has come back. `name` is that of this process."""

    def __init__(self, url: str, name: str, clock: Clock, seconds: float | None = None) -> None:
        self._mark = name[:12]
        self._clock = clock
        self._lease = LEASE_SECONDS if seconds is None else seconds
        self._refresh = self._lease * REFRESH_PART
        self._redis = Redis.from_url(
            url,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._run = self._redis.register_script(_SCRIPT)
        self._put: dict[str, float] = {}  # our members, and when each is due to be put again
        self._version = ""
        self._others: dict[int, State] = {}
        self._is_away = False
        self._is_marked = False
        self._settled_at = 0.0

    async def exchange(self, mine: Mapping[int, State]) -> dict[int, State] | None:
        now = self._clock.monotonic()
        wanted = {f"{self._mark}:{user_id}:{_SIGNS[state]}" for user_id, state in mine.items()}
        due = now if not self._is_away else float("inf")  # nobody knows what is left of them
        put = [name for name in wanted if self._put.get(name, 0.0) <= due][:PUT_MOST]
        gone = [name for name in self._put if name not in wanted][:PUT_MOST]
        try:
            if await self._trip(put, gone, self._lease):
                put = list(wanted)[:PUT_MOST]
                await self._trip(put, [], self._lease)
        except (RedisError, OSError, TimeoutError):
            if not self._is_away:
                log.warning("redis holds no leases; nobody can tell who is here")
            self._is_away = True
            return None
        for name in gone:
            self._put.pop(name, None)
        for place, name in enumerate(put):
            # spread, so that a whole crowd that came together is not put again together
            self._put[name] = now + self._refresh * (1 - place / len(put) / 2)
        if self._is_away:
            self._is_away = False
            self._settled_at = now + SETTLE_SECONDS
        if now < self._settled_at:
            return None
        return _merged(self._others, mine)

    async def _trip(self, put: list[str], gone: list[str], seconds: float) -> bool:
        """Whether it has forgotten what we had put: it was started anew, or we stood still. So may what others had."""
        milliseconds = int(seconds * 1000)
        fresh, version, members = await self._run(
            keys=_KEYS,
            args=[self._mark, milliseconds, self._version, len(put), *put, *gone],
        )
        self._version = version.decode()
        if members is not None:
            self._others = self._read(members)
        is_lost = bool(fresh) and self._is_marked
        if is_lost:
            self._put.clear()
            self._is_away = True
        self._is_marked = True
        return is_lost

    def _read(self, members: Iterable[Any]) -> dict[int, State]:
        """Those of other processes. Whatever makes no sense is skipped."""
        found: dict[int, State] = {}
        for member in members:
            mark, _, rest = bytes(member).decode("ascii", "replace").partition(":")
            number, _, sign = rest.partition(":")
            if mark != self._mark and number.isdigit() and sign in _STATES:
                user_id = int(number)
                if found.get(user_id) != "online":
                    found[user_id] = _STATES[sign]
        return found

    async def close(self) -> None:
        try:
            await self._trip(list(self._put), [], LAST_SECONDS)
        except (RedisError, OSError, TimeoutError):
            log.warning("redis was away at the end; our leases lapse by themselves")
        await self._redis.aclose()


def _merged(others: Mapping[int, State], mine: Mapping[int, State]) -> dict[int, State]:
    found = dict(others)
    for user_id, state in mine.items():
        if found.get(user_id) != "online":
            found[user_id] = state
    return found
