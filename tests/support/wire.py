"""A network between a browser and a server that a test can cut and mend."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Wire:
    """Listens on a port of its own and passes everything on. `cut` ends all lines and takes no new ones."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._whole = True
        self._lines: set[asyncio.StreamWriter] = set()
        self.url = ""

    def cut(self) -> None:
        self._whole = False
        for line in list(self._lines):
            line.transport.abort()

    def mend(self) -> None:
        self._whole = True

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        async with asyncio.TaskGroup() as pumps:
            pumps.create_task(self._pump(reader, back))
            pumps.create_task(self._pump(there, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(writer)
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        self._lines.discard(writer)
        writer.close()


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[Wire]:
    between = Wire(port)
    server = await asyncio.start_server(between.take, "127.0.0.1", 0)
    between.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield between
    finally:
        between.cut()
        server.close()
        await asyncio.sleep(0)
