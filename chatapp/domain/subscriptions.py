"""Browsers that take pushes. Each belongs to a session and goes with it: at a sign-out, a new password, the end of an
account. Who is owed a push is decided here, by one query for each room."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import delete, func, insert, select, update

from chatapp.database import Database
from chatapp.domain.memberships import Reader
from chatapp.domain.notices import Quiet
from chatapp.errors import SignedOut
from chatapp.reading import InWords
from chatapp.tables import (
    NOW_POSTGRESQL,
    NOW_SQLITE,
    facts,
    memberships,
    mentions,
    now_ms,
    push_subscriptions,
    sessions,
)
from chatapp.trouble import is_conflict
from chatapp.webpush import Vapid

EACH_MOST: Final = 20  # per person; one more takes the place of the oldest
DUE_MOST: Final = 5_000  # subscriptions that one message may reach
COUNTED_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Subscription:
    id: int
    endpoint: str
    p256dh: str
    auth: str


class Due(NamedTuple):
    """A browser that is owed a push about a room. `seq`: the message it is about; `unread`: how many are."""

    subscription: Subscription
    user_id: int
    quiet: Quiet
    seq: int
    unread: int


async def site_key(database: Database) -> str:
    """The site's private key for pushes, made when there is none. Every process finds the same."""
    query = select(facts.c.value).where(facts.c.name == "vapid")
    found = await database.fetch_value(query)
    if found is not None:
        return str(found)
    key = Vapid.new()
    try:
        async with database.transaction() as tx:
            await tx.execute(insert(facts).values(name="vapid", value=key))
    except Exception as error:
        if is_conflict(error):  # a process that started together with us was quicker
            return await site_key(database)
        raise
    return key


async def add(
    database: Database, session_id: int, user_id: int, *, endpoint: str, p256dh: str, auth: str
) -> None:
    """A browser takes pushes from now on. Its address is its own, so whoever had it before has it no more.

    Raises `SignedOut` when the session has just ended.
    """
    try:
        await _add(database, session_id, user_id, endpoint, p256dh, auth)
    except Exception as error:
        if not is_conflict(error):
            raise
        raise SignedOut("signed_out") from None


async def _add(
    database: Database, session_id: int, user_id: int, endpoint: str, p256dh: str, auth: str
) -> None:
    theirs = select(sessions.c.id).where(sessions.c.user_id == user_id)
    async with database.transaction() as tx:
        gone = (push_subscriptions.c.endpoint == endpoint) | (
            push_subscriptions.c.session_id == session_id
        )
        await tx.execute(delete(push_subscriptions).where(gone))
        rows = await tx.fetch_all(
            select(push_subscriptions.c.id)
            .where(push_subscriptions.c.session_id.in_(theirs))
            .order_by(push_subscriptions.c.id.desc())
            .offset(EACH_MOST - 1)
        )
        await tx.execute(
            delete(push_subscriptions).where(push_subscriptions.c.id.in_([row.id for row in rows]))
        )
        await tx.execute(
            insert(push_subscriptions).values(
                session_id=session_id,
                endpoint=endpoint,
                p256dh=p256dh,
                auth=auth,
                created_at=now_ms(),
            )
        )


async def remove(database: Database, session_id: int) -> None:
    """A session's browser takes no pushes any more."""
    async with database.transaction() as tx:
        await tx.execute(
            delete(push_subscriptions).where(push_subscriptions.c.session_id == session_id)
        )


async def drop(database: Database, ids: Sequence[int]) -> None:
    """Subscriptions that their services do not know any more."""
    async with database.transaction() as tx:
        await tx.execute(delete(push_subscriptions).where(push_subscriptions.c.id.in_(ids)))


async def failed(database: Database, subscription_id: int) -> None:
    """A push was given up. Counted for whoever looks into it."""
    async with database.transaction() as tx:
        await tx.execute(
            update(push_subscriptions)
            .where(push_subscriptions.c.id == subscription_id)
            .values(failed=push_subscriptions.c.failed + 1)
        )


async def of_session(reader: Reader, session_id: int) -> Subscription | None:
    row = await reader.fetch_one(
        select(push_subscriptions).where(push_subscriptions.c.session_id == session_id).limit(1)
    )
    return row and Subscription(row.id, row.endpoint, row.p256dh, row.auth)


async def count(reader: Reader, user_id: int) -> int:
    query = select(func.count()).select_from(push_subscriptions.join(sessions))
    return int(await reader.fetch_value(query.where(sessions.c.user_id == user_id)))


