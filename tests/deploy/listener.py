"""Stands where a replica would, answers as it is told, and writes down what arrives there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"
BREAKS_OFF = b""


class Listener:
    def __init__(self, answer: bytes) -> None:
        self.url = ""
        self.heads: list[str] = []
        self._answer = answer

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self._answer)
        except asyncio.IncompleteReadError:
            pass  # whoever asked has left
        finally:
            writer.close()

    def values(self, name: str) -> list[str]:
        """What the last request said under a name."""
        lines = [line.partition(": ") for line in self.heads[-1].split("\r\n")]
        return [value for found, _, value in lines if found.lower() == name]


@asynccontextmanager
async def listening(answer: bytes = FINE) -> AsyncIterator[Listener]:
    listener = Listener(answer)
    server = await asyncio.start_server(listener.take, "127.0.0.1", 0)
    listener.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield listener
