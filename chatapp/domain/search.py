"""Finding messages, in the rooms that somebody is in at that moment.

The index names candidates, newest first; each is compared with what was asked as it is now. Read besides are messages
that are not in the index yet, or otherwise than they are (`search_index.py`). All of it is as of one moment, and of a
search not even a number tells of rooms that the asker is not in.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final

from sqlalchemy import func, select

from chatapp.database import Database
from chatapp.domain import attached, excerpts, grams, search_index, search_table
from chatapp.domain.memberships import Reader
from chatapp.domain.search_query import Query
from chatapp.domain.search_results import Cursor, Found, Hit, Place
from chatapp.domain.search_scope import Room, authors_of, rooms_of
from chatapp.errors import Busy
from chatapp.tables import messages, search_docs, search_stale, users

PAGE: Final = 20
SECONDS: Final = 2.0  # a search may take, waiting included
AT_ONCE: Final = 2  # searches of a process; the other connections are for those who read and write
WAITING_MOST: Final = 50
WITHOUT_ID_MOST: Final = 2_000  # messages that one search reads because they have no id, or changed
SLACK: Final = (
    2_000  # ids by which the order may differ from that of times, after the index was behind
)
# Ids below the newest that PostgreSQL looks at first, then the next so many, then all: what is said often is found
# among the newest, what is rare by the index alone. SQLite reads from the newest down by itself.
WINDOWS: Final = (2_000, 20_000, 200_000)
_FIRST_LOT: Final = 100  # candidates; five times as many in the next
_LOT_MOST: Final = 2_000  # compared in 10 ms


class TooSlow(Exception):
    """The time was up."""


_NOTHING: Final = Found([], None)
_ALL: Final = 2**63 - 1  # above every id
_AUTHOR: Final = users.c.id == messages.c.author_id
_COLUMNS: Final = (
    messages.c.room_id,
    messages.c.seq,
    messages.c.kind,
    messages.c.at,
    messages.c.author_id,
    messages.c.body,
    messages.c.marks,
    messages.c.files,
    users.c.name.label("author_name"),
    users.c.hue.label("author_hue"),
    users.c.avatar.label("author_avatar"),
)


class Searches:
    """Owner of the places for searches: `AT_ONCE` at work, `WAITING_MOST` in line, `Busy` for whoever comes then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def find(
        self, user_id: int, query: Query, before: Cursor | None = None, seconds: float = SECONDS
    ) -> Found:
        """A page, newest first. `before`: `more` of the page ahead of it. Raises `TooSlow`, `Busy`."""
        if self._waiting >= WAITING_MOST:
            raise Busy("busy", SECONDS)
        until = time.monotonic() + seconds
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
        except TimeoutError:
            raise TooSlow from None
        finally:
            self._waiting -= 1
        try:
            left = max(0.01, until - time.monotonic())
            async with self._database.snapshot(left) as snapshot:
                search = _Search(snapshot, self._database.is_sqlite, user_id, query, until)
                return await search.page(before)
        except TimeoutError:
            raise TooSlow from None
        finally:
            self._places.release()


