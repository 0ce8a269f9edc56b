"""Every frame that leaves the server, built in one place. `docs/protocol.md` describes them.

A frame is encoded once, as the bytes that go over the wire (`wire.text_frame`), and these are sent to everybody.
Text of people is in frames only as a JSON string inside a type of ours; HTML comes from templates alone.
"""

from typing import Final, Literal

import msgspec

from chatapp.realtime import wire

FRAME_BYTES: Final = 64 * 1024  # the largest frame taken from a browser

Reason = Literal["left", "removed", "deleted"]
CallEnd = Literal["left", "elsewhere", "removed", "lost"]

CLOSE_TOO_LARGE: Final = wire.CLOSE_TOO_LARGE
CLOSE_RESTART: Final = 1012
CLOSE_OVERLOADED: Final = 1013
CLOSE_PROTOCOL: Final = 4400
CLOSE_SESSION: Final = 4401
CLOSE_REMOVED: Final = 4403

_encoder: Final = msgspec.json.Encoder()


def _frame(kind: str, **fields: object) -> bytes:
    return wire.text_frame(_encoder.encode({"type": kind, **fields}))


def hello(user_id: int, epoch: str) -> bytes:
    return _frame("hello", user=user_id, epoch=epoch)


def changes(room_id: int, start: int, seq: int, html: str) -> bytes:
    return _frame("changes", room=room_id, **{"from": start}, seq=seq, html=html)


def watching(room_id: int, seq: int) -> bytes:
    return _frame("watching", room=room_id, seq=seq)


def reload(room_id: int) -> bytes:
    return _frame("reload", room=room_id)


def ack(room_id: int, key: str, seq: int) -> bytes:
    return _frame("ack", room=room_id, key=key, seq=seq)


def refused(room_id: int, key: str, code: str, message: str) -> bytes:
    return _frame("refused", room=room_id, key=key, code=code, message=message)


def busy(room_id: int, key: str, retry_after: float) -> bytes:
    return _frame("busy", room=room_id, key=key, retry_after=round(retry_after, 2))


def unknown(room_id: int, key: str) -> bytes:
    return _frame("unknown", room=room_id, key=key)


def removed(room_id: int, reason: str) -> bytes:
    return _frame("removed", room=room_id, reason=reason)


def presence(
    room_id: int,
    here: int | None,
    away: int | None,
    people: dict[int, str],
    *,
    is_whole: bool,
    has_more: bool,
) -> bytes:
    return _frame(
        "presence",
        room=room_id,
        here=here,
        away=away,
        people={str(user_id): state for user_id, state in people.items()},
        whole=is_whole,
        more=has_more,
    )


def typing(room_id: int, user_id: int, name: str) -> bytes:
    return _frame("typing", room=room_id, user=user_id, name=name)


def call(
    room_id: int, started_at: int | None, people: list[dict[str, object]], *, is_large: bool = False
) -> bytes:
    """`started_at` None: there is no call."""
    return _frame("call", room=room_id, started=started_at, large=is_large, people=people)


def call_joined(room_id: int, token: str, ice: list[dict[str, object]], session: str = "") -> bytes:
    return _frame("call_joined", room=room_id, id=token, ice=ice, session=session)


def call_over(room_id: int, reason: CallEnd) -> bytes:
    return _frame("call_over", room=room_id, reason=reason)


def call_refused(room_id: int, code: str, message: str) -> bytes:
    return _frame("call_refused", room=room_id, code=code, message=message)


def signal(room_id: int, sender: str, data: object) -> bytes:
    return _frame("signal", room=room_id, **{"from": sender}, data=data)


def media(room_id: int, session: str, data: object) -> bytes:
    return _frame("media", room=room_id, session=session, data=data)


def ring(room_id: int, room_name: str, user_id: int, name: str) -> bytes:
    return _frame("ring", room=room_id, room_name=room_name, user=user_id, name=name)


def ring_over(room_id: int, user_id: int) -> bytes:
    return _frame("ring_over", room=room_id, user=user_id)


def following() -> bytes:
    return _frame("following")


def news(room_id: int, start: int, seq: int, rows: list[tuple[int, int]] | None) -> bytes:
    return _frame("news", room=room_id, **{"from": start}, seq=seq, rows=rows)


def unread(room_id: int, seq: int, read: int, count: int, mentions: int, threads: int) -> bytes:
    return _frame(
        "unread",
        room=room_id,
        seq=seq,
        read=read,
        unread=count,
        mentions=mentions,
        threads=threads,
    )


def draft(room_id: int, at: int, body: str, tab: str) -> bytes:
    """`at` 0: there is none."""
    return _frame("draft", room=room_id, at=at, body=body, tab=tab)


def mine(room_id: int, seq: int, reactions: list[str], *, is_bookmarked: bool) -> bytes:
    return _frame("mine", room=room_id, seq=seq, reactions=reactions, bookmarked=is_bookmarked)


def sidebar() -> bytes:
    return _frame("sidebar")


def beat(rooms: dict[int, int]) -> bytes:
    return _frame("beat", rooms={str(room): seq for room, seq in rooms.items()})


def error(code: str, message: str) -> bytes:
    return _frame("error", code=code, message=message)