# Who wants what came behind `after` up to `upto`, has not read it, did not write it, and has a browser for it: the
# newest message that concerns them, and how many do, of the last hundred or so.
_DUE: Final = """
    SELECT push_subscriptions.id, push_subscriptions.endpoint, push_subscriptions.p256dh, push_subscriptions.auth,
        users.id, users.quiet_from, users.quiet_until, users.zone, wanted.seq, wanted.n
    FROM (
        SELECT memberships.user_id, {after} AS after, max(messages.seq) AS seq, count(*) AS n
        FROM {given}
        CROSS JOIN memberships
        CROSS JOIN messages
        LEFT JOIN mentions ON mentions.user_id = memberships.user_id AND mentions.room_id = messages.room_id
            AND mentions.seq = messages.seq AND NOT mentions.is_cleared
        WHERE memberships.room_id = {room} AND memberships.is_active
            AND messages.room_id = {room} AND messages.seq > {after} - {counted} AND messages.seq <= {upto}
            AND messages.seq > coalesce(memberships.read_seq, memberships.joined_seq)
            AND messages.kind = 'message' AND messages.author_id <> memberships.user_id
            AND (memberships.notify = 'all' OR memberships.notify = 'mentions' AND (
                mentions.seq IS NOT NULL
                OR messages.thread_seq IS NOT NULL AND EXISTS (
                    SELECT 1 FROM thread_follows
                    WHERE thread_follows.user_id = memberships.user_id
                        AND thread_follows.room_id = messages.room_id
                        AND thread_follows.thread_seq = messages.thread_seq
                        AND thread_follows.is_following AND thread_follows.read_seq < messages.seq)))
            AND EXISTS (
                SELECT 1 FROM sessions
                JOIN push_subscriptions ON push_subscriptions.session_id = sessions.id
                WHERE sessions.user_id = memberships.user_id)
        GROUP BY memberships.user_id, {after}
        HAVING max(messages.seq) > {after}) AS wanted
    JOIN users ON users.id = wanted.user_id AND users.deleted_at IS NULL
    JOIN sessions ON sessions.user_id = users.id AND sessions.expires_at > (SELECT {now})
    JOIN push_subscriptions ON push_subscriptions.session_id = sessions.id
    ORDER BY push_subscriptions.id LIMIT {most}"""
_DUE_IN_ROOM: Final = InWords(
    _DUE.format(
        given="json_each(?) AS given",
        room="json_extract(given.value, '$[0]')",
        after="json_extract(given.value, '$[1]')",
        upto="json_extract(given.value, '$[2]')",
        now=NOW_SQLITE,
        counted=COUNTED_MOST,
        most=DUE_MOST,
    ),
    _DUE.format(
        given="unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS given (room_id, after, upto)",
        room="given.room_id",
        after="given.after",
        upto="given.upto",
        now=NOW_POSTGRESQL,
        counted=COUNTED_MOST,
        most=DUE_MOST,
    ),
)


async def due(reader: Reader, room_id: int, after: int, upto: int) -> list[Due]:
    """All browsers that are owed a push about what came in a room behind one number up to another."""
    rows = await reader.ask(_DUE_IN_ROOM, [room_id], [after], [upto])
    return [
        Due(Subscription(*row[:4]), row[4], Quiet(row[5], row[6], row[7]), row[8], row[9])
        for row in map(tuple, rows)
    ]


async def is_due(reader: Reader, subscription_id: int, room_id: int, seq: int) -> bool:
    """Whether a push that had to wait is still owed."""
    naming = (
        select(mentions.c.seq)
        .where(
            mentions.c.user_id == memberships.c.user_id,
            mentions.c.room_id == room_id,
            mentions.c.seq == seq,
            ~mentions.c.is_cleared,
        )
        .exists()
    )
    return bool(
        await reader.fetch_value(
            select(push_subscriptions.c.id)
            .join(sessions)
            .join(memberships, memberships.c.user_id == sessions.c.user_id)
            .where(
                push_subscriptions.c.id == subscription_id,
                sessions.c.expires_at > now_ms(),
                memberships.c.room_id == room_id,
                memberships.c.is_active,
                (memberships.c.notify == "all") | (memberships.c.notify == "mentions") & naming,
                func.coalesce(memberships.c.read_seq, memberships.c.joined_seq) < seq,
            )
        )
    )
