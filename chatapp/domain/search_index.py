"""Keeping the index of messages: in lots, some time after they were posted, so that posting pays nothing for it.

1. A message up to its room's number in `search_rooms` has a row in `search_docs`; its id there is the greater the newer
   it is. A message above that number has none. Searches read those.
2. `search_index` has the numbers (`domain/grams.py`) of each such message under its id: an FTS5 table that keeps no
   text on SQLite, a GIN index over arrays on PostgreSQL, with threes. Those below the id in `facts` under `BACKLOG` are
   still to come: what was said before there was an index is taken in from the newest back. Rows without threes
   (`version` 0) come from a version of the program that knew of none, and are done again; until then pairs are asked.
3. A message whose body changed, or that went, since it got its id is named in `search_stale` (by triggers, in the same
   transaction, whichever version of the program does it; `note_return` names one that is back). Searches read them too.
4. What the index finds is compared with the message as it is now, so words that are gone are found no more at once.
5. One transaction at a time changes the index: SQLite has one writer, on PostgreSQL they take turns by a lock.
"""

import asyncio
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Integer,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from chatapp.database import Database, Transaction
from chatapp.domain import grams, links
from chatapp.domain.memberships import Reader
from chatapp.reading import InWords
from chatapp.tables import facts, messages, rooms, search_docs, search_rooms, search_stale

BACKLOG: Final = "search_backlog"
LOT: Final = 200  # messages in one transaction
LOT_CHARACTERS: Final = 20_000
_ROOMS_MOST: Final = 200  # looked at for one lot
_EACH_LEAST: Final = 10  # messages of each
_LOCK: Final = 7_203_518_442  # any number that nobody else locks
FEW_ROOMS: Final = 30  # so many are looked up in the index; of more, what it finds is looked at

# PostgreSQL's. Zero stands in the text: a plan for any value would not see the index of the old ones.
_INDEX: Final = table("search_index", column("id"), column("grams"), column("version"))
_IS_OLD: Final = _INDEX.c.version == literal_column("0")
_DOC: Final = (messages.c.room_id == search_docs.c.room_id) & (messages.c.seq == search_docs.c.seq)

_CODE: Final = re.compile(r"```|~~~|`[^`\n]+`")

_DOCS: Final = InWords(
    """
    SELECT docs.id, docs.room_id, docs.seq, messages.author_id, messages.body
    FROM json_each(?) AS given
    CROSS JOIN search_docs AS docs ON docs.room_id = json_extract(given.value, '$[0]')
        AND docs.seq = json_extract(given.value, '$[1]')
    LEFT JOIN messages ON messages.room_id = docs.room_id AND messages.seq = docs.seq""",
    """
    SELECT docs.id, docs.room_id, docs.seq, messages.author_id, messages.body
    FROM unnest($1::bigint[], $2::bigint[]) AS given (room_id, seq)
    JOIN search_docs AS docs ON docs.room_id = given.room_id AND docs.seq = given.seq
    LEFT JOIN messages ON messages.room_id = docs.room_id AND messages.seq = docs.seq""",
)
_SPANS: Final = InWords(
    """
    SELECT room_id, seq, at, kind, author_id, body
    FROM json_each(?) AS given
    CROSS JOIN messages ON room_id = json_extract(given.value, '$[0]')
        AND seq > json_extract(given.value, '$[1]') AND seq <= json_extract(given.value, '$[2]')
    ORDER BY room_id, seq""",
    """
    SELECT messages.room_id, messages.seq, at, kind, author_id, body
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS given (room_id, above, upto)
    JOIN messages ON messages.room_id = given.room_id AND messages.seq > above AND messages.seq <= upto
    ORDER BY messages.room_id, messages.seq""",
)
_PUT_IN: Final = (
    "INSERT INTO search_index (rowid, grams) VALUES (?, ?)",
    "INSERT INTO search_index (id, grams, version) VALUES ($1, $2, 1)",
)
_DO_AGAIN: Final = "UPDATE search_index SET grams = $2, version = 1 WHERE id = $1"  # PostgreSQL's
_TAKE_OUT: Final = (
    "INSERT INTO search_index (search_index, rowid, grams) VALUES ('delete', ?, ?)",
    "DELETE FROM search_index WHERE id = $1",
)


class _Message(NamedTuple):
    room_id: int
    seq: int
    at: int
    kind: str
    author_id: int
    body: str


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
        id_ = _INDEX.c.id
        query = select(id_).where(
            *(_INDEX.c.grams.op("@>")(_array(some)) for some in (numbers,) if some),
            *(_INDEX.c.grams.op("&&")(_array(some)) for some in any_of),
        )
    if not few:
        query = query.where(search_docs.c.id == id_, search_docs.c.room_id.in_(rooms))
    query = query.where(id_ >= low, id_ < high)
    if not is_sqlite:
        # PostgreSQL takes rare pairs for common ones, and would read from the end for what is at the beginning.
        # Behind OFFSET it does not see how few are wanted.
        found = query.offset(0).subquery("found")
        id_, query = found.c.id, select(found.c.id)
    return query.order_by(id_.desc()).limit(lot)


