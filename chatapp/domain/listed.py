"""Messages as pages outside of their room list them: who wrote each, where, when, and how it begins."""

from dataclasses import dataclass
from typing import Any, Final

from chatapp.domain import attached, markup, naming
from chatapp.domain.mentions import unpacked
from chatapp.domain.text import initials
from chatapp.tables import messages, users

TEXT_CHARACTERS: Final = 400

_COLUMNS: Final = (
    messages.c.seq,
    users.c.name.label("author_name"),
    users.c.hue.label("author_hue"),
    messages.c.body,
    messages.c.marks,
    messages.c.files,
    messages.c.at,
    users.c.avatar,
)


def columns(user_id: int) -> tuple[Any, ...]:
    """For a reader; of a query with `messages`, `rooms` and, for who wrote them, `users`."""
    return (messages.c.room_id, naming.of_room(user_id).label("room_name"), *_COLUMNS)


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as it is now. `text` '': it was deleted. `at` in milliseconds since 1970."""

    room_id: int
    room_name: str
    seq: int
    author_name: str
    author_hue: int
    text: str
    at: int
    author_avatar: str | None = None

    @property
    def author_initials(self) -> str:
        return initials(self.author_name)


def listed(row: Any, text: str | None = None) -> Listed:
    """A row of `columns`. `text`: what of it is shown, if not its beginning."""
    room_id, room_name, seq, name, hue, body, marks, files, at, avatar = row
    if files and not body:
        text = attached.in_words(files)
    elif text is None:
        text = markup.to_text(body, unpacked(marks))[0][:TEXT_CHARACTERS]
    return Listed(room_id, room_name, seq, name, hue, text, at, avatar)
