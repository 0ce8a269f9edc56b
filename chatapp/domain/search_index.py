"""Keeping the index of messages: in lots, some time after they were posted, so that posting pays nothing for it.

1. A message up to its room's number in `search_rooms` has a row in `search_docs`; its id there is the greater the newer
   it is. A message above that number has none. Searches read those.
2. `search_index` (`search_table.py`) has an entry for each such message under its id. Those below the id in `facts`
   under `BACKLOG` are still to come: what was said before there was an index is taken in from the newest back. Entries
   on PostgreSQL that a version of the program made which knew of no threes are made again; until then pairs are asked.
3. A message whose body changed, or that went, since it got its id is named in `search_stale` (by triggers, in the same
   transaction, whichever version of the program does it; `note_return` names one that is back). Searches read them too.
4. What the index finds is compared with the message as it is now, so words that are gone are found no more at once.
5. One transaction at a time changes the index: SQLite has one writer, on PostgreSQL they take turns by a lock.
"""

import itertools
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, func, insert, select, update

from chatapp.database import Database, Transaction
from chatapp.domain.memberships import Reader
from chatapp.domain.search_table import (
    INDEX,
    IS_OLD,
    OF_DOC,
    has_old,
    put_in,
    put_in_again,
    take_out,
)
from chatapp.reading import InWords
from chatapp.tables import facts, messages, rooms, search_docs, search_rooms, search_stale

BACKLOG: Final = "search_backlog"
LOT: Final = 200  # messages in one transaction
LOT_CHARACTERS: Final = 20_000
_ROOMS_MOST: Final = 200  # looked at for one lot
_EACH_LEAST: Final = 10  # messages of each
_LOCK: Final = 7_203_518_442  # any number that nobody else locks


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


class _Message(NamedTuple):
    room_id: int
    seq: int
    at: int
    kind: str
    author_id: int
    body: str


async def backlog(reader: Reader) -> int:
    """The index has nothing yet of ids below this one; 0 when it has all."""
    found = await reader.fetch_value(select(facts.c.value).where(facts.c.name == BACKLOG))
    return int(found or 0)


# -- keeping ----------------------------------------------------------------------


async def is_behind(database: Database) -> bool:
    """Whether there is something to do."""
    return (
        await database.fetch_one(_behind().limit(1)) is not None
        or await database.fetch_one(select(search_stale.c.id).limit(1)) is not None
        or await backlog(database) > 0
        or (not database.is_sqlite and await has_old(database))
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
    await take_out(
        tx,
        [
            (id_, room_id, held[room_id, seq].author_id, held[room_id, seq].body)
            for id_, room_id, seq, _, _ in known
            if id_ >= filled
        ],
    )
    await put_in(
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
    await put_in(
        tx, [(id_, row.room_id, row.author_id, row.body) for id_, row in fresh if row.body]
    )


async def _back(tx: Transaction) -> bool:
    """Messages from before there was an index."""
    filled = await backlog(tx)
    if not filled:
        return False
    rows = await tx.fetch_all(
        select(search_docs.c.id, messages.c.room_id, messages.c.author_id, messages.c.body)
        .select_from(search_docs.join(messages, OF_DOC))
        .where(search_docs.c.id < filled)
        .order_by(search_docs.c.id.desc())
        .limit(LOT)
    )
    lot = _within(rows)
    await put_in(
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
    docs = INDEX.outerjoin(search_docs, search_docs.c.id == INDEX.c.id)
    rows = await tx.fetch_all(
        select(
            INDEX.c.id,
            messages.c.room_id,
            messages.c.author_id,
            func.coalesce(messages.c.body, "").label("body"),
        )
        .select_from(docs.outerjoin(messages, OF_DOC))
        .where(IS_OLD)
        .order_by(INDEX.c.id.desc())
        .limit(LOT)
    )
    lot = [row[:4] for row in _within(rows)]
    await take_out(tx, [entry for entry in lot if not entry[3]])
    await put_in_again(tx, [entry for entry in lot if entry[3]])
    return bool(lot)


def _within(rows: Sequence[Any]) -> Sequence[Any]:
    """At least one of the rows, and no more than a lot may have."""
    characters = 0
    for n, row in enumerate(rows[:LOT]):
        characters += len(row.body)
        if characters > LOT_CHARACTERS and n:
            return rows[:n]
    return rows[:LOT]
