"""Tails of rooms in Redis, for processes that have not seen a room yet: after a deploy, everybody opens everything.

Nothing is believed. What is kept is signed with the site's key, together with its epoch, room and number; whoever asks
says the number that the database has now. So a stale or hostile Redis can only make us read from the database.
"""

import base64
import logging
import time
import zlib
from collections.abc import Sequence
from typing import Final

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from chatapp.domain.commands import Message
from chatapp.security import Seal

SECONDS: Final = 0.05  # the longest wait for Redis: reading the database takes about as long
PAUSE_SECONDS: Final = 5.0  # after a failure nobody asks
MOST_BYTES: Final = 128 * 1024  # of rows; packing more would hold the event loop up
KEPT_SECONDS: Final = 3600

log = logging.getLogger(__name__)


class _Tail(msgspec.Struct, frozen=True, array_like=True):
    epoch: str
    room_id: int
    seq: int
    rows: list[Message]


class SharedTails:
    """`rows` as `messages.latest` reads them, at a room's number `seq`."""

    def __init__(self, url: str, keys: tuple[str, ...], epoch: str) -> None:
        self._seal = Seal(keys, "tail with previews", KEPT_SECONDS)
        self._epoch = epoch
        self._redis = Redis.from_url(
            url,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._not_before = 0.0

    async def find(self, room_id: int, seq: int) -> list[Message] | None:
        """None when it is not there, not as of this number, not ours, or Redis does not answer."""
        if time.monotonic() < self._not_before:
            return None
        try:
            kept = await self._redis.get(_key(room_id))
        except (RedisError, OSError, TimeoutError):
            self._rest()
            return None
        tail = self._opened(kept) if isinstance(kept, bytes) else None
        if tail is None or (tail.epoch, tail.room_id, tail.seq) != (self._epoch, room_id, seq):
            return None
        return tail.rows

    async def keep(self, room_id: int, seq: int, rows: Sequence[Message]) -> None:
        """Does nothing when Redis does not answer, or when it is too much."""
        packed = msgspec.msgpack.encode(_Tail(self._epoch, room_id, seq, list(rows)))
        if len(packed) > MOST_BYTES or time.monotonic() < self._not_before:
            return
        sealed = self._seal.seal(base64.b64encode(zlib.compress(packed, 1)).decode())
        try:
            await self._redis.set(_key(room_id), sealed, ex=KEPT_SECONDS)
        except (RedisError, OSError, TimeoutError):
            self._rest()

    async def forget(self, room_id: int) -> None:
        """What was deleted from a room goes from here too. What Redis keeps while it does not answer ends by itself."""
        try:
            await self._redis.delete(_key(room_id))
        except (RedisError, OSError, TimeoutError):
            self._rest()

    def _opened(self, kept: bytes) -> _Tail | None:
        try:
            inside = self._seal.open(kept.decode("ascii"))
            if inside is None:
                return None
            packed = zlib.decompress(base64.b64decode(inside))
            return msgspec.msgpack.decode(packed, type=_Tail)
        except (ValueError, zlib.error):  # another version of ours wrote it
            return None

    def _rest(self) -> None:
        self._not_before = time.monotonic() + PAUSE_SECONDS
        log.warning("redis keeps no tails just now; rooms are read from the database")

    async def close(self) -> None:
        await self._redis.aclose()


def _key(room_id: int) -> str:
    return f"chatapp:tail:{room_id}"
