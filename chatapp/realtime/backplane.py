"""The bus between processes. `redis_backplane.py` is the one for several.

Only hints travel: which room has a new number, who left, whose session ended. Whatever a hint says about content is
read from the database, so a hostile or stale Redis can put no words into a room. A lost hint is made good by the
comparison that every process does once a second (`catchup.py`). The one exception are signals of calls, which no
database has: they carry their `content`, and a `proof` that one of our processes wrote it (`signals.py`).

A process hears of the rooms that somebody watches there (a channel each, so that a Redis cluster can share them out),
and of people's sessions and sidebars (one channel for all).
"""

from collections import Counter
from collections.abc import Callable
from typing import Final, Literal, Protocol

import msgspec

PEOPLE: Final = "chatapp:people"


class Hint(msgspec.Struct, frozen=True, omit_defaults=True, tag=False):
    """`kind` says which of the fields matter."""

    kind: Literal[
        "room",
        "depart",
        "sidebar",
        "session",
        "user",
        "unread",
        "draft",
        "typing",
        "person",
        "call",
        "signal",
        "ring",
        "ring_over",
        "mine",
    ]
    room_id: int = 0
    seq: int = 0
    user_id: int | None = None
    session_id: int = 0
    reason: str = ""
    sender: str = ""
    content: str = ""
    proof: str = ""


_ROOM_KINDS: Final = frozenset({"room", "depart", "typing", "call", "signal"})

Receive = Callable[[Hint], None]


def room_channel(room_id: int) -> str:
    return f"chatapp:room:{room_id}"


def channel_of(hint: Hint) -> str:
    return room_channel(hint.room_id) if hint.kind in _ROOM_KINDS else PEOPLE


class Backplane(Protocol):
    """What the rest of the code asks of a bus. Nothing here waits."""

    def publish(self, hint: Hint) -> None: ...

    def follow(self, room_id: int, *, wanted: bool) -> None:
        """Hints of a room are wanted from now on, or no longer."""

    def is_connected(self) -> bool | None:
        """Whether hints of others arrive just now; None where there are no others."""


class Wants:
    """Rooms may be wanted for more than one reason: tells the backplane of the first and of the last."""

    def __init__(self, backplane: Backplane) -> None:
        self._backplane = backplane
        self._reasons: Counter[int] = Counter()

    def follow(self, room_id: int, *, wanted: bool) -> None:
        self._reasons[room_id] += 1 if wanted else -1
        if self._reasons[room_id] == (1 if wanted else 0):
            self._backplane.follow(room_id, wanted=wanted)
        if not self._reasons[room_id]:
            del self._reasons[room_id]


class MemoryBackplane:
    """For a single process: there is nobody else to tell."""

    def publish(self, hint: Hint) -> None:
        return

    def follow(self, room_id: int, *, wanted: bool) -> None:
        return

    def is_connected(self) -> bool | None:
        return None