class _Search:
    """One search, as of one moment. Order: by id, above it what has none yet, by time."""

    def __init__(
        self, reader: Reader, is_sqlite: bool, user_id: int, query: Query, until: float
    ) -> None:
        self._reader = reader
        self._is_sqlite = is_sqlite
        self._user_id = user_id
        self._query = query
        self._until = until
        self._rooms: dict[int, Room] = {}
        self._authors: list[int] | None = None
        self._after: Place | None = None  # only what stands below this is asked for
        self._is_partial = False
        self._threes = False

    async def page(self, before: Cursor | None) -> Found:
        self._rooms = await rooms_of(self._reader, self._user_id, self._query)
        if self._query.authors:
            self._authors = await authors_of(self._reader, self._user_id, self._query)
        if self._query.is_empty or not self._rooms or self._authors == []:
            return _NOTHING
        low, high = await self._range()
        found: dict[Place, tuple[int, Any]] = {}
        self._is_partial = low < await search_index.backlog(self._reader)
        if before is not None and before.id is not None:
            high = min(high, before.id)
        else:
            self._after = before.place if before else None
            found |= await self._without_id()
        found |= await self._changed(low, high)
        known = len(found)
        self._threes = await search_table.has_threes(self._reader, is_sqlite=self._is_sqlite)
        async with aclosing(self._indexed(low, high)) as rows:
            async for row in rows:
                if self._is_right(row):
                    found[_place(row)] = (row.id, row)
                if len(found) - known > PAGE:
                    break
        ordered = sorted(found.items(), key=lambda item: (item[1][0], item[0]), reverse=True)
        hits = [self._hit(row) for _, (_, row) in ordered[:PAGE]]
        more = None
        if len(ordered) > PAGE:
            place, (id_, _) = ordered[PAGE - 1]
            more = Cursor(None, place) if id_ == _ALL else Cursor(id_, None)
        return Found(hits, more, self._is_partial)

    # -- what may be right ---------------------------------------------------------------

    async def _range(self) -> tuple[int, int]:
        """Ids among which everything of the time that is asked for is, with some besides."""

        async def first(at: int) -> int | None:
            query = select(search_docs.c.id).where(search_docs.c.at >= at)
            found: int | None = await self._reader.fetch_value(
                query.order_by(search_docs.c.at).limit(1)
            )
            return found

        low, high = 0, _ALL
        if self._query.since is not None:
            found = await first(self._query.since)
            low = _ALL - 1 if found is None else max(0, found - SLACK)
        if self._query.until is not None:
            found = await first(self._query.until)
            high = _ALL if found is None else found + SLACK
        return low, high

    async def _without_id(self) -> dict[Place, tuple[int, Any]]:
        """What is right of the messages that have no id yet: of those rooms first that have few of them."""
        rows: list[Any] = []
        behind = [(room.last - room.known, id_) for id_, room in self._rooms.items()]
        for _, id_ in sorted(some for some in behind if some[0] > 0):
            left = WITHOUT_ID_MOST - len(rows)
            if not left:
                self._is_partial = True
                break
            found = await self._reader.fetch_all(
                select(*_COLUMNS)
                .select_from(messages.join(users, _AUTHOR))
                .where(messages.c.room_id == id_, messages.c.seq > self._rooms[id_].known)
                .order_by(messages.c.seq.desc())
                .limit(left + 1)
            )
            self._is_partial |= len(found) > left
            rows += found[:left]
        return {_place(row): (_ALL, row) for row in rows if self._is_right(row)}

    async def _changed(self, low: int, high: int) -> dict[Place, tuple[int, Any]]:
        """What is right of the messages that the index has otherwise than they are."""
        stale = (
            select(search_stale.c.room_id, search_stale.c.seq)
            .where(search_stale.c.room_id.in_(self._rooms))
            .distinct()
            .limit(WITHOUT_ID_MOST)
            .subquery("stale")
        )
        here = (messages.c.room_id == stale.c.room_id) & (messages.c.seq == stale.c.seq)
        rows = await self._reader.fetch_all(
            select(search_docs.c.id, *_COLUMNS).select_from(
                stale.join(messages, here)
                .join(users, _AUTHOR)
                .join(search_docs, search_table.OF_DOC)
            )
        )
        self._is_partial |= len(rows) >= WITHOUT_ID_MOST
        return {
            _place(row): (row.id, row)
            for row in rows
            if low <= row.id < high and self._is_right(row)
        }

    async def _indexed(self, low: int, high: int) -> AsyncGenerator[Any]:
        """What the index names, newest first, read only as far as somebody asks for it."""
        newest = await self._reader.fetch_value(select(func.max(search_docs.c.id))) or 0
        high = min(high, newest + 1)
        lot = _FIRST_LOT
        windows = () if self._is_sqlite else WINDOWS
        for bottom in (*(max(low, high - width) for width in windows), low):
            while bottom < high:
                rows = await self._candidates(bottom, high, lot)
                for row in rows:
                    yield row
                if time.monotonic() > self._until:
                    raise TimeoutError
                high = rows[-1].id if len(rows) == lot else bottom
                lot = min(5 * lot, _LOT_MOST)

    async def _candidates(self, low: int, high: int, lot: int) -> Sequence[Any]:
        """The next ids of the index, greatest first, with their messages; without one where it is gone."""
        if "file" in self._query.has:
            return await self._with_files(low, high, lot)
        numbers = {grams.word("has", what) for what in self._query.has}
        for term in self._query.terms:
            numbers |= grams.of_term(term, threes=self._threes)
        ids = search_table.candidates(
            sorted(numbers),
            self._authors or [],
            list(self._rooms),
            low=low,
            high=high,
            lot=lot,
            is_sqlite=self._is_sqlite,
        ).subquery("ids")
        docs = ids.outerjoin(search_docs, search_docs.c.id == ids.c.id)
        return await self._reader.fetch_all(
            select(ids.c.id, *_COLUMNS)
            .select_from(docs.outerjoin(messages, search_table.OF_DOC).outerjoin(users, _AUTHOR))
            .order_by(ids.c.id.desc())
        )

    async def _with_files(self, low: int, high: int, lot: int) -> Sequence[Any]:
        """The same of messages with files, which are not many: the index knows nothing of them."""
        query = (
            select(search_docs.c.id, *_COLUMNS)
            .select_from(messages.join(search_docs, search_table.OF_DOC).join(users, _AUTHOR))
            .where(
                messages.c.files.is_not(None),
                messages.c.room_id.in_(self._rooms),
                search_docs.c.id >= low,
                search_docs.c.id < high,
            )
        )
        if self._authors is not None:
            query = query.where(messages.c.author_id.in_(self._authors))
        return await self._reader.fetch_all(query.order_by(search_docs.c.id.desc()).limit(lot))

    def _text(self, row: Any) -> str:
        """What terms are looked for in: its words, and with `has:file` the names of its files."""
        if "file" not in self._query.has:
            return str(row.body)
        return "\n".join([row.body, *(file.name for file in attached.unpacked(row.files))]).strip()

    def _is_right(self, row: Any) -> bool:
        """Whether it is what was asked for, as it is now."""
        query = self._query
        if row.kind != "message" or row.room_id not in self._rooms:
            return False
        if self._after is not None and _place(row) >= self._after:
            return False
        if not (query.since or 0) <= row.at < (query.until or _ALL):
            return False
        if self._authors is not None and row.author_id not in self._authors:
            return False
        text = self._text(row)
        folded = grams.fold(text)
        has = query.has - {"file"} if row.files else query.has
        return (
            bool(text)
            and all(term in folded for term in query.terms)
            and (not has or has <= search_table.has(row.body))
        )

    def _hit(self, row: Any) -> Hit:
        return Hit(
            row.room_id,
            self._rooms[row.room_id].name,
            row.seq,
            row.author_name,
            row.author_hue,
            excerpts.around(self._text(row), row.marks, self._query.terms),
            row.at,
            row.author_avatar,
        )


def _place(row: Any) -> Place:
    return (row.at, row.room_id, row.seq)
