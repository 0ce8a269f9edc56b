"""What a message answers: the row as it is now, and how much of it is shown. Nothing of it is stored in the answer."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from chatapp.database import Transaction
from chatapp.domain.commands import Message, Quote
from chatapp.domain.markup import to_text
from chatapp.reading import InWords

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


class Answered(NamedTuple):
    """A message that is being answered. `thread_seq`: where the thread begins that the answer belongs to."""

    quote: Quote
    thread_seq: int


_FIND: Final = f"""
    SELECT messages.room_id, messages.seq, messages.kind, messages.author_id, users.name,
        substr(messages.body, 1, {READ_CHARACTERS}), messages.thread_seq
    FROM {{given}}
    CROSS JOIN messages
    CROSS JOIN users
    WHERE messages.room_id = {{room}} AND messages.seq = {{seq}} AND users.id = messages.author_id
    """  # noqa: S608  only constants of ours
_ANSWERED: Final = InWords(
    _FIND.format(
        given="json_each(?) AS given",
        room="json_extract(given.value, '$[0]')",
        seq="json_extract(given.value, '$[1]')",
    ),
    _FIND.format(
        given="unnest($1::bigint[], $2::bigint[]) AS given (room_id, seq)",
        room="given.room_id",
        seq="given.seq",
    ),
)


async def find(
    tx: Transaction, asked: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Answered]:
    """What answers under way refer to, by (room, number). What does not exist, or is an event, is missing."""
    rows = await tx.ask(_ANSWERED, *map(list, zip(*sorted(set(asked)), strict=True)))
    return {
        (room_id, seq): Answered(Quote(seq, author_id, name, beginning(start)), thread_seq or seq)
        for room_id, seq, kind, author_id, name, start, thread_seq in rows
        if kind in ANSWERABLE
    }
