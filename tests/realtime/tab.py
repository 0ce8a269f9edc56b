"""A browser tab without a browser: a connection whose frames are kept, and the screen they make."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

from chatapp.domain.users import User
from chatapp.realtime.asgi_line import AsgiLine
from chatapp.realtime.connection import Connection

Frame = dict[str, Any]

ROW = re.compile(r'\bid="m-(\d+)"')


def rows_in(frame: Frame) -> list[int]:
    """The numbers of the rows that a frame of changes brings."""
    return [int(number) for number in ROW.findall(frame.get("html", ""))]


class Screen:
    """What a reader sees of a room, and the number up to which it is whole."""

    def __init__(self, seq: int = 0) -> None:
        self.seq = seq
        self.rows: list[int] = []
        self.gaps: list[Frame] = []

    def apply(self, frame: Frame) -> None:
        """Numbers rise, what is known is dropped, and a gap is remembered as the fault it is."""
        if frame["seq"] <= self.seq:
            return
        if frame["from"] > self.seq:
            self.gaps.append(frame)
            return
        self.rows += [number for number in rows_in(frame) if number > self.seq]
        self.seq = frame["seq"]


class Tab:
    """`blocked` holds back the transport, as a browser does that reads too slowly."""

    def __init__(self, user: User, session_id: int = 0, expires_at: float = 1e12) -> None:
        self.user = user
        self.frames: list[Frame] = []
        self.code: int | None = None
        self.aborted = False
        self.blocked = asyncio.Event()
        self.blocked.set()
        self._news = asyncio.Event()
        self.line = AsgiLine(send=self._send, close=self._close, abort=self._abort)
        self.connection = Connection(
            user_id=user.id,
            session_id=session_id or user.id,
            expires_at=expires_at,
            line=self.line,
        )

    async def _send(self, text: str) -> None:
        await self.blocked.wait()
        self.frames.append(json.loads(text))
        self._news.set()

    async def _close(self, code: int) -> None:
        self.code = code
        self._news.set()

    def _abort(self) -> None:
        self.aborted = True

    async def until(self, true: Callable[[], Any], seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def frame(self, kind: str, count: int = 1) -> Frame:
        """The `count`-th frame of a kind, now or later."""
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    async def closed(self) -> int:
        await self.until(lambda: self.code is not None)
        assert self.code is not None
        return self.code

    def of(self, kind: str) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] == kind]

    def kinds(self) -> list[str]:
        return [frame["type"] for frame in self.frames]

    def screen(self, room_id: int, seq: int = 0) -> Screen:
        """What its frames amount to for somebody who had read up to `seq`."""
        screen = Screen(seq)
        for frame in self.of("changes"):
            if frame["room"] == room_id:
                screen.apply(frame)
        return screen

    async def shows(self, room_id: int, last: int, seq: int = 0) -> None:
        """Waits until everything after `seq` up to `last` is on the screen, once and in order."""
        await self.until(lambda: self.screen(room_id, seq).seq >= last)
        screen = self.screen(room_id, seq)
        assert screen.gaps == []
        assert screen.rows == list(range(seq + 1, last + 1))
