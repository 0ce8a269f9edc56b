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
    """Of a page of a room, or of a thread."""
    crowded = [row.seq for row in page if row.reactions and reactions.is_crowded(row)]
    return Mine(
        await reactions.of_user(reader, room_id, user_id, crowded),
        await bookmarks.among_these(reader, user_id, room_id, [row.seq for row in page]),
    )
