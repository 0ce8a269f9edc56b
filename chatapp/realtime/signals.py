"""What tabs in a call say to each other, passed on without being looked into beyond its form.

Between processes a signal travels with a proof of ours: a hostile Redis could otherwise put itself between two people
by giving them its own keys (the fingerprints in their session descriptions).
"""

import hashlib
from typing import Annotated, Final, Literal

import msgspec

from chatapp.realtime.backplane import Hint
from chatapp.security import Seal

SDP_MOST: Final = 32 * 1024  # code points; six people's cameras and screens need about a quarter
CANDIDATES_MOST: Final = 40
TOKEN_MOST: Final = 24
PROOF_SECONDS: Final = 60


class Description(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["offer", "answer"]
    sdp: Annotated[str, msgspec.Meta(max_length=SDP_MOST)]


class Candidate(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """As RTCIceCandidate has it."""

    candidate: Annotated[str, msgspec.Meta(max_length=1000)]
    sdpMid: Annotated[str, msgspec.Meta(max_length=32)] | None = None  # noqa: N815  the browser's name
    sdpMLineIndex: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None  # noqa: N815
    usernameFragment: Annotated[str, msgspec.Meta(max_length=256)] | None = None  # noqa: N815


class State(msgspec.Struct, forbid_unknown_fields=True):
    """What a tab sends just now. `screen`: the id of the stream of its screen, or ''."""

    mic: bool
    camera: bool
    hand: bool
    screen: Annotated[str, msgspec.Meta(max_length=64)]


class Data(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One or more of these. `session` names the connection between the two that it is about."""

    session: Annotated[str, msgspec.Meta(max_length=64)] = ""
    description: Description | None = None
    candidates: Annotated[list[Candidate], msgspec.Meta(max_length=CANDIDATES_MOST)] = []
    state: State | None = None


class Parcel(msgspec.Struct):
    """A signal on its way to another process. `to` '': everybody else in the call."""

    sender: str
    to: str
    data: Data


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Parcel).decode


def packed(room_id: int, parcel: Parcel, seal: Seal) -> Hint:
    content = _encode(parcel).decode()
    return Hint(
        "signal", room_id=room_id, content=content, proof=seal.seal(_digest(room_id, content))
    )


def unpacked(hint: Hint, seal: Seal) -> Parcel | None:
    """None: nobody of ours wrote it, or not lately."""
    if seal.open(hint.proof) != _digest(hint.room_id, hint.content):
        return None
    try:
        return _decode(hint.content)
    except msgspec.DecodeError:
        return None


def _digest(room_id: int, content: str) -> str:
    return hashlib.sha256(f"{room_id}\n{content}".encode("utf-8", "surrogatepass")).hexdigest()
