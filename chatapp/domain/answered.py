"""What answers under way refer to: rows by room and number, many at once."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from chatapp.database import Transaction
from chatapp.domain import quotes
from chatapp.domain.commands import Message, PostMessage, Quote
from chatapp.reading import InWords

# In the order of `Message`, its author's picture, what is quoted. Pairs in an IN would cost SQLite a look at all rows.
_QUOTED: Final = """
    FROM messages AS quoted JOIN users AS quoted_author ON quoted_author.id = quoted.author_id
    WHERE quoted.room_id = messages.room_id AND quoted.seq = messages.reply_seq"""
_EACH: Final = f"""
    SELECT messages.room_id, messages.seq, messages.changed_seq, messages.kind, messages.author_id, users.name,
        users.hue, messages.key, messages.body, messages.at, messages.marks, messages.edited_at, messages.reply_seq,
        messages.thread_seq, messages.thread, messages.reactions, messages.pinned_at, messages.files,
        messages.preview, users.avatar,
        (SELECT quoted.author_id {_QUOTED}), (SELECT quoted_author.name {_QUOTED}),
        (SELECT {quotes.START.format("quoted")} {_QUOTED})
    FROM {{given}}
    CROSS JOIN messages
    CROSS JOIN users
    WHERE messages.room_id = {{room}} AND messages.seq = {{seq}} AND users.id = messages.author_id
    """  # noqa: S608  only constants of ours
_OF_PLACES: Final = InWords(
    _EACH.format(
        given="json_each(?) AS given",
        room="json_extract(given.value, '$[0]')",
        seq="json_extract(given.value, '$[1]')",
    ),
    _EACH.format(
        given="unnest($1::bigint[], $2::bigint[]) AS given (room_id, seq)",
        room="given.room_id",
        seq="given.seq",
    ),
)


async def find_each(
    tx: Transaction, places: Collection[tuple[int, int]]
) -> dict[tuple[int, int], Message]:
    """Messages and events by room and number; those that do not exist are missing from the answer."""
    if not places:
        return {}
    columns = map(list, zip(*sorted(places), strict=True))
    found = {}
    for *row, avatar, author_id, author_name, start in await tx.ask(_OF_PLACES, *columns):
        message = replace(Message(*row), author_avatar=avatar)
        if author_id is not None and message.reply_seq is not None:
            quote = Quote(message.reply_seq, author_id, author_name, quotes.beginning(start))
            message = replace(message, quote=quote)
        found[message.room_id, message.seq] = message
    return found


class Answered(NamedTuple):
    """What an answer refers to, and the first message of the thread that this belongs to."""

    quote: Quote
    root: Message


async def find_answered(
    tx: Transaction, posts: Sequence[PostMessage]
) -> dict[tuple[int, int], Answered]:
    """By room and number. What does not exist, or is an event, is missing."""
    asked = {(post.room_id, post.reply) for post in posts if post.reply}
    found = {
        place: message
        for place, message in (await find_each(tx, asked)).items()
        if message.kind in quotes.ANSWERABLE
    }
    first = {(m.room_id, m.thread_seq or m.seq) for m in found.values()}
    known = found | await find_each(tx, first - found.keys())
    return {
        place: Answered(quotes.of(m), known[m.room_id, m.thread_seq or m.seq])
        for place, m in found.items()
    }
