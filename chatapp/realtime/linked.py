"""Messages that may have a link, on their way to whoever looks what is behind it (`previews.py`)."""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from chatapp.domain.commands import Message

WAITING_MOST: Final = 100
EACH: Final = 10  # of one author: the others' come in turn


class Linked:
    """Owner of the queue. What comes when it is full gets no preview; nothing else is lost."""

    def __init__(self) -> None:
        self._waiting: deque[Message] = deque()
        self._by_author: Counter[int] = Counter()
        self._wake = asyncio.Event()

    def offer(self, messages: Sequence[Message]) -> None:
        for message in messages:
            who = message.author_id
            if len(self._waiting) < WAITING_MOST and self._by_author[who] < EACH:
                self._waiting.append(message)
                self._by_author[who] += 1
                self._wake.set()

    async def next(self) -> Message:
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        message = self._waiting.popleft()
        self._by_author[message.author_id] -= 1
        if not self._by_author[message.author_id]:
            del self._by_author[message.author_id]
        return message

    def count(self) -> int:
        return len(self._waiting)
