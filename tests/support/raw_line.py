"""A socket by hand, for clients that behave as no library would: they read nothing, or a byte now and then, or never
answer."""

import asyncio
import json
import socket
from typing import Any

HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class RawLine:
    """`cookie` as in the header. Its window is small, so that little is under way when nobody reads."""

    def __init__(self, url: str, cookie: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)
        self._host = url.removeprefix("http://")
        self._handshake = HANDSHAKE.format(host=self._host, cookie=cookie).encode()

    async def connect(self, share: float = 1.0) -> None:
        """Sends that share of the handshake; when it is all of it, waits for the answer and reads no further."""
        loop = asyncio.get_running_loop()
        host, port = self._host.split(":")
        await loop.sock_connect(self.socket, (host, int(port)))
        await self.send_bytes(self._handshake[: int(share * len(self._handshake))])
        answer = b""
        while share == 1.0 and not answer.endswith(b"\r\n\r\n"):
            answer += await loop.sock_recv(self.socket, 1)
        assert share < 1.0 or answer.startswith(b"HTTP/1.1 101 "), answer

    async def send(self, **frame: Any) -> None:
        """One text frame of up to 125 bytes."""
        data = json.dumps(frame).encode()
        assert len(data) < 126
        await self.send_bytes(bytes([0x81, 0x80 | len(data)]) + b"\0\0\0\0" + data)

    async def send_bytes(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def reads_slowly(self, pause: float = 0.05) -> None:
        """A byte at a time, until the other side has ended it."""
        while await self._read(1):
            await asyncio.sleep(pause)

    async def is_ended(self) -> None:
        """Reads, and answers nothing, until the other side has ended it."""
        while await self._read(65536):
            pass

    async def _read(self, most: int) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(self.socket, most)
        except ConnectionResetError:
            return b""

    def was_cut(self) -> bool:
        """Whether the other side has given up: then writing to it fails sooner or later."""
        try:
            self.socket.send(b"\x8a\x80\0\0\0\0")  # an empty pong
        except (BrokenPipeError, ConnectionResetError):
            return True
        except BlockingIOError:
            return False
        return False

    def close(self) -> None:
        self.socket.close()
