"""What a message answers: the row as it is now, and how much of it is shown. Nothing of it is stored in the answer."""

from functools import lru_cache
from typing import Final

from chatapp.domain import attached
from chatapp.domain.commands import Message, Quote
from chatapp.domain.markup import to_text

SHOWN_CHARACTERS: Final = 140
READ_CHARACTERS: Final = 600  # of a body: what formatting takes away leaves enough of them

# A message that is nothing but files begins with them, behind a sign that no body has. In SQL, of a table's alias.
_FILES: Final = "\x01"
START: Final = f"""CASE WHEN {{0}}.body <> '' THEN substr({{0}}.body, 1, {READ_CHARACTERS})
    WHEN {{0}}.kind = 'message' THEN '{_FILES}' || {{0}}.files END"""

# Both mean people who said something; a deleted message can still be answered by who was writing the answer.
ANSWERABLE: Final = frozenset({"message", "deleted"})


@lru_cache(maxsize=2048)
def beginning(start: str | None) -> str:
    """The first words of a message in one line, without formatting. `start`: what `START` gives."""
    if not start:
        return ""
    if start.startswith(_FILES):
        return attached.in_words(start.removeprefix(_FILES))
    words, _ = to_text(start)
    line = " ".join(words.split())
    if len(line) <= SHOWN_CHARACTERS:
        return line or (start and "…")
    return line[: SHOWN_CHARACTERS - 1].rstrip() + "…"


def of(message: Message) -> Quote:
    """A message as those that answer it quote it."""
    return Quote(
        message.seq,
        message.author_id,
        message.author_name,
        beginning(_start(message)),
    )


def _start(message: Message) -> str:
    """What `START` gives for it."""
    if message.body or message.kind != "message" or message.files is None:
        return message.body[:READ_CHARACTERS]
    return _FILES + message.files
