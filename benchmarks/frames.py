"""The client's half of RFC 6455 and of docs/protocol.md, as far as load needs it: bytes in, bytes out, no sockets.

A message is known by its number, eight digits that stand once in its body (`Zq00000042qZ`) and in its key, which is
the UUID 00000000-0000-4000-8000-000000000042. Numbers are never used twice, whatever the sender or the room.
"""

import re
from typing import Final

MARK: Final = re.compile(rb"Zq(\d{8})qZ")
KEY: Final = re.compile(rb'"key":"00000000-0000-4000-8000-0000(\d{8})"')
SPAN: Final = re.compile(rb'"from":(\d+),"seq":(\d+)')
EPOCH: Final = re.compile(rb'"epoch":"([^"]+)"')

BODY_BYTES: Final = 100  # of a message, its mark included
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
# Four equal bytes: masking is then the same everywhere in a frame, one `translate` of what changes.
MASK: Final = 0x5A
_MASKED: Final = bytes(byte ^ MASK for byte in range(256))
_FILLING: Final = (b" one of the many things people tell each other in rooms" * 2)[
    : BODY_BYTES - 12
]


def masked(opcode: int, payload: bytes) -> bytes:
    """A whole frame of a client."""
    return _head(opcode, len(payload)) + payload.translate(_MASKED)


def _head(opcode: int, size: int) -> bytes:
    length = bytes((0x80 | size,)) if size < 126 else bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + length + bytes((MASK,)) * 4


class Post:
    """The `post` frames of one room, masked up front but for the number."""

    def __init__(self, room_id: int) -> None:
        before = b'{"type":"post","room":%d,"key":"00000000-0000-4000-8000-0000' % room_id
        between, after = b'","body":"Zq', b"qZ" + _FILLING + b'"}'
        size = len(before) + 8 + len(between) + 8 + len(after)
        self._start = _head(TEXT, size) + before.translate(_MASKED)
        self._between = between.translate(_MASKED)
        self._after = after.translate(_MASKED)

    def frame(self, number: int) -> bytes:
        digits = (b"%08d" % number).translate(_MASKED)
        return b"".join((self._start, digits, self._between, digits, self._after))


def watch(room_id: int, epoch: bytes, seq: int) -> bytes:
    return masked(TEXT, b'{"type":"watch","room":%d,"cursor":"%s:%d"}' % (room_id, epoch, seq))


def handshake(port: int, cookie: str) -> bytes:
    """A request that the server takes for that of a page of its own."""
    return (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        f"Cookie: {cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def parts(data: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """The whole frames of a server at the beginning of `data`, as (opcode, payload), and where the rest begins."""
    found = []
    at, end = 0, len(data)
    while at + 2 <= end:
        size, body = data[at + 1], at + 2
        if size == 126:
            body += 2
            size = int.from_bytes(data[at + 2 : body], "big")
        elif size == 127:
            body += 8
            size = int.from_bytes(data[at + 2 : body], "big")
        # A length that is cut off reads as too small, but then `body` is past the end as well.
        if body + size > end or body > end:
            break
        found.append((data[at] & 15, data[body : body + size]))
        at = body + size
    return found, at
