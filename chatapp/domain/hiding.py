"""The last hour of what somebody said in a room, hidden in one action, and brought back in one.

Hidden is deleted, but for `KEPT_DAYS` instead of seconds, and only those who keep order bring it back.
"""

from typing import Any, Final

from sqlalchemy import delete, select

from chatapp.database import Transaction
from chatapp.domain import deletions, messages
from chatapp.domain.commands import Committed
from chatapp.domain.log import lock_room
from chatapp.tables import deletions as kept
from chatapp.tables import messages as rows
from chatapp.tables import now_ms

HIDDEN_MOST: Final = 200  # the newest, in one action
KEPT_DAYS: Final = 7
_HOUR_MS: Final = 60 * 60 * 1000


async def hide(tx: Transaction, room: Any, user_id: int, by_id: int) -> Committed:
    """What is deleted already stays so. `value`: how many were hidden."""
    now = int(await tx.fetch_value(select(now_ms())))
    found = await tx.fetch_all(
        select(rows.c.seq)
        .where(
            rows.c.room_id == room.id,
            rows.c.author_id == user_id,
            rows.c.kind == "message",
            rows.c.at > now - _HOUR_MS,
        )
        .order_by(rows.c.seq.desc())
        .limit(HIDDEN_MOST)
    )
    done = Committed(room.id)
    for row in reversed(found):
        message = await messages.living(tx, room.id, row.seq)
        until = now + KEPT_DAYS * 24 * _HOUR_MS
        fresh = await lock_room(tx, room.id)
        done.add(await deletions.take_away(tx, fresh, message, by_id, until))
    return done


async def bring_back(tx: Transaction, room: Any, user_id: int) -> Committed:
    """All that others took away of what somebody said, as far as it is kept."""
    found = await tx.fetch_all(
        select(kept.c.seq, kept.c.kept)
        .join(rows, (rows.c.room_id == kept.c.room_id) & (rows.c.seq == kept.c.seq))
        .where(
            kept.c.room_id == room.id,
            rows.c.author_id == user_id,
            kept.c.by_id != user_id,
            kept.c.until > now_ms(),
        )
        .order_by(kept.c.seq)
        .limit(HIDDEN_MOST)
    )
    done = Committed(room.id)
    for row in found:
        gone = await tx.execute(
            delete(kept).where(kept.c.room_id == room.id, kept.c.seq == row.seq)
        )
        if gone.rowcount:  # or it was wiped at this moment
            fresh = await lock_room(tx, room.id)
            done.add(await deletions.bring_back(tx, fresh, row.seq, row.kept))
    return done
