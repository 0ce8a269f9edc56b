"""A web server on loopback that answers what it is told to: each path, byte for byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes, kind: str = "text/html", status: int = 200, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def leads_to(url: str, status: int = 302) -> bytes:
    return answer(b"", status=status, Location=url)


@dataclass
class WebServer:
    """`asked`: the heads of all requests that came."""

    port: int = 0
    answers: dict[str, bytes | Serve] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [head.split(" ")[1] for head in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.asked.append(head)
            said = self.answers.get(head.split(" ")[1], answer(b"", status=404))
            if isinstance(said, bytes):
                writer.write(said)
                await writer.drain()
            else:
                await said(writer)
        except (OSError, EOFError):
            pass  # whoever asked has gone
        finally:
            writer.close()


@asynccontextmanager
async def web_server() -> AsyncIterator[WebServer]:
    web = WebServer()
    server = await asyncio.start_server(web._serve, "127.0.0.1", 0)
    web.port = server.sockets[0].getsockname()[1]
    async with server:
        yield web
