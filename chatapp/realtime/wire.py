"""WebSocket frames as RFC 6455 has them, the server's side: what is sent, and a strict reader of what clients send.

No I/O here. Sections 5.2 to 5.5, 7.4 and 8.1 of the standard say what is checked; extensions are not spoken, so the
reserved bits must be zero.
"""

from typing import Final, Protocol

try:
    from websockets.speedups import apply_mask
except ImportError:  # no wheel for this machine: the same in Python
    from websockets.utils import apply_mask

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

CLOSE_PROTOCOL_ERROR: Final = 1002
CLOSE_NO_CODE: Final = 1005  # never on the wire: the other side gave none
CLOSE_LOST: Final = 1006  # never on the wire: there was no close frame
CLOSE_INVALID_TEXT: Final = 1007
CLOSE_TOO_LARGE: Final = 1009

_CONTINUATION: Final = 0x0
_CONTROL: Final = frozenset({CLOSE, PING, PONG})
_CONTROL_BYTES: Final = 125
_CLOSE_CODES: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


class Violation(Exception):
    """The other side broke the standard or a limit. `code`: what to close with."""

    def __init__(self, code: int, what: str) -> None:
        super().__init__(what)
        self.code = code


class Listener(Protocol):
    """Who is told what came, in order."""

    def text_came(self, text: str) -> None: ...

    def binary_came(self) -> None: ...

    def ping_came(self, payload: bytes) -> None: ...

    def close_came(self, code: int) -> None: ...


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, size))
    elif size < 0x10000:
        head = bytes((0x80 | opcode, 126)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, 127)) + size.to_bytes(8)
    return head + payload


def text_frame(payload: bytes) -> bytes:
    """A whole message of text; `payload` is UTF-8. The same bytes may be sent to everybody."""
    return _frame(TEXT, payload)


def payload_of(frame: bytes) -> bytes:
    """What `text_frame` was given."""
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]


def close_frame(code: int) -> bytes:
    """Without a code when the other side gave none."""
    return _frame(CLOSE, b"" if code == CLOSE_NO_CODE else code.to_bytes(2))


def ping_frame() -> bytes:
    return _frame(PING, b"")


def pong_frame(payload: bytes) -> bytes:
    return _frame(PONG, payload)


class Reader:
    """Reads the frames of one client.

    MUSTs
    1. Whatever the bytes, and wherever they are cut, it tells the listener what came, or raises `Violation`.
    2. What came before a violation is told before it is raised.
    3. It holds at most one message of `most` bytes and one frame of as many.
    4. After a close frame nothing more is told.
    """

    __slots__ = ("_buffer", "_closed", "_most", "_need", "_opcode", "_parts")

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer: bytearray | None = None  # the beginning of a frame
        self._need = 0  # bytes of it without which there is nothing to do
        self._opcode = 0  # of the message whose fragments are coming
        self._parts: bytearray | None = None
        self._closed = False

    def feed(self, data: bytes, listener: Listener) -> None:
        if self._buffer is not None:
            self._buffer += data
            if len(self._buffer) < self._need:
                return
            data = bytes(self._buffer)
            self._buffer = None
        at, end = 0, len(data)
        while at < end and not self._closed:
            start, stop = self._measure(data, at, end)
            if stop > end:
                self._buffer = bytearray(data[at:])
                self._need = stop - at
                return
            payload = apply_mask(data[start:stop], data[start - 4 : start])
            self._take(data[at], payload, listener)
            at = stop

    def _measure(self, data: bytes, at: int, end: int) -> tuple[int, int]:
        """Where the payload of the frame at `at` begins and ends. An end beyond `end`: so much is needed first."""
        if end - at < 2:
            return 0, at + 2
        first, second = data[at], data[at + 1]
        self._check(first, second)
        size = second & 0x7F
        if size < 126:
            start = at + 6
        else:
            width = 2 if size == 126 else 8
            start = at + 2 + width + 4
            if end < start:
                return 0, start
            size = int.from_bytes(data[at + 2 : at + 2 + width])
            if size < (126 if width == 2 else 0x10000) or size >> 63:
                raise Violation(CLOSE_PROTOCOL_ERROR, "a length out of its range")
        waiting = 0 if self._parts is None or first & 0x08 else len(self._parts)
        if size + waiting > self._most:
            raise Violation(CLOSE_TOO_LARGE, "a message over the limit")
        return start, start + size

    def _check(self, first: int, second: int) -> None:
        """The two bytes that every frame begins with."""
        opcode = first & 0x0F
        if first & 0x70:
            raise Violation(CLOSE_PROTOCOL_ERROR, "a reserved bit")
        if not second & 0x80:
            raise Violation(CLOSE_PROTOCOL_ERROR, "a frame without a mask")
        if opcode in _CONTROL:
            if not first & 0x80:
                raise Violation(CLOSE_PROTOCOL_ERROR, "a control frame in fragments")
            if second & 0x7F > _CONTROL_BYTES:
                raise Violation(CLOSE_PROTOCOL_ERROR, "a long control frame")
        elif opcode > BINARY:
            raise Violation(CLOSE_PROTOCOL_ERROR, "an unknown kind of frame")
        elif (opcode == _CONTINUATION) != (self._parts is not None):
            raise Violation(CLOSE_PROTOCOL_ERROR, "fragments out of order")

    def _take(self, first: int, payload: bytes, listener: Listener) -> None:
        opcode = first & 0x0F
        if opcode in _CONTROL:
            if opcode == PING:
                listener.ping_came(payload)
            elif opcode == CLOSE:
                code = _close_code(payload)
                self._closed = True
                listener.close_came(code)
            return
        is_last = first & 0x80
        if self._parts is not None:
            self._parts += payload
            if not is_last:
                return
            opcode, payload, self._parts = self._opcode, bytes(self._parts), None
        elif not is_last:
            self._opcode, self._parts = opcode, bytearray(payload)
            return
        if opcode == BINARY:
            listener.binary_came()
            return
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            raise Violation(CLOSE_INVALID_TEXT, "text that is not UTF-8") from None
        listener.text_came(text)


def _close_code(payload: bytes) -> int:
    """Why the other side closes."""
    if not payload:
        return CLOSE_NO_CODE
    code = int.from_bytes(payload[:2])
    if len(payload) == 1 or code not in _CLOSE_CODES:
        raise Violation(CLOSE_PROTOCOL_ERROR, "a close code that may not be sent")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise Violation(CLOSE_INVALID_TEXT, "a close reason that is not UTF-8") from None
    return code
