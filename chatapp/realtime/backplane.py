"""The bus between processes. The one door to `redis`.

Only hints travel: which room has a new number, who left, whose session ended. Whatever a hint says about content is
read from the database, so a hostile or stale Redis can put no words into a room. A lost hint is made good by the
comparison that every process does once a second (`catchup.py`).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Literal, Protocol

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

CHANNEL: Final = "chatapp:hints"
WAITING_MOST: Final = (
    10_000  # hints not yet sent; the oldest are dropped, the comparison makes up for them
)
SECONDS: Final = 1.0  # the longest wait for Redis
SILENCE_SECONDS: Final = 5.0  # then a line to Redis is asked whether it lives

log = logging.getLogger(__name__)


class Hint(msgspec.Struct, frozen=True, omit_defaults=True, tag=False):
    """`kind` says which of the fields matter."""

    kind: Literal["room", "depart", "sidebar", "session", "user"]
    room_id: int = 0
    seq: int = 0
    user_id: int | None = None
    session_id: int = 0
    reason: str = ""
    sender: str = ""


Receive = Callable[[Hint], None]


class Backplane(Protocol):
    """What the rest of the code asks of a bus. `publish` never waits."""

    def publish(self, hint: Hint) -> None: ...

    def is_connected(self) -> bool | None:
        """Whether hints of others arrive just now; None where there are no others."""


class MemoryBackplane:
    """For a single process: there is nobody else to tell."""

    def publish(self, hint: Hint) -> None:
        return

    def is_connected(self) -> bool | None:
        return None


class RedisBackplane:
    """Hints over Redis pub/sub. Both tasks are kept by the supervisor: a lost line starts them again."""

    def __init__(self, url: str, sender: str) -> None:
        self._sender = sender
        self._waiting: deque[Hint] = deque(maxlen=WAITING_MOST)
        self._wake = asyncio.Event()
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

    def is_connected(self) -> bool | None:
        return self._connected

    async def send_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                hint = self._waiting.popleft()
                try:
                    await self._publisher.publish(CHANNEL, self._encode(hint))
                except (RedisError, OSError, TimeoutError):
                    log.warning("redis takes no hints; processes compare by themselves")
                    await asyncio.sleep(SECONDS)

    async def receive_forever(self, receive: Receive, on_connect: Callable[[], None]) -> None:
        """`on_connect` runs after every (re)subscription: hints may have been lost before it."""
        while True:
            try:
                async with self._subscriber.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    while True:
                        event = await self._next(channel)
                        if event["type"] == "subscribe":
                            self._connected = True
                            on_connect()
                        elif event["type"] == "message":
                            self._take(event["data"], receive)
            except (RedisError, OSError, TimeoutError):
                self._connected = False
                log.warning("redis is away; processes compare by themselves")
                await asyncio.sleep(SECONDS)

    async def _next(self, channel: PubSub) -> dict[str, Any]:
        """The next event. A line may die without a word: after a silence it is asked, and given up if silent."""
        event: dict[str, Any] | None = await channel.get_message(timeout=SILENCE_SECONDS)
        if event is None:
            await channel.ping()
            event = await channel.get_message(timeout=SILENCE_SECONDS)
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
