"""The newest rows of the rooms that people read, in memory: opening a busy room, or coming back to it, reads none.

A tail is a state, as the log is: all rows of a room that changed after number `floor`, as they are at number `seq`.
MUSTs
1. Never stale: whoever asks says the room's last number as the database has it now; a tail that is behind is no answer.
2. A tail that is ahead of that number (its reader's snapshot is a moment old) answers only if what came since are
   messages: a heading or a list of members read in that snapshot would not fit anything else.
3. At most `ROWS` rows a room and `capacity` bytes in all; the room that was not read for the longest time goes first.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from chatapp.domain import quotes
from chatapp.domain.commands import Message, Quote
from chatapp.domain.messages import CHANGES_MOST, PAGE, Changes, Page

ROWS: Final = CHANGES_MOST
ROW_BYTES: Final = 400  # a row without its body, measured


@dataclass(slots=True)
class _Tail:
    """`rows` by place, in the order of their last change."""

    seq: int
    floor: int
    rows: OrderedDict[int, Message] = field(default_factory=OrderedDict)
    size: int = 0

    def take(self, row: Message) -> None:
        self._drop(self.rows.get(row.seq))
        self._wear(row)
        self.rows[row.seq] = row
        self.size += _size(row)
        while len(self.rows) > ROWS:
            oldest = next(iter(self.rows.values()))
            self._drop(oldest)
            self.floor = oldest.changed_seq

    def _drop(self, row: Message | None) -> None:
        if row is not None:
            del self.rows[row.seq]
            self.size -= _size(row)

    def _wear(self, fresh: Message) -> None:
        """Every row brings its author's look of today; a change of it is always such a row. A message that was changed
        is quoted as it is now."""
        if not fresh.is_new:
            for row in list(self.rows.values()):
                if row.reply_seq == fresh.seq:
                    self._requote(row, quotes.of(fresh))
        if fresh.kind not in {"profile", "left"}:
            return
        for row in list(self.rows.values()):
            quote = row.quote
            if quote is not None and quote.author_id == fresh.author_id:
                self._requote(row, replace(quote, author_name=fresh.author_name))
        for seq, row in list(self.rows.items()):
            if row.author_id == fresh.author_id:
                self.rows[seq] = replace(
                    row,
                    author_name=fresh.author_name,
                    author_hue=fresh.author_hue,
                    author_avatar=fresh.author_avatar,
                )

    def _requote(self, row: Message, quote: Quote) -> None:
        fresh = self.rows[row.seq] = replace(row, quote=quote)
        self.size += _size(fresh) - _size(row)


class Tails:
    """Owner of all tails of this process."""

    def __init__(self, capacity: int = 32 * 1024 * 1024) -> None:
        self._capacity = capacity
        self._tails: OrderedDict[int, _Tail] = OrderedDict()
        self._size = 0

    def kept_bytes(self) -> int:
        return self._size

    # -- asking -----------------------------------------------------------------

    def page(self, room_id: int, last: int) -> tuple[Page, int] | None:
        """The newest `PAGE` messages and the number they are as of, or None when they must be read."""
        tail = self._current(room_id, last)
        if tail is None or any(
            row.changed_seq > last and row.kind != "message" for row in tail.rows.values()
        ):
            return None
        places = sorted(seq for seq in tail.rows if seq > tail.floor)
        if len(places) <= PAGE and tail.floor > 0:
            return None
        found = [tail.rows[seq] for seq in places[-PAGE:]]
        older = found[0].seq if len(places) > PAGE else None
        return Page(found, older, None), tail.seq

    def changes(self, room_id: int, seq: int, last: int) -> Changes | None:
        """All rows changed after number `seq`, oldest change first, or None when they must be read."""
        tail = self._current(room_id, last)
        if tail is None or not tail.floor <= seq <= tail.seq:
            return None
        rows = [row for row in tail.rows.values() if row.changed_seq > seq]
        return Changes(rows, tail.seq, more=False)

    def _current(self, room_id: int, last: int) -> _Tail | None:
        tail = self._tails.get(room_id)
        if tail is None or tail.seq < last:
            return None
        self._tails.move_to_end(room_id)
        return tail

    # -- telling ----------------------------------------------------------------

    def keep(self, room_id: int, last: int, rows: Sequence[Message]) -> None:
        """Rows as `messages.latest` reads them in the snapshot in which `last` was the room's last number."""
        known = self._tails.get(room_id)
        if known is not None and known.seq >= last:
            return
        self.forget(room_id)
        floor = rows[0].changed_seq - 1 if len(rows) >= ROWS else 0
        tail = self._tails[room_id] = _Tail(last, floor)
        self._change(tail, rows)

    def advance(self, room_id: int, start: int, seq: int, rows: Iterable[Message]) -> None:
        """What changed between two numbers, oldest change first. After a gap the tail is of no use any more."""
        tail = self._tails.get(room_id)
        if tail is None or seq <= tail.seq:
            return
        if start > tail.seq:
            self.forget(room_id)
            return
        self._change(tail, [row for row in rows if row.changed_seq > tail.seq])
        tail.seq = seq

    def _change(self, tail: _Tail, rows: Iterable[Message]) -> None:
        before = tail.size
        for row in rows:
            tail.take(row)
        self._size += tail.size - before
        while self._size > self._capacity:
            self.forget(next(iter(self._tails)))

    def forget(self, room_id: int) -> None:
        tail = self._tails.pop(room_id, None)
        if tail is not None:
            self._size -= tail.size


def _size(row: Message) -> int:
    """Characters count as what Python gives them: one, two or four bytes."""
    quoted = 0 if row.quote is None else row.quote.text.__sizeof__()
    hung = row.reactions.__sizeof__() if row.reactions else 0
    hung += row.files.__sizeof__() if row.files else 0
    hung += row.preview.__sizeof__() if row.preview else 0
    answered = 0 if row.thread is None else row.thread.__sizeof__()
    return ROW_BYTES + row.body.__sizeof__() + quoted + answered + hung
