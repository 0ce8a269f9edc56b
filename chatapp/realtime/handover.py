"""Taking a WebSocket's transport from uvicorn once the handshake is done. The one file that knows its inside.

uvicorn keeps for each socket a protocol object, a parser, a queue and a task: 24 KB and two task switches a frame. A
`DirectLine` in their place needs 4 KB and none. What it takes: no extension may have been agreed on, nothing may be
under way in the old protocol, its keepalive is stopped, the new one takes its place among the server's connections
(for `shutdown`), and the old one is left with a transport whose `close` does nothing, which it calls when the
endpoint returns.

Where any of this cannot be had (another server, another version, another protocol class), `take_over` says None and
the socket goes on through ASGI.
"""

import asyncio
from typing import Any, Final

import uvicorn
from starlette.types import Send

from chatapp.realtime.direct_line import DirectLine, Taker

KNOWN: Final = ("0.53.", "0.54.")  # versions whose inside this was written and tested for
_PROTOCOL: Final = "WebSocketsSansIOProtocol"


class _Nothing(asyncio.Transport):
    """What the old protocol is left with."""

    def close(self) -> None:
        return

    def is_closing(self) -> bool:
        return True


_NOTHING: Final = _Nothing()


def is_known() -> bool:
    return uvicorn.__version__.startswith(KNOWN)


def transport_of(send: Send) -> Any:
    """The transport under a socket, None where the server does not show it."""
    return getattr(getattr(send, "__self__", None), "transport", None)


def refuse_extensions(send: Send) -> None:
    """Before the handshake is answered: compression costs half the speed and 34 KB a socket, and we do not speak it."""
    protocol = _protocol(send)
    if protocol is not None:
        protocol.response.headers.pop("Sec-WebSocket-Extensions", None)
        protocol.conn.extensions = []


def take_over(send: Send, most: int, taker: Taker) -> DirectLine | None:
    """The line of an accepted socket. MUST run in the same step as the handshake's answer. `most`: bytes a message."""
    protocol = _protocol(send)
    if protocol is None or not _is_idle(protocol):
        return None
    transport = protocol.transport
    protocol.stop_keepalive()
    line = DirectLine(transport, protocol.connections, most, taker)
    transport.set_protocol(line)
    protocol.connections.discard(protocol)
    protocol.connections.add(line)
    protocol.transport = _NOTHING
    return line


def _protocol(send: Send) -> Any:
    protocol = getattr(send, "__self__", None)
    return protocol if type(protocol).__name__ == _PROTOCOL and is_known() else None


def _is_idle(protocol: Any) -> bool:
    """Whether nothing of this socket is in the old protocol's hands."""
    return (
        protocol.handshake_complete
        and not protocol.close_sent
        and not protocol.disconnected
        and not protocol.transport.is_closing()
        and not protocol.read_paused
        and not protocol.conn.extensions
        and not protocol.conn.reader.buffer
        and protocol.queue.empty()
        and protocol.writable.is_set()
    )
