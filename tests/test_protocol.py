"""docs/protocol.md says what the code does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chatapp import words
from chatapp.domain.calls import LEASE_MS
from chatapp.ice import CREDENTIAL_SECONDS
from chatapp.limits import CALL, CONNECT, DRAFT, FRAMES, MEDIA, PRESENCE, RING, SIGNAL
from chatapp.realtime import dispatch, frames, wire
from chatapp.realtime.asked import (
    KINDS,
    CallJoin,
    CallLeave,
    Drafting,
    Follow,
    Here,
    MediaAsked,
    Post,
    Read,
    Ring,
    RingOver,
    Signal,
    Unwatch,
    Watch,
    Writing,
)
from chatapp.realtime.calls import PEOPLE_MOST
from chatapp.realtime.direct_line import SILENT_PINGS
from chatapp.realtime.media_session import SDP_MOST as MEDIA_SDP_MOST
from chatapp.realtime.media_session import WANTS_MOST, Told
from chatapp.realtime.presence import NAMED_MOST
from chatapp.realtime.pulse import ROUND_SECONDS
from chatapp.realtime.signals import CANDIDATES_MOST, SDP_MOST, Data, State
from chatapp.routes.socket import SOCKETS_MOST
from chatapp.tables import MESSAGE_BYTES, MESSAGE_CHARACTERS

TEXT = (Path(__file__).parents[1] / "docs" / "protocol.md").read_text()


def section(name: str) -> str:
    found = re.search(rf"^## {name}$(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def examples(name: str) -> dict[str, dict[str, Any]]:
    """The example below each heading; each heading has one."""
    parts = re.split(r"^### ", section(name), flags=re.MULTILINE)[1:]
    return {
        part.split("\n", 1)[0]: json.loads(re.findall(r"```json\n(.*?)\n```", part, re.DOTALL)[0])
        for part in parts
    }


KEY = "0b0b9b60-6d66-4d2b-a5a8-9f62ad2a3c1f"
TAB = "q0Qw3nCk1sY2tB7x"
SENT = examples("From the server")
BUILT = {
    "hello": frames.hello(17, "S0ZCmFfuAho_"),
    "changes": frames.changes(7, 130, 131, SENT["changes"]["html"]),
    "watching": frames.watching(7, 131),
    "reload": frames.reload(7),
    "ack": frames.ack(7, KEY, 131),
    "refused": frames.refused(7, KEY, "not_member", words.SENTENCES["not_member"]),
    "busy": frames.busy(7, KEY, 1.5),
    "unknown": frames.unknown(7, KEY),
    "removed": frames.removed(7, "left"),
    "presence": frames.presence(
        7, 12, 3, {17: "online", 23: "offline"}, is_whole=False, has_more=False
    ),
    "typing": frames.typing(7, 17, "Ann Archer"),
    "following": frames.following(),
    "call": frames.call(
        7,
        1792000000000,
        [{"id": TAB, "user": 17, "name": "Ann Archer", "hue": 3, "initials": "AA", "avatar": ""}],
    ),
    "call_joined": frames.call_joined(7, TAB, [{"urls": ["stun:turn.example.org:3478"]}]),
    "call_over": frames.call_over(7, "elsewhere"),
    "call_refused": frames.call_refused(
        7, "call_full", words.SENTENCES["call_full"].format(most=PEOPLE_MOST)
    ),
    "signal": frames.signal(
        7, "Zr81hXeE5mVd0LpA", Data(state=State(mic=True, camera=False, hand=False, screen=""))
    ),
    "media": frames.media(
        7,
        "5f1c",
        Told(offer="v=0…", lines=[{"mid": "0", "id": "Zr81hXeE5mVd0LpA", "line": 1}]),
    ),
    "ring": frames.ring(7, "lab", 17, "Ann Archer"),
    "ring_over": frames.ring_over(7, 23),
    "news": frames.news(7, 131, 133, [(132, 17), (133, 4)]),
    "unread": frames.unread(7, 133, 131, 1, 0, 0),
    "draft": frames.draft(7, 1792000000000, "Earl Grey at", "9f3c2b7a6d5e4f10"),
    "mine": frames.mine(7, 131, ["👍"], is_bookmarked=True),
    "sidebar": frames.sidebar(),
    "beat": frames.beat({7: 131}),
    "error": frames.error("frame_invalid", words.SENTENCES["frame_invalid"]),
}


@pytest.mark.parametrize("kind", SENT)
def test_each_frame_of_the_server_is_as_described(kind: str) -> None:
    assert json.loads(wire.payload_of(BUILT[kind])) == SENT[kind]
    assert SENT[kind]["type"] == kind


def test_no_frame_is_missing() -> None:
    builders = {
        name
        for name, each in vars(frames).items()
        if callable(each) and getattr(each, "__module__", "") == frames.__name__ and name[0] != "_"
    }
    assert set(SENT) == set(BUILT) == builders


def test_each_command_of_a_browser_is_as_described() -> None:
    described = examples("From the browser")
    shapes = {
        "watch": Watch,
        "unwatch": Unwatch,
        "follow": Follow,
        "read": Read,
        "presence": Here,
        "typing": Writing,
        "draft": Drafting,
        "post": Post,
        "call_join": CallJoin,
        "call_leave": CallLeave,
        "signal": Signal,
        "media": MediaAsked,
        "ring": Ring,
        "ring_over": RingOver,
    }
    assert set(described) == set(shapes) == KINDS
    for kind, shape in shapes.items():
        assert set(described[kind]) == {"type", *shape.__struct_fields__}


def test_the_close_codes_are_those_of_the_code() -> None:
    described = {int(code) for code in re.findall(r"^\| (\d{4}) \|", section("Closing"), re.M)}
    ours = {value for name, value in vars(frames).items() if name.startswith("CLOSE_")}
    assert described == ours


def test_the_limits_are_those_of_the_code() -> None:
    assert frames.FRAME_BYTES == 64 * 1024
    assert f"{FRAMES.count} frames in {FRAMES.seconds:g} s" in TEXT
    assert f"{SOCKETS_MOST} sockets, and open {CONNECT.count} a minute" in TEXT
    assert f"At most {dispatch.ROOMS_MOST} rooms" in TEXT
    assert f"after {dispatch.IGNORED_MOST} such" in TEXT
    assert f"At most {PRESENCE.count} in {PRESENCE.seconds:g} s." in TEXT
    assert f"At most {NAMED_MOST} are named" in TEXT
    for rate in (CALL, DRAFT, SIGNAL, RING):
        assert f"At most {rate.count} in {rate.seconds:g} s." in TEXT
    assert f"at most {SDP_MOST:,} code\npoints, at most {CANDIDATES_MOST} candidates" in TEXT
    assert f"At most {MEDIA_SDP_MOST:,} code points and {CANDIDATES_MOST} candidates" in TEXT
    assert f"at most {WANTS_MOST}: line 0 to 3" in TEXT
    assert f"possible {MEDIA.count} times in {MEDIA.seconds:g} s" in TEXT
    assert CREDENTIAL_SECONDS == 600
    assert LEASE_MS == 45_000
    assert f"Every {ROUND_SECONDS} s: the last numbers" in TEXT
    assert f"The server pings every {ROUND_SECONDS} s" in TEXT
    assert SILENT_PINGS == 2, "given up at the third round"
    assert f"{MESSAGE_CHARACTERS:,} code points and {MESSAGE_BYTES:,} bytes" in TEXT
