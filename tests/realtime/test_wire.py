"""The WebSocket frames of RFC 6455: every rule of its sections 5 and 7.4 that binds a client."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from chatapp.realtime import wire
from chatapp.realtime.wire import Reader, Violation

MOST = 70_000
MASK = b"\x9a\x01\xff\x37"


class Heard:
    """A listener that writes down what it is told."""

    def __init__(self):
        self.all = []

    def text_came(self, text):
        self.all.append(("text", text))

    def binary_came(self):
        self.all.append(("binary",))

    def ping_came(self, payload):
        self.all.append(("ping", payload))

    def close_came(self, code):
        self.all.append(("close", code))


def frame(opcode, payload=b"", *, fin=True, rsv=0, masked=True, mask=MASK):
    """A frame as a client sends it, by our own hand, so that wrong ones can be made as well."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size = len(payload)
    head = bytes((first, (0x80 if masked else 0) | min(size, 126 if size < 0x10000 else 127)))
    if size >= 0x10000:
        head += size.to_bytes(8)
    elif size >= 126:
        head = bytes((first, (0x80 if masked else 0) | 126)) + size.to_bytes(2)
    if not masked:
        return head + payload
    return head + mask + bytes(each ^ mask[n % 4] for n, each in enumerate(payload))


def read(data, most=MOST):
    """What a reader tells of some bytes, and the close code if they break a rule."""
    heard, code = Heard(), None
    try:
        Reader(most).feed(data, heard)
    except Violation as violation:
        code = violation.code
    return heard.all, code


# -- what is right ------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536])
def test_text_of_any_size_comes_through(size):
    assert read(frame(wire.TEXT, b"a" * size)) == ([("text", "a" * size)], None)


def test_several_frames_in_one_piece_come_through_in_order():
    data = frame(wire.TEXT, b"one") + frame(wire.PING, b"?") + frame(wire.TEXT, b"two")
    assert read(data) == ([("text", "one"), ("ping", b"?"), ("text", "two")], None)


def test_fragments_are_one_message_and_control_frames_may_stand_between():
    data = (
        frame(wire.TEXT, "grüß".encode()[:3], fin=False)  # in the middle of a letter
        + frame(wire.PING, b"still there?")
        + frame(0, b"", fin=False)
        + frame(0, "grüß".encode()[3:])
        + frame(wire.TEXT, b"next")
    )
    assert read(data) == ([("ping", b"still there?"), ("text", "grüß"), ("text", "next")], None)


def test_binary_and_pongs_are_known():
    data = frame(wire.PONG, b"x") + frame(wire.BINARY, b"\xff") + frame(wire.PING)
    assert read(data) == ([("binary",), ("ping", b"")], None)


@pytest.mark.parametrize(
    ("payload", "code"),
    [(b"", 1005)]
    + [(code.to_bytes(2) + b"bye", code) for code in (1000, 1001, 1003, 1007, 1014, 3000, 4999)],
)
def test_a_close_frame_says_why(payload, code):
    assert read(frame(wire.CLOSE, payload)) == ([("close", code)], None)


def test_after_a_close_frame_nothing_is_heard():
    data = frame(wire.CLOSE) + frame(wire.TEXT, b"too late") + b"\xff\xff\xff"
    assert read(data) == ([("close", 1005)], None)


# -- what is wrong ------------------------------------------------------------------

