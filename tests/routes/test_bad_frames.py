"""Whatever somebody sends over the socket, it stays usable, and nothing but the socket itself is ever closed."""

import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.routes.people import Person, somebody
from tests.support.asgi_socket import AsgiSocket

COMMANDS = ("watch", "unwatch", "post")
NASTY = [
    "", " ", "x", "null", "true", "0", "[]", "{}", '""', "[" * 20_000, '{"a":' * 5000 + "1" + "}" * 5000, "\0",
    '{"type":null}', '{"type":1}', '{"type":["post"]}', '{"type":"POST"}', '{"type":"post\\u0000"}',
    '{"type":"' + "x" * 60_000 + '"}', '{"type":"hello"}', '{"type":"changes","html":"<b>"}', '{"type":"ack"}',
    '{"type":"\\ud800"}', '{"type":"__init__"}', '{"type":"_take"}', '{"type":"post"', "\ufeff{}",
    '{"type":"beat","rooms":{}}', "NaN", "Infinity", "-", "1e999", "'", '{"type":"post",}', "\x1b",
]  # fmt: skip
VALUES = [
    "null", "true", "false", "[]", "{}", '""', '"x"', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', "0", "-1", "1.5",
    "NaN", "Infinity", "-Infinity", "1e999", "9" * 16, "9" * 19, "9" * 20, "9" * 400, "9" * 5000, "-" + "9" * 40,
    '"' + "a" * 5000 + '"', '"' + "a" * 60_000 + '"', '"a:b:c"', '":"', '"EPOCH:99999999999999999999"', '"EPOCH:²"',
    '"<script>"', '"\\u202e"', "[[[[[[]]]]]]", '{"room":1}', '"1"', "1e2", "-0", '"\\n"', '"\ufffe"',
]  # fmt: skip


class Line:
    """A socket of a member, and what it is good for."""

    def __init__(self, person: Person, room: int, socket: AsgiSocket) -> None:
        self.person, self.room, self.socket = person, room, socket

    async def is_still_good(self) -> None:
        """A post is acknowledged; every frame before it was one of ours."""
        key = str(uuid4())
        post = {"type": "post", "room": self.room, "key": key, "body": "ok"}
        await self.socket.send_json(post)
        while True:
            frame = await self.socket.receive_json()
            assert frame["type"] in {
                "hello", "changes", "watching", "reload", "refused", "error", "removed", "ack", "busy",
            }  # fmt: skip
            if frame["type"] == "error":
                assert frame["code"] in {
                    "frame_invalid", "command_unknown", "cursor_invalid", "room_gone", "too_many_rooms", "busy",
                }  # fmt: skip
                assert frame["message"].endswith(".")
            if frame.get("key") == key:
                assert frame["type"] == "ack"
                return


@pytest.fixture
async def line(roomy):
    person = await somebody(roomy)
    room = await person.opens("Lab")
    async with person.socket() as socket:
        yield Line(person, room, socket)


async def test_no_frame_breaks_the_line(line):
    for frame in NASTY:
        await line.socket.send(frame)
        await line.is_still_good()


async def test_no_value_of_any_command_breaks_the_line(line):
    good = {
        "room": str(line.room),
        "key": json.dumps(str(uuid4())),
        "body": '"hello"',
        "cursor": '"EPOCH:0"',
    }
    for command in COMMANDS:
        for field in ("room", "key", "body", "cursor"):
            for value in VALUES:
                fields = {**good, field: value}
                inside = ",".join(f'"{name}":{given}' for name, given in fields.items())
                frame = f'{{"type":"{command}",{inside}}}'
                if len(frame.encode()) < 64 * 1024:
                    await line.socket.send(frame)
        await line.is_still_good()
        for missing in good:
            fields = {name: value for name, value in good.items() if name != missing}
            inside = ",".join(f'"{name}":{given}' for name, given in fields.items())
            await line.socket.send(f'{{"type":"{command}",{inside}}}')
        await line.is_still_good()


@pytest.mark.parametrize(
    ("frame", "code"), [(b"\0\1\2", 4400), (b"", 4400), ("a" * 65_537, 1009), ("é" * 40_000, 1009)]
)
async def test_a_frame_that_is_no_text_or_too_big_closes_this_socket_alone(roomy, frame, code):
    ann = await somebody(roomy)
    room = await ann.opens("Lab")
    async with ann.socket() as bad, ann.socket() as good:
        await bad.send(frame)
        assert await bad.closed() == code
        await Line(ann, room, good).is_still_good()


async def test_frames_come_one_after_another_but_not_endlessly(site):
    """With the limits as they are: too many are answered, not obeyed, and a post is asked to wait."""
    ann = await somebody(site)
    room = await ann.opens("Lab")
    async with ann.socket() as socket:
        for _ in range(200):
            await socket.send_json({"type": "unwatch", "room": room})
        await socket.send_json({"type": "nothing"})
        codes = set()
        while "command_unknown" not in codes:
            frame = await socket.receive_json()
            codes.add(frame.get("code", frame["type"]))
        assert "too_many" in codes
        assert (await ann.tries_to_say(room, "over the form")).status_code == 200


async def test_a_person_has_a_bounded_number_of_sockets_and_a_socket_of_rooms(roomy):
    ann = await somebody(roomy)
    lines = [ann.socket() for _ in range(20)]
    for one in lines:
        await one.__aenter__()
    async with ann.socket() as last:
        assert await last.closed() == 4400
    for one in lines:
        await one.__aexit__(None, None, None)
    async with ann.socket() as again:
        await again.receive_json("hello")


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3)
    ),
    max_leaves=6,
)
commands = st.builds(
    lambda kind, fields: json.dumps({"type": kind, **fields}),
    st.sampled_from(COMMANDS) | st.text(max_size=10),
    st.dictionaries(
        st.sampled_from(["room", "key", "body", "cursor", "type", "html"]), json_values
    ),
)


@settings(max_examples=150)
@given(frames=st.lists(commands | json_values.map(json.dumps) | st.text(max_size=40).filter(
    lambda text: not any("\ud800" <= sign <= "\udfff" for sign in text)), min_size=1, max_size=6))  # fmt: skip
async def test_nothing_anybody_can_think_of_breaks_the_line(line, frames):
    for frame in frames:
        await line.socket.send(frame)
    await line.is_still_good()
