"""A line to PostgreSQL that can be cut at the worst moment: when a COMMIT is under way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

Cut = Literal["before", "after", "held", "none"]

COMMIT = b"COMMIT;"


class Line:
    """`cut` says what happens to the next COMMIT: it never arrives ('before'), it is carried out and nobody is
    told ('after'), it is carried out and the answer waits for `released` ('held'). After `times` such
    COMMITs the line is whole again. `is_down`: nobody gets through."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self.url = ""
        self.cut: Cut = "none"
        self.times = 1
        self.is_down = False
        self.commits = asyncio.Event()  # one has been seen
        self.released = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()

    def arm(self, cut: Cut, times: int = 1) -> None:
        self.cut, self.times = cut, times
        self.commits.clear()

    def drop_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    def served_at(self, port: int) -> None:
        place = f"{self._target.username}@127.0.0.1:{port}"
        self.url = urlunsplit(self._target._replace(netloc=place))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        assert self._target.port is not None
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target.port)
        self._open |= {writer, far_writer}
        answers = asyncio.ensure_future(self._answers(far_reader, writer))
        try:
            while data := await reader.read(65536):
                if COMMIT in data and self.cut != "none":
                    cut = self.cut
                    self.times -= 1
                    self.cut = self.cut if self.times else "none"
                    self.commits.set()
                    if cut == "before":
                        return
                    answers.cancel()
                    await asyncio.wait({answers})  # two may not read one stream
                    far_writer.write(data)
                    answer = await far_reader.read(65536)
                    if cut == "after":
                        return
                    await self.released.wait()
                    writer.write(answer)
                    answers = asyncio.ensure_future(self._answers(far_reader, writer))
                    continue
                far_writer.write(data)
                await far_writer.drain()
        except OSError:
            pass
        finally:
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)
            for end in (writer, far_writer):
                self._open.discard(end)
                end.transport.abort()

    async def _answers(self, far: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await far.read(65536):
                near.write(data)
                await near.drain()
            near.close()


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    """`line.url` leads to the database at `url`."""
    line = Line(url)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.served_at(server.sockets[0].getsockname()[1])
    try:
        yield line
    finally:
        server.close()
        line.released.set()
        line.drop_all()
        await asyncio.sleep(0)
        await server.wait_closed()
