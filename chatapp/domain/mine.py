"""What of messages is one person's own and does not stand in the HTML that all readers share."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from chatapp.domain import bookmarks, reactions
from chatapp.domain.commands import Message
from chatapp.domain.memberships import Reader


@dataclass(frozen=True, slots=True)
class Mine:
    """`reacted`: with which emoji, by message; only where more people reacted than stand with the message."""

    reacted: Mapping[int, Collection[str]] = field(default_factory=dict)
    bookmarked: Collection[int] = ()


NOTHING: Final = Mine()


async def of_page(reader: Reader, room_id: int, user_id: int, page: Sequence[Message]) -> Mine:
    """Of messages that follow each other."""
    return Mine(
        await _reacted(reader, room_id, user_id, page),
        await bookmarks.among(reader, user_id, room_id, page[0].seq, page[-1].seq) if page else (),
    )


async def of_thread(reader: Reader, room_id: int, user_id: int, rows: Sequence[Message]) -> Mine:
    """Of messages with much between them."""
    return Mine(
        await _reacted(reader, room_id, user_id, rows),
        await bookmarks.among_these(reader, user_id, room_id, [row.seq for row in rows]),
    )


async def _reacted(
    reader: Reader, room_id: int, user_id: int, rows: Sequence[Message]
) -> dict[int, set[str]]:
    crowded = [row.seq for row in rows if row.reactions and reactions.is_crowded(row)]
    return await reactions.of_user(reader, room_id, user_id, crowded)