WRONG = {
    "reserved bit 1": (frame(wire.TEXT, b"x", rsv=4), 1002),
    "reserved bit 2": (frame(wire.TEXT, b"x", rsv=2), 1002),
    "reserved bit 3": (frame(wire.PING, b"x", rsv=1), 1002),
    "no mask": (frame(wire.TEXT, b"x", masked=False), 1002),
    **{
        f"opcode {code:x}": (frame(code, b"x"), 1002)
        for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    "a ping in fragments": (frame(wire.PING, b"x", fin=False), 1002),
    "a long ping": (frame(wire.PING, b"x" * 126), 1002),
    "a long close": (frame(wire.CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
    "a fragment of nothing": (frame(0, b"x"), 1002),
    "a message within a message": (
        frame(wire.TEXT, b"x", fin=False) + frame(wire.TEXT, b"y"),
        1002,
    ),
    "a length in two bytes that fits into one": (b"\x81\xfe\x00\x7d" + MASK, 1002),
    "a length in eight bytes that fits into two": (b"\x81\xff" + (65_535).to_bytes(8) + MASK, 1002),
    "a length of 2**63": (b"\x81\xff\x80" + bytes(7) + MASK, 1002),
    "a large frame": (frame(wire.TEXT, b"x" * (MOST + 1)), 1009),
    "a large frame of which only the head has come": (
        b"\x81\xff" + (MOST + 1).to_bytes(8) + MASK,
        1009,
    ),
    "fragments that are large together": (
        frame(wire.TEXT, b"x" * MOST, fin=False) + frame(0, b"x"),
        1009,
    ),
    "half a letter": (frame(wire.TEXT, "ü".encode()[:1]), 1007),
    "half a letter in fragments": (
        frame(wire.TEXT, b"gr\xc3", fin=False) + frame(0, b"x"),
        1007,
    ),
    "a surrogate": (frame(wire.TEXT, b"\xed\xa0\x80"), 1007),
    "a letter written too long": (frame(wire.TEXT, b"\xc0\xaf"), 1007),
    "a close code of one byte": (frame(wire.CLOSE, b"\x03"), 1002),
    "a close reason that is no text": (frame(wire.CLOSE, b"\x03\xe8\xff"), 1007),
    **{
        f"close code {code}": (frame(wire.CLOSE, code.to_bytes(2)), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535)
    },
}


@pytest.mark.parametrize("name", WRONG)
def test_a_breach_is_answered_with_the_right_code_after_what_came_before(name):
    data, code = WRONG[name]
    assert read(frame(wire.TEXT, b"before") + data) == ([("text", "before")], code)


def test_a_breach_shows_as_soon_as_the_first_two_bytes_do():
    assert read(b"\x83\x80") == ([], 1002)


# -- wherever it is cut, whatever it is -----------------------------------------------------

frames = st.lists(
    st.one_of(
        st.text(max_size=300).map(lambda text: frame(wire.TEXT, text.encode())),
        st.binary(max_size=125).map(lambda data: frame(wire.PING, data)),
        st.lists(st.text(max_size=40), min_size=2, max_size=4).map(
            lambda parts: b"".join(
                frame(0 if n else wire.TEXT, part.encode(), fin=n == len(parts) - 1)
                for n, part in enumerate(parts)
            )
        ),
        st.sampled_from([data for data, _ in WRONG.values() if len(data) < 1000]),
        st.binary(max_size=20),
    ),
    max_size=6,
).map(b"".join)


@given(frames, st.data())
def test_it_makes_no_difference_where_the_bytes_are_cut(data, draw):
    whole = read(data)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=12)))
    heard, code, reader = Heard(), None, Reader(MOST)
    try:
        for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True):
            reader.feed(data[start:stop], heard)
    except Violation as violation:
        code = violation.code
    assert (heard.all, code) == whole


@given(st.binary(max_size=400))
def test_no_bytes_do_harm(data):
    """Nothing but a Violation may come of anything, and no more is kept than came."""
    reader = Reader(200)
    with contextlib.suppress(Violation):
        for at in range(len(data)):
            reader.feed(data[at : at + 1], Heard())
    assert len(reader._buffer or b"") <= 200 + 14
    assert len(reader._parts or b"") <= 200


# -- what we send ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_what_we_send_is_what_the_library_would_send(size):
    payload = b"a" * size
    built = wire.text_frame(payload)
    assert built == Frame(Opcode.TEXT, payload).serialize(mask=False)
    assert wire.payload_of(built) == payload
    assert wire.close_frame(1012) == Frame(Opcode.CLOSE, b"\x03\xf4").serialize(mask=False)
    assert wire.close_frame(1005) == Frame(Opcode.CLOSE, b"").serialize(mask=False)
    assert wire.pong_frame(b"hi") == Frame(Opcode.PONG, b"hi").serialize(mask=False)
