"""A network that swallows: lines stay open, what is sent into them never arrives, and nobody is told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Swamp:
    """Listens on a port of its own and passes everything on. After `swallow` nothing gets through, neither over the
    lines that are there nor over new ones, which are accepted and never answered. After `clear` new lines work; those
    from before stay dead for ever, as when a router has forgotten them.

    `eats`: the next answer that holds these bytes is lost, and its line cut.
    `given_up_here` and `given_up_there` count dead lines that the near or the far end has closed by itself.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._swallows = False
        self._dead: set[asyncio.StreamWriter] = set()
        self._alive: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self.url = ""
        self.port = 0
        self.eats = b""
        self.given_up_here = 0
        self.given_up_there = 0

    def swallow(self) -> None:
        self._swallows = True
        for near, far in self._alive.items():
            self._dead |= {near, far}
        self._alive.clear()

    def clear(self) -> None:
        self._swallows = False

    async def until_given_up(self, *, here: int = 0, there: int = 0, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while self.given_up_here < here or self.given_up_there < there:
                self._changed.clear()
                await self._changed.wait()

    async def take(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far: asyncio.StreamWriter | None = None
        try:
            if self._swallows:
                with contextlib.suppress(OSError):
                    while await reader.read(65536):
                        pass
                self._given_up(here=True)
                return
            there, far = await asyncio.open_connection("127.0.0.1", self._to)
            self._alive[near] = far
            await asyncio.gather(
                self._pump(reader, far, near, here=True), self._pump(there, near, near, here=False)
            )
        except (OSError, asyncio.CancelledError):
            pass  # `end` is who cancels; asyncio's streams would report a cancelled task as a fault
        finally:
            self._tasks.discard(task)
            for end in (near, far):
                if end is not None:
                    end.transport.abort()

    async def _pump(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        near: asyncio.StreamWriter,
        *,
        here: bool,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if near in self._dead:
                    continue
                if not here and self.eats and self.eats in data:
                    self.eats = b""
                    near.transport.abort()
                    break
                target.write(data)
                await target.drain()
        if near in self._dead:
            self._given_up(here=here)
            return  # the other end must not learn of it
        self._alive.pop(near, None)
        target.close()

    def _given_up(self, *, here: bool) -> None:
        if here:
            self.given_up_here += 1
        else:
            self.given_up_there += 1
        self._changed.set()

    async def end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


@asynccontextmanager
async def swamp(port: int) -> AsyncIterator[Swamp]:
    between = Swamp(port)
    server = await asyncio.start_server(between.take, "127.0.0.1", 0)
    between.port = server.sockets[0].getsockname()[1]
    between.url = f"http://127.0.0.1:{between.port}"
    try:
        yield between
    finally:
        server.close()
        await between.end()
