"""Messages that members report to those who keep order in their room, and what becomes of that.

A person reports a message once; doing it again changes the reason, and opens it again.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from chatapp.database import Transaction
from chatapp.domain import audit, messages, policy
from chatapp.domain.listed import Listed, columns, listed
from chatapp.domain.memberships import Reader
from chatapp.errors import Forbidden
from chatapp.tables import messages as rows
from chatapp.tables import now_ms, reports, rooms, users

SHOWN_MOST: Final = 50  # messages in the queue
REASONS_MOST: Final = 5  # of one message that are shown


@dataclass(frozen=True, slots=True)
class Reported:
    """A message that waits. `reasons`: who reported it, and why; `count`: how many did."""

    message: Listed
    author_id: int
    reasons: list[tuple[str, str]]
    count: int


async def apply_report(tx: Transaction, user_id: int, room_id: int, seq: int, reason: str) -> None:
    """Raises `Missing`, `Forbidden`."""
    await policy.require(tx, room_id, user_id, "report")
    message = await messages.living(tx, room_id, seq)
    if message.author_id == user_id:
        raise Forbidden("own_report")
    insert = sqlite.insert if tx.is_sqlite else postgresql.insert
    await tx.execute(
        insert(reports)
        .values(room_id=room_id, seq=seq, by_id=user_id, reason=reason, at=now_ms())
        .on_conflict_do_update(
            index_elements=["room_id", "seq", "by_id"],
            set_={"reason": reason, "at": now_ms(), "done_at": None},
        )
    )


async def apply_done(tx: Transaction, user_id: int, room_id: int, seq: int) -> None:
    """Somebody has looked at what was reported. Doing it twice is doing it once. Raises `Missing`, `Forbidden`."""
    await check(tx, room_id, user_id)
    done = await tx.execute(
        update(reports).where(_open(room_id), reports.c.seq == seq).values(done_at=now_ms())
    )
    if done.rowcount:
        await audit.note(tx, room_id, user_id, "report_done", detail=str(seq))


async def check(reader: policy.Asks, room_id: int, user_id: int) -> policy.Stand:
    """Who keeps order and reads the room: words of messages are for its members. Raises `Missing`, `Forbidden`."""
    stand = await policy.require(reader, room_id, user_id, "read")
    stand.require("moderate")
    return stand


def _open(room_id: int) -> Any:
    return (reports.c.room_id == room_id) & reports.c.done_at.is_(None)


async def count(reader: Reader, room_id: int) -> int:
    """How many messages wait."""
    query = select(func.count(reports.c.seq.distinct())).where(_open(room_id))
    return int(await reader.fetch_value(query))


async def of_room(reader: Reader, room_id: int) -> list[Reported]:
    """What waits, the message reported last first; at most `SHOWN_MOST`."""
    latest = (
        select(reports.c.seq, func.max(reports.c.at).label("last"), func.count().label("n"))
        .where(_open(room_id))
        .group_by(reports.c.seq)
        .order_by(func.max(reports.c.at).desc())
        .limit(SHOWN_MOST)
        .subquery()
    )
    found = await reader.fetch_all(
        select(*columns(0), rows.c.author_id, latest.c.n)
        .select_from(
            latest.join(rows, (rows.c.room_id == room_id) & (rows.c.seq == latest.c.seq))
            .join(users, users.c.id == rows.c.author_id)
            .join(rooms, rooms.c.id == rows.c.room_id)
        )
        .order_by(latest.c.last.desc(), rows.c.seq)
    )
    reasons: dict[int, list[tuple[str, str]]] = {}
    for row in await reader.fetch_all(
        select(reports.c.seq, reports.c.reason, users.c.name)
        .join(users, users.c.id == reports.c.by_id)
        .where(_open(room_id), reports.c.seq.in_([row.seq for row in found]))
        .order_by(reports.c.at.desc(), users.c.id)
        .limit(SHOWN_MOST * REASONS_MOST)
    ):
        some = reasons.setdefault(row.seq, [])
        if len(some) < REASONS_MOST:
            some.append((row.name, row.reason))
    return [
        Reported(listed(tuple(row)[:-2]), row.author_id, reasons.get(row.seq, []), row.n)
        for row in found
    ]
