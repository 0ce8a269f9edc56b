"""Hints over Redis pub/sub. Imported only where `REDIS_URL` is set."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from chatapp.realtime.backplane import PEOPLE, Hint, Receive, channel_of, room_channel

# Hints not yet sent; the oldest are dropped, the comparison makes up for them.
WAITING_MOST: Final = 10_000
TOGETHER_MOST: Final = 500  # hints or channels in one trip to Redis
SECONDS: Final = 1.0  # the longest wait for Redis, and between two tries
SILENCE_SECONDS: Final = 5.0  # then a line to Redis is asked whether it lives
FOLLOW_SECONDS: Final = 0.1  # between two changes of what we listen to

log = logging.getLogger(__name__)


class RedisBackplane:
    """Both tasks are kept by the supervisor: a lost line starts them again."""

    def __init__(self, url: str, sender: str) -> None:
        self._sender = sender
        self._waiting: deque[Hint] = deque(maxlen=WAITING_MOST)
        self._wake = asyncio.Event()
        self._wanted: set[str] = {PEOPLE}
        self._wants_changed = asyncio.Event()
        self._unconfirmed = 0
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(Hint).decode
        self._publisher = Redis.from_url(
            url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS
        )
        # A subscriber may wait for ever: redis-py's default would end it after 5 s of silence.
        self._subscriber = Redis.from_url(url, socket_timeout=None, socket_connect_timeout=SECONDS)
        self._connected = False

    def publish(self, hint: Hint) -> None:
        self._waiting.append(msgspec.structs.replace(hint, sender=self._sender))
        self._wake.set()

    def follow(self, room_id: int, *, wanted: bool) -> None:
        if wanted:
            self._wanted.add(room_channel(room_id))
        else:
            self._wanted.discard(room_channel(room_id))
        self._wants_changed.set()

    def is_connected(self) -> bool | None:
        return self._connected

    # -- out ----------------------------------------------------------------------

    async def send_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                try:
                    await self._send_some()
                except (RedisError, OSError, TimeoutError):
                    log.warning("redis takes no hints; processes compare by themselves")
                    await asyncio.sleep(SECONDS)

    async def _send_some(self) -> None:
        async with self._publisher.pipeline(transaction=False) as trip:
            for _ in range(min(len(self._waiting), TOGETHER_MOST)):
                hint = self._waiting.popleft()
                trip.publish(channel_of(hint), self._encode(hint))
            await trip.execute()

    # -- in -----------------------------------------------------------------------

    async def receive_forever(self, receive: Receive, on_connect: Callable[[], None]) -> None:
        """`on_connect` runs whenever we have begun to listen to something: hints may have been lost before."""
        while True:
            try:
                async with self._subscriber.pubsub() as line:
                    self._unconfirmed = 1
                    await line.subscribe(PEOPLE)
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(self._follow(line))
                        await self._read(line, receive, on_connect)
            except* (RedisError, OSError, TimeoutError):
                self._connected = False
                log.warning("redis is away; processes compare by themselves")
            await asyncio.sleep(SECONDS)

    async def _follow(self, line: PubSub) -> None:
        """Listens to what is wanted, and to nothing else."""
        listening = {PEOPLE}
        while True:
            self._wants_changed.clear()
            more, less = self._wanted - listening, listening - self._wanted
            self._unconfirmed += len(more)
            for some in _portions(more):
                await line.subscribe(*some)
            for some in _portions(less):
                await line.unsubscribe(*some)
            listening = (listening | more) - less
            await asyncio.sleep(FOLLOW_SECONDS)
            await self._wants_changed.wait()

    async def _read(self, line: PubSub, receive: Receive, on_connect: Callable[[], None]) -> None:
        while True:
            event = await self._next(line)
            if event["type"] == "subscribe":
                self._unconfirmed -= 1
                if self._unconfirmed <= 0:
                    self._connected = True
                    on_connect()
            elif event["type"] == "message":
                self._take(event["data"], receive)

    async def _next(self, line: PubSub) -> dict[str, Any]:
        """The next event. A line may die without a word: after a silence it is asked, and given up if silent."""
        event: dict[str, Any] | None = await line.get_message(timeout=SILENCE_SECONDS)
        if event is None:
            await line.ping()
            event = await line.get_message(timeout=SILENCE_SECONDS)
        if event is None:
            raise TimeoutError
        return event

    def _take(self, data: bytes, receive: Receive) -> None:
        try:
            hint = self._decode(data)
        except msgspec.DecodeError:
            log.warning("a hint made no sense")
            return
        if hint.sender != self._sender:
            receive(hint)

    async def close(self) -> None:
        await self._publisher.aclose()
        await self._subscriber.aclose()


def _portions(channels: set[str]) -> list[list[str]]:
    """Not too many for one trip."""
    every = list(channels)
    return [every[start : start + TOGETHER_MOST] for start in range(0, len(every), TOGETHER_MOST)]