def _array(numbers: Sequence[int]) -> Any:
    return bindparam(None, list(numbers), type_=ARRAY(Integer), unique=True)


async def backlog(reader: Reader) -> int:
    """The index has nothing yet of ids below this one; 0 when it has all."""
    found = await reader.fetch_value(select(facts.c.value).where(facts.c.name == BACKLOG))
    return int(found or 0)


async def has_threes(reader: Reader, *, is_sqlite: bool) -> bool:
    """Whether everything that is in the index may be asked for by threes."""
    return (
        not is_sqlite
        and await reader.fetch_one(select(_INDEX.c.id).where(_IS_OLD).limit(1)) is None
    )


# -- keeping ----------------------------------------------------------------------


async def is_behind(database: Database) -> bool:
    """Whether there is something to do."""
    return (
        await database.fetch_one(_behind().limit(1)) is not None
        or await database.fetch_one(select(search_stale.c.id).limit(1)) is not None
        or await backlog(database) > 0
        or not (database.is_sqlite or await has_threes(database, is_sqlite=False))
    )


def _behind() -> Any:
    """Rooms with messages above what has an id."""
    known = func.coalesce(search_rooms.c.seq, 0)
    return (
        select(rooms.c.id, rooms.c.last_seq, known.label("seq"))
        .select_from(rooms.outerjoin(search_rooms, search_rooms.c.room_id == rooms.c.id))
        .where(rooms.c.last_seq > known)
    )


async def note_return(tx: Transaction, room_id: int, seq: int) -> None:
    """For who brings a deleted message back, which the triggers pass over. The index holds nothing of it, unless it has
    yet to hear that it was deleted."""
    if tx.is_sqlite:  # the first note says what the index holds
        here = (search_stale.c.room_id == room_id) & (search_stale.c.seq == seq)
        known = select(search_rooms.c.seq).where(search_rooms.c.room_id == room_id)
        if (
            seq > (await tx.fetch_value(known) or 0)
            or await tx.fetch_value(select(search_stale.c.id).where(here)) is not None
        ):
            return
    await tx.execute(insert(search_stale).values(room_id=room_id, seq=seq, body=""))


async def apply_lot(tx: Transaction) -> bool:
    """Brings a lot of messages into the index: those first that changed, then new ones, then old ones, then those that
    are in it without threes. False: there was nothing to do, or another process is at it."""
    if not tx.is_sqlite and not await tx.fetch_value(select(func.pg_try_advisory_xact_lock(_LOCK))):
        return False
    return await _again(tx) or await _further(tx) or await _back(tx) or await _with_threes(tx)


async def _again(tx: Transaction) -> bool:
    """Messages that the index has otherwise than they are now."""
    noted = await tx.fetch_all(select(search_stale).order_by(search_stale.c.id).limit(LOT))
    if not noted:
        return False
    held = {(row.room_id, row.seq): row for row in noted}
    known = await tx.ask(_DOCS, *map(list, zip(*sorted(held), strict=True)))
    filled = await backlog(tx)
    await _take_out(
        tx,
        [
            (id_, room_id, held[room_id, seq].author_id, held[room_id, seq].body)
            for id_, room_id, seq, _, _ in known
            if id_ >= filled
        ],
    )
    await _put_in(
        tx,
        [
            (id_, room_id, author_id, body)
            for id_, room_id, _, author_id, body in known
            if id_ >= filled and body
        ],
    )
    gone = [id_ for id_, _, _, _, body in known if body is None]
    await tx.execute(delete(search_docs).where(search_docs.c.id.in_(gone)))
    await tx.execute(delete(search_stale).where(search_stale.c.id.in_([row.id for row in noted])))
    await tx.execute(delete(search_rooms).where(search_rooms.c.room_id.not_in(select(rooms.c.id))))
    return True


