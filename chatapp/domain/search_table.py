"""The index itself, as each database has it: entries are put in and taken out, and candidates asked for.

An entry is a message's id and the numbers under which it is found (`domain/grams.py`, its room, its author, and what it
has). An FTS5 table that keeps no text on SQLite; a GIN index over arrays on PostgreSQL, there with threes.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Integer, bindparam, column, literal_column, select, table
from sqlalchemy.dialects.postgresql import ARRAY

from chatapp.database import Transaction
from chatapp.domain import grams, links
from chatapp.domain.memberships import Reader
from chatapp.tables import messages, search_docs

OF_DOC: Final = (messages.c.room_id == search_docs.c.room_id) & (
    messages.c.seq == search_docs.c.seq
)
FEW_ROOMS: Final = 30  # so many are looked up in the index; of more, what it finds is looked at

# PostgreSQL's. Zero stands in the text: a plan for any value would not see the index of the old ones.
INDEX: Final = table("search_index", column("id"), column("grams"), column("version"))
IS_OLD: Final = INDEX.c.version == literal_column("0")

_CODE: Final = re.compile(r"```|~~~|`[^`\n]+`")

_PUT_IN: Final = (
    "INSERT INTO search_index (rowid, grams) VALUES (?, ?)",
    "INSERT INTO search_index (id, grams, version) VALUES ($1, $2, 1)",
)
_DO_AGAIN: Final = "UPDATE search_index SET grams = $2, version = 1 WHERE id = $1"  # PostgreSQL's
_TAKE_OUT: Final = (
    "INSERT INTO search_index (search_index, rowid, grams) VALUES ('delete', ?, ?)",
    "DELETE FROM search_index WHERE id = $1",
)


Entry = tuple[int, int, int, str]  # id, room, author, body


def has(body: str) -> set[str]:
    """Which of `has:` are true of a message."""
    found = {"link"} if "://" in body and links.find(body) else set[str]()
    return found | {"code"} if _CODE.search(body) else found


def _numbers(room_id: int, author_id: int, body: str, *, threes: bool) -> list[int]:
    """All under which a message is kept."""
    words = {grams.word("in", room_id), grams.word("from", author_id)}
    words.update(grams.word("has", what) for what in has(body))
    return sorted(words | grams.of_text(body, threes=threes))


def _word(number: int) -> str:
    """As SQLite's index has it."""
    return format(number, "x")


def _words(numbers: Iterable[int]) -> str:
    return " ".join(map(_word, numbers))


# -- asking -----------------------------------------------------------------------


def candidates(
    numbers: Sequence[int],
    authors: Sequence[int],
    rooms: Sequence[int],
    *,
    low: int,
    high: int,
    lot: int,
    is_sqlite: bool,
) -> Any:
    """The ids from `low` to below `high`, greatest first, of messages kept under all these numbers, by one of the
    authors if there are any, in one of the rooms. As a query."""
    few = [grams.word("in", id_) for id_ in rooms] if len(rooms) <= FEW_ROOMS else []
    writers = [grams.word("from", id_) for id_ in authors]
    any_of = [some for some in (writers, few) if some]
    id_: Any
    if not numbers and not any_of:
        id_ = search_docs.c.id
        query = select(id_)
    elif is_sqlite:
        groups = [*([number] for number in numbers), *any_of]
        parts = [" OR ".join(f'"{_word(number)}"' for number in some) for some in groups]
        index = table("search_index", column("rowid"), column("search_index"))
        id_ = index.c.rowid
        match = " AND ".join(f"({part})" for part in parts)
        query = select(id_.label("id")).where(index.c.search_index.op("MATCH")(match))
    else:
        id_ = INDEX.c.id
        query = select(id_).where(
            *(INDEX.c.grams.op("@>")(_array(some)) for some in (numbers,) if some),
            *(INDEX.c.grams.op("&&")(_array(some)) for some in any_of),
        )
    if not few:
        query = query.where(search_docs.c.id == id_, search_docs.c.room_id.in_(rooms))
    query = query.where(id_ >= low, id_ < high)
    if not is_sqlite:
        # PostgreSQL takes rare pieces for common ones, and would read from the end for what is at the beginning.
        # Behind OFFSET it does not see how few are wanted.
        found = query.offset(0).subquery("found")
        id_, query = found.c.id, select(found.c.id)
    return query.order_by(id_.desc()).limit(lot)


def _array(numbers: Sequence[int]) -> Any:
    return bindparam(None, list(numbers), type_=ARRAY(Integer), unique=True)


async def has_threes(reader: Reader, *, is_sqlite: bool) -> bool:
    """Whether all that is in the index may be asked for by threes."""
    return not is_sqlite and not await has_old(reader)


async def has_old(reader: Reader) -> bool:
    """Whether some entries come from a version of the program that knew of no threes. On PostgreSQL only."""
    return await reader.fetch_one(select(INDEX.c.id).where(IS_OLD).limit(1)) is not None


# -- keeping ----------------------------------------------------------------------


def _rows(entries: Sequence[Entry], *, is_sqlite: bool) -> list[tuple[int, Any]]:
    """Ids, and under what they are kept as the database takes it. Takes about 30 µs for each."""
    found = ((entry[0], _numbers(*entry[1:], threes=not is_sqlite)) for entry in entries)
    return [(id_, _words(numbers) if is_sqlite else numbers) for id_, numbers in found]


async def put_in(tx: Transaction, entries: Sequence[Entry]) -> None:
    """Ids rise: FTS5 begins a new part of its index where one is below the one before."""
    if entries:
        rows = await asyncio.to_thread(_rows, entries, is_sqlite=tx.is_sqlite)
        await tx.change(_PUT_IN[0 if tx.is_sqlite else 1], rows)


async def take_out(tx: Transaction, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    if tx.is_sqlite:  # in the words in which it was put in
        rows = _rows([entry for entry in entries if entry[3]], is_sqlite=True)
        await tx.change(_TAKE_OUT[0], rows)
    else:
        await tx.change(_TAKE_OUT[1], [(entry[0],) for entry in entries])


async def put_in_again(tx: Transaction, entries: Sequence[Entry]) -> None:
    """In place of old ones. On PostgreSQL only."""
    if entries:
        await tx.change(_DO_AGAIN, await asyncio.to_thread(_rows, entries, is_sqlite=False))
