"""What several fault tests need besides `driver.py`: clients that can be watched closely, and the last look."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any, Self

from websockets.asyncio.client import ClientConnection

from tests.faults.driver import Client


@dataclass
class Observed(Client):
    """Counts how often it sent each post, and how often it was told to come again later. Like the browser, it sends
    again as soon as it has a new line what was not answered on the old one."""

    posts: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    told_to_wait: asyncio.Event = field(default_factory=asyncio.Event)
    told_at: float = 0.0  # for the first time
    _line: ClientConnection | None = None

    @classmethod
    def of(cls, client: Client) -> Self:
        return cls(**{each.name: getattr(client, each.name) for each in fields(Client)})

    @property
    def repeats(self) -> int:
        return self.posts.total() - len(self.posts)

    async def _watch(self) -> None:
        if self._line is not self._socket:
            self._line = self._socket
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_result({"type": "lost"})
        await super()._watch()

    async def _send(self, frame: dict[str, Any]) -> bool:
        sent = await super()._send(frame)
        if sent and frame["type"] == "post":
            self.posts[frame["key"]] += 1
        return sent

    async def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "busy":
            self.waits.append(frame["retry_after"])
            self.told_at = self.told_at or asyncio.get_running_loop().time()
            self.told_to_wait.set()
        await super()._take(frame)
