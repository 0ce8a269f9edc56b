"""What a search gives: hits, a page of them, and where the next page begins."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from chatapp.domain.excerpts import Piece
from chatapp.domain.text import initials


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found. `at` in milliseconds since 1970."""

    room_id: int
    room_name: str
    seq: int
    author_name: str
    author_hue: int
    pieces: list[Piece]
    at: int
    author_avatar: str | None

    @property
    def author_initials(self) -> str:
        return initials(self.author_name)


Place = tuple[int, int, int]  # when, room, number


class Cursor(NamedTuple):
    """The last message of a page: its id, or its place if it had none yet."""

    id: int | None
    place: Place | None

    def __str__(self) -> str:
        return str(self.id) if self.place is None else "-".join(map(str, self.place))

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """What `str` gave; None for anything else."""
        if re.fullmatch("[0-9]{1,18}", text):
            return cls(int(text), None)
        if re.fullmatch("[0-9]{1,18}-[0-9]{1,18}-[0-9]{1,18}", text):
            at, room_id, seq = map(int, text.split("-"))
            return cls(None, (at, room_id, seq))
        return None


@dataclass(frozen=True, slots=True)
class Found:
    """`more`: below which the next page begins, None at the end. `is_partial`: some are not in the index yet."""

    hits: list[Hit]
    more: Cursor | None
    is_partial: bool = False
