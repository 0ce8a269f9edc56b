"""What a browser may send over its socket: a struct for each type of frame, and the checks that need nothing else.

msgspec refuses what has not this shape; unknown fields are ignored, so that a newer browser may meet an older server.
"""

from typing import Annotated, Final, Literal, get_args

import msgspec

from chatapp.domain.attached import FILES_MOST
from chatapp.domain.unread import Mark
from chatapp.errors import Invalid, Refused
from chatapp.realtime.media_session import Asked
from chatapp.realtime.signals import TOKEN_MOST, Data

NUMBER_MOST: Final = 2**53 - 1


class _Head(msgspec.Struct):
    """What every frame has."""

    type: str


class Watch(msgspec.Struct, tag="watch"):
    room: int
    cursor: str


class Unwatch(msgspec.Struct, tag="unwatch"):
    room: int


class Follow(msgspec.Struct, tag="follow"):
    """Asks to hear of all rooms of the person."""


class Read(msgspec.Struct, tag="read"):
    """What the reader of a window has seen: see `domain.unread.Mark`."""

    room: int
    seq: int
    back: bool = False
    place: int | None = None


class Here(msgspec.Struct, tag="presence"):
    """Whether somebody is before the tab."""

    state: Literal["here", "away"]


class Writing(msgspec.Struct, tag="typing"):
    room: int


class Drafting(msgspec.Struct, tag="draft"):
    """What is written and not sent, see `domain.drafts.Save`; without `body` it asks for what is stored."""

    room: int
    base: int = 0
    body: str | None = None
    tab: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9]{0,24}\Z")] = ""


class Post(msgspec.Struct, tag="post"):
    """`reply`: the number of the message that it answers, 0 for none. `files`: what uploads were answered with."""

    room: int
    key: str
    body: str
    reply: int = 0
    files: Annotated[list[str], msgspec.Meta(max_length=2 * FILES_MOST)] = []


class CallJoin(msgspec.Struct, tag="call_join"):
    """`id`: the token this tab had, when it only comes back."""

    room: int
    id: Annotated[str, msgspec.Meta(max_length=TOKEN_MOST)] = ""


class CallLeave(msgspec.Struct, tag="call_leave"):
    room: int


class Signal(msgspec.Struct, tag="signal"):
    """`to` '': everybody else in the call."""

    room: int
    data: Data
    to: Annotated[str, msgspec.Meta(max_length=TOKEN_MOST)] = ""


class MediaAsked(msgspec.Struct, tag="media"):
    """`session`: the browser's name for its connections with the media server."""

    room: int
    session: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    data: Asked


class Ring(msgspec.Struct, tag="ring"):
    room: int
    user: int


class RingOver(msgspec.Struct, tag="ring_over"):
    """Declined."""

    room: int


Frame = (
    Watch
    | Unwatch
    | Follow
    | Read
    | Here
    | Writing
    | Drafting
    | Post
    | CallJoin
    | CallLeave
    | Signal
    | MediaAsked
    | Ring
    | RingOver
)
KINDS: Final = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Frame))

_DECODER: Final = msgspec.json.Decoder(Frame)
_HEAD: Final = msgspec.json.Decoder(_Head)


def parse(frame: str) -> Frame:
    """Raises `Refused`."""
    try:
        command: Frame = _DECODER.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Refused(_fault(frame)) from None
    return command


def _fault(frame: str) -> str:
    """What is wrong with a frame that is none of ours."""
    try:
        kind = _HEAD.decode(frame).type
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return "frame_invalid"
    return "frame_invalid" if kind in KINDS else "command_unknown"


def read_mark(command: Read) -> Mark:
    """A mark as it is stored. Raises `Invalid`."""
    if not 0 < command.room <= NUMBER_MOST:
        raise Invalid({"room": "room_gone"})
    if not (0 <= command.seq <= NUMBER_MOST and 0 <= (command.place or 0) <= NUMBER_MOST):
        raise Invalid({"seq": "frame_invalid"})
    return Mark(command.seq, command.back, command.place)


def parse_cursor(cursor: str) -> tuple[str, int]:
    """'EPOCH:NUMBER' in its parts. Raises `Invalid`."""
    epoch, colon, number = cursor.rpartition(":")
    if not (colon and number.isascii() and number.isdigit() and len(number) <= 15):
        raise Invalid({"cursor": "cursor_invalid"})
    return epoch, int(number)
