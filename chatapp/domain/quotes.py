"""What a message answers: the row as it is now, and how much of it is shown. Nothing of it is stored in the answer."""

from functools import lru_cache
from typing import Final

from chatapp.domain.commands import Message, Quote
from chatapp.domain.markup import to_text

SHOWN_CHARACTERS: Final = 140
READ_CHARACTERS: Final = 600  # of a body: what formatting takes away leaves enough of them

# Both mean people who said something; a deleted message can still be answered by who was writing the answer.
ANSWERABLE: Final = frozenset({"message", "deleted"})


@lru_cache(maxsize=2048)
def beginning(start: str) -> str:
    """The first words of a message in one line, without formatting. `start`: its first `READ_CHARACTERS`."""
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
        beginning(message.body[:READ_CHARACTERS]),
    )