async def _further(tx: Transaction) -> bool:
    """Messages that have no id yet, in the order of their times. Numbers are given under the room's lock: below
    `last_seq` none is to come, and there are no gaps."""
    behind = await tx.fetch_all(_behind().order_by(rooms.c.last_at, rooms.c.id).limit(_ROOMS_MOST))
    if not behind:
        return False
    each = max(_EACH_LEAST, 2 * LOT // len(behind))
    ends = {room.id: min(room.last_seq, room.seq + each) for room in behind}
    rows = await tx.ask(
        _SPANS, [room.id for room in behind], [room.seq for room in behind], list(ends.values())
    )
    # A room keeps its order, also where a clock was put back.
    latest: dict[int, int] = {}
    timed: list[tuple[int, int, int, _Message]] = []
    for row in itertools.starmap(_Message, rows):
        at = latest[row.room_id] = max(row.at, latest.get(row.room_id, 0))
        timed.append((at, row.room_id, row.seq, row))
    # Of rooms with more than was read, what comes then may be older than what others said.
    cut = [room.id for room in behind if ends[room.id] < room.last_seq]
    horizon = min((latest.get(room_id, 0) for room_id in cut), default=None)
    timed = sorted(each for each in timed if horizon is None or each[0] <= horizon)
    lot = _within([row for *_, row in timed])
    upto = {row.room_id: row.seq for row in lot}
    if len(lot) == len(timed) and horizon is None:
        upto = ends
    await _give_ids(tx, lot, upto)
    return True


async def _give_ids(tx: Transaction, lot: "Sequence[_Message]", upto: dict[int, int]) -> None:
    await tx.execute(delete(search_rooms).where(search_rooms.c.room_id.in_(upto)))
    await tx.execute(
        insert(search_rooms),
        [{"room_id": room_id, "seq": seq} for room_id, seq in sorted(upto.items())],
    )
    newest = await tx.fetch_value(select(func.max(search_docs.c.id)))
    first = max((newest or 0) + 1, await backlog(tx))
    # One that is deleted may come back.
    fresh = list(enumerate((row for row in lot if row.kind in {"message", "deleted"}), first))
    if fresh:
        await tx.execute(
            insert(search_docs),
            [
                {"id": id_, "room_id": row.room_id, "seq": row.seq, "at": row.at}
                for id_, row in fresh
            ],
        )
    await _put_in(
        tx, [(id_, row.room_id, row.author_id, row.body) for id_, row in fresh if row.body]
    )


async def _back(tx: Transaction) -> bool:
    """Messages from before there was an index."""
    filled = await backlog(tx)
    if not filled:
        return False
    rows = await tx.fetch_all(
        select(search_docs.c.id, messages.c.room_id, messages.c.author_id, messages.c.body)
        .select_from(search_docs.join(messages, _DOC))
        .where(search_docs.c.id < filled)
        .order_by(search_docs.c.id.desc())
        .limit(LOT)
    )
    lot = _within(rows)
    await _put_in(
        tx, [(row.id, row.room_id, row.author_id, row.body) for row in reversed(lot) if row.body]
    )
    here = facts.c.name == BACKLOG
    if lot and lot[-1].id > 1:
        await tx.execute(update(facts).where(here).values(value=str(lot[-1].id)))
    else:
        await tx.execute(delete(facts).where(here))
    return True


async def _with_threes(tx: Transaction) -> bool:
    """Messages that a version of the program put into the index which knew of no threes."""
    if tx.is_sqlite:
        return False
    docs = _INDEX.outerjoin(search_docs, search_docs.c.id == _INDEX.c.id)
    rows = await tx.fetch_all(
        select(
            _INDEX.c.id,
            messages.c.room_id,
            messages.c.author_id,
            func.coalesce(messages.c.body, "").label("body"),
        )
        .select_from(docs.outerjoin(messages, _DOC))
        .where(_IS_OLD)
        .order_by(_INDEX.c.id.desc())
        .limit(LOT)
    )
    lot = [row[:4] for row in _within(rows)]
    gone = [entry for entry in lot if not entry[3]]
    await _take_out(tx, gone)
    if kept := [entry for entry in lot if entry[3]]:
        await tx.change(_DO_AGAIN, await asyncio.to_thread(_rows, kept, is_sqlite=False))
    return bool(lot)


def _within(rows: Sequence[Any]) -> Sequence[Any]:
    """At least one of the rows, and no more than a lot may have."""
    characters = 0
    for n, row in enumerate(rows[:LOT]):
        characters += len(row.body)
        if characters > LOT_CHARACTERS and n:
            return rows[:n]
    return rows[:LOT]


Entry = tuple[int, int, int, str]  # id, room, author, body


def _rows(entries: Sequence[Entry], *, is_sqlite: bool) -> list[tuple[int, Any]]:
    """Ids, and under what they are kept as the database takes it. Takes about 30 µs for each."""
    found = ((entry[0], _numbers(*entry[1:], threes=not is_sqlite)) for entry in entries)
    return [(id_, _words(numbers) if is_sqlite else numbers) for id_, numbers in found]


async def _put_in(tx: Transaction, entries: Sequence[Entry]) -> None:
    """Ids rise: FTS5 begins a new part of its index where one is below the one before."""
    if entries:
        rows = await asyncio.to_thread(_rows, entries, is_sqlite=tx.is_sqlite)
        await tx.change(_PUT_IN[0 if tx.is_sqlite else 1], rows)


async def _take_out(tx: Transaction, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    if tx.is_sqlite:  # in the words in which it was put in
        rows = _rows([entry for entry in entries if entry[3]], is_sqlite=True)
        await tx.change(_TAKE_OUT[0], rows)
    else:
        await tx.change(_TAKE_OUT[1], [(entry[0],) for entry in entries])
