"""Storing posts, many at once: the path that decides how much a room can take.

Five statements for a batch of any size (with BEGIN and COMMIT), written out for each database, since what makes them
quick differs: PostgreSQL takes each column as one array, SQLite takes the questions as JSON and the rows one by one.
Up to three more when somebody is mentioned, five when something is answered, two when there are files, and one for all
conversations of two.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from chatapp.database import Transaction
from chatapp.domain import (
    blocks,
    direct,
    files,
    memberships,
    mentioned,
    mentions,
    policy,
    slowness,
    threads,
)
from chatapp.domain.answered import Answered, find_answered
from chatapp.domain.commands import Committed, Message, PostMessage
from chatapp.domain.mentioned import Named
from chatapp.domain.mentions import Mark
from chatapp.errors import Conflict, Forbidden, Invalid, Refused
from chatapp.reading import InWords
from chatapp.tables import NOW_POSTGRESQL, NOW_SQLITE

Outcome = Message | Refused


class _Room(NamedTuple):
    """A row of `_LOCK`."""

    id: int
    last_seq: int
    owner_id: int
    kind: str
    archived_at: int | None
    is_announcement: bool
    slow_seconds: int
    direct_key: str | None

    @property
    def is_direct(self) -> bool:
        return self.kind == "direct"

    def other(self, user_id: int) -> int | None:
        """With whom somebody is in a direct room of two."""
        people = [int(one) for one in (self.direct_key or "").split()]
        return sum(people) - user_id if len(people) == 2 else None

    @property
    def is_ordinary(self) -> bool:
        """Whether whoever is a member may post in it at any time."""
        return not (self.archived_at is not None or self.is_announcement or self.slow_seconds)


class _Asked(NamedTuple):
    """A row of `_STANDING`: the author of post `n`, and, unless `seq` is None, what is stored under its key."""

    n: int
    name: str
    hue: int
    now: int
    is_admin: bool
    role: str
    muted_until: int | None
    is_guest: bool
    seq: int | None
    changed_seq: int
    body: str
    at: int
    key_hash: bytes
    marks: str | None
    avatar: str | None


_ROOM: Final = (
    "id, last_seq, owner_id, kind, archived_at, is_announcement, slow_seconds, direct_key"
)
# The rooms' last numbers, their rows held until the transaction ends.
_LOCK: Final = InWords(
    f"SELECT {_ROOM} FROM rooms WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608  only constants of ours
    f"SELECT {_ROOM} FROM rooms WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE",  # noqa: S608
)

# For each post by a member: who it is, now; and what was stored under its key before.
_ASKED: Final = """
    SELECT {n}, users.name, users.hue, {now}, users.is_admin,
           memberships.role, memberships.muted_until, users.is_guest,
           messages.seq, messages.changed_seq, messages.body, messages.at, messages.key_hash, messages.marks,
           users.avatar
    FROM {given}
    CROSS JOIN memberships
    CROSS JOIN users
    LEFT JOIN {known}
    WHERE memberships.room_id = {room} AND memberships.user_id = {author} AND memberships.is_active
        AND users.id = memberships.user_id"""
_SAME_KEY: Final = """messages.room_id = memberships.room_id
        AND messages.author_id = memberships.user_id AND messages.key = {key}"""
# PostgreSQL keeps a plan: one made while the table was small would go on reading all of it. With LIMIT, it looks up.
_LOOKED_UP: Final = "LATERAL (SELECT * FROM messages WHERE {same} LIMIT 1) AS messages ON TRUE"
_STANDING: Final = InWords(
    _ASKED.format(
        n="given.key",
        room="json_extract(given.value, '$[0]')",
        author="json_extract(given.value, '$[1]')",
        known="messages ON " + _SAME_KEY.format(key="json_extract(given.value, '$[2]')"),
        now=NOW_SQLITE,
        given="json_each(?) AS given",
    ),
    _ASKED.format(
        n="given.n - 1",
        room="given.room_id",
        author="given.author_id",
        known=_LOOKED_UP.format(same=_SAME_KEY.format(key="given.key")),
        now=NOW_POSTGRESQL,
        given="unnest($1::bigint[], $2::bigint[], $3::text[]) WITH ORDINALITY"
        " AS given (room_id, author_id, key, n)",
    ),
)

_COLUMNS: Final = """room_id, seq, changed_seq, kind, author_id, key, key_hash, body, at, marks, reply_seq, thread_seq,
    files"""
_STORE_POSTGRESQL: Final = f"""
    WITH stored AS (
        INSERT INTO messages ({_COLUMNS})
        SELECT room_id, seq, seq, 'message', author_id, key, key_hash, body, at, marks, reply_seq, thread_seq, files
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bytea[], $6::text[], $7::bigint[],
            $8::text[], $9::bigint[], $10::bigint[], $11::text[])
            AS fresh (room_id, seq, author_id, key, key_hash, body, at, marks, reply_seq, thread_seq, files)
    )
    UPDATE rooms SET last_seq = newest.seq, last_at = newest.at
    FROM unnest($12::bigint[], $13::bigint[], $14::bigint[]) AS newest (id, seq, at) WHERE rooms.id = newest.id
    """  # noqa: S608  only constants of ours
_STORE_SQLITE: Final = f"""
    INSERT INTO messages ({_COLUMNS})
    VALUES (?1, ?2, ?2, 'message', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"""  # noqa: S608  only constants of ours
_ADVANCE_SQLITE: Final = "UPDATE rooms SET last_seq = ?2, last_at = ?3 WHERE id = ?1"


async def apply_posts(
    tx: Transaction, posts: Sequence[PostMessage]
) -> tuple[list[Outcome], Committed]:
    """Stores posts under their rooms' next numbers, in the given order; one outcome for each.

    A key that is known gives back the stored message, or a conflict if it was sent with other words or as an answer to
    something else. A file is in one message only. Rooms are locked in the order of their ids, so batches of two
    processes cannot deadlock.
    """
    locked = await tx.ask(_LOCK, sorted({post.room_id for post in posts}))
    rooms = {row[0]: _Room(*row) for row in locked}
    last = {room.id: room.last_seq for room in rooms.values()}
    asked = await tx.ask(
        _STANDING,
        [post.room_id for post in posts],
        [post.actor_id for post in posts],
        [post.key for post in posts],
    )
    standing = {row[0]: _Asked(*row) for row in asked}  # by the place of the post
    barred = await _barred(tx, posts, rooms, standing)
    named = _named(posts, standing, barred, rooms)
    marks = await _marks(tx, named)
    answered = await find_answered(tx, posts) if any(post.reply for post in posts) else {}
    loose = await files.loose(tx, {id_ for post in posts for id_ in post.files})
    told: list[tuple[Named, int, list[Mark]]] = []
    before: list[tuple[int, int]] = []  # messages with names that are known already
    outcomes: list[Outcome] = []
    fresh: list[tuple[Message, bytes]] = []
    taken: dict[tuple[int, int, str], tuple[Message, bytes]] = {}  # keys of this batch
    for n, post in enumerate(posts):
        row = standing.get(n)
        key = (post.room_id, post.actor_id, post.key)
        if row is None:
            outcomes.append(barred[n])
        elif (stored := taken.get(key) or _stored(post, row)) is not None:
            same = stored[1] == post.body_hash
            if same and key not in taken and stored[0].marks:
                before.append((post.room_id, stored[0].seq))
            outcomes.append(stored[0] if same else Conflict("key_reused"))
        elif n in barred:
            outcomes.append(barred[n])
        elif post.reply and (post.room_id, post.reply) not in answered:
            outcomes.append(Invalid({"reply": "reply_gone"}))
        elif (mine := loose.take(post.actor_id, post.room_id, post.files)) is None:
            outcomes.append(Invalid({"files": "file_gone"}))
        else:
            seq = last[post.room_id] = last[post.room_id] + 1
            if found := marks.get(n):
                told.append((named[n], seq, found))
            packed = mentions.packed(found) if found else None
            to = answered[post.room_id, post.reply] if post.reply else None
            carried = loose.put(mine, seq)
            message = _message(post, row, seq, seq, post.body, row.now, packed, carried, to)
            taken[key] = (message, post.body_hash)
            fresh.append((message, post.body_hash))
            outcomes.append(message)
    answers = [message for message, _ in fresh if message.reply_seq is not None]
    roots = _grown(answers, answered, last)
    if fresh:
        await _store(tx, fresh, last)
        await loose.store(tx)
    among_few = {message.room_id for message, _ in fresh if rooms[message.room_id].is_direct}
    return outcomes, Committed(
        messages=[message for message, _ in fresh] + roots,
        mentioned=await mentioned.store(tx, told, before) if told or before else {},
        followers=await threads.store(tx, roots, answers) if roots else {},
        sidebars=await direct.show_again(tx, among_few),
        linked=[message for message, _ in fresh if "://" in message.body],
    )


def _grown(
    answers: Sequence[Message],
    answered: dict[tuple[int, int], Answered],
    last: dict[int, int],
) -> list[Message]:
    """The first messages of the threads that these belong to, each changed once, under the next number in `last`."""
    by_thread: dict[tuple[int, int], list[Message]] = {}
    for answer in answers:
        by_thread.setdefault((answer.room_id, answer.thread_seq or 0), []).append(answer)
    roots = []
    for (room_id, _), some in by_thread.items():
        last[room_id] += 1
        root = answered[room_id, some[0].reply_seq or 0].root
        roots.append(threads.grown(root, some, last[room_id]))
    return roots


def _stand(post: PostMessage, room: _Room, row: _Asked) -> policy.Stand:
    """How the author of a post stands in its room."""
    if room.owner_id == post.actor_id and not room.is_direct:
        row = row._replace(role="owner")
    is_guest = bool(row.is_guest) and row.role != "owner"
    return policy.stand_of(room, row, is_admin=bool(row.is_admin), is_guest=is_guest, now=row.now)


async def _barred(
    tx: Transaction,
    posts: Sequence[PostMessage],
    rooms: dict[int, _Room],
    standing: dict[int, _Asked],
) -> dict[int, Refused]:
    """Posts, by their place, that their authors may not store. One question more when one of them is no member, one for
    all slow rooms, and one for all conversations of two."""
    barred: dict[int, Refused] = {}
    between: dict[int, tuple[int, int]] = {}  # who reads, and who writes
    slow: list[int] = []
    outside: list[int] = []
    for n, post in enumerate(posts):
        room, row = rooms.get(post.room_id), standing.get(n)
        if room is None or row is None:
            outside.append(n)
            continue
        if (other := room.other(post.actor_id)) is not None:
            between[n] = other, post.actor_id
        if not room.is_ordinary or row.muted_until is not None:
            stand = _stand(post, room, row)
            refusal = stand.refusal("post")
            if refusal is not None:
                barred[n] = refusal
            elif room.slow_seconds and not stand.may("hurry"):
                slow.append(n)
    if outside:
        pairs = [(posts[n].room_id, posts[n].actor_id) for n in outside]
        known = await memberships.standings(tx, pairs)
        for n, pair in zip(outside, pairs, strict=True):
            barred[n] = memberships.outside(known[pair])
    if between:
        stopped = await blocks.among(tx, sorted(set(between.values())))
        barred |= {n: Forbidden("undeliverable") for n, pair in between.items() if pair in stopped}
    if slow:
        barred |= await slowness.too_soon(
            tx,
            [(n, posts[n], rooms[posts[n].room_id].slow_seconds, standing[n].now) for n in slow],
        )
    return barred


def _named(
    posts: Sequence[PostMessage],
    standing: dict[int, _Asked],
    barred: dict[int, Refused],
    rooms: dict[int, _Room],
) -> dict[int, Named]:
    """Those posts, by their place, that are new and may mention somebody. Who may call everybody in a room is for
    `policy` to say."""
    found: dict[int, Named] = {}
    for n, post in enumerate(posts):
        row = standing.get(n) if "@" in post.body else None
        if row is None or row.seq is not None or n in barred:
            continue
        signs = mentions.signs(post.body)
        if signs:
            may_call_all = _stand(post, rooms[post.room_id], row).may("call_all")
            found[n] = Named(post.room_id, post.actor_id, signs, may_call_all, post.here)
    return found


async def _marks(tx: Transaction, named: dict[int, Named]) -> dict[int, list[Mark]]:
    if not named:
        return {}
    return dict(zip(named, await mentioned.find(tx, list(named.values())), strict=True))


def _stored(post: PostMessage, row: _Asked) -> tuple[Message, bytes] | None:
    """What an earlier transaction stored under this key, and the hash of the body it came with."""
    if row.seq is None:
        return None
    message = _message(post, row, row.seq, row.changed_seq, row.body, row.at, row.marks)
    return message, bytes(row.key_hash)


def _message(
    post: PostMessage,
    row: _Asked,
    seq: int,
    changed_seq: int,
    body: str,
    at: int,
    marks: str | None,
    files: str | None = None,
    to: Answered | None = None,
) -> Message:
    return Message(
        post.room_id,
        seq,
        changed_seq,
        "message",
        post.actor_id,
        row.name,
        row.hue,
        post.key,
        body,
        at,
        marks,
        reply_seq=to and to.quote.seq,
        thread_seq=to and to.root.seq,
        files=files,
        quote=to and to.quote,
        author_avatar=row.avatar,
    )


async def _store(
    tx: Transaction, fresh: Sequence[tuple[Message, bytes]], last: dict[int, int]
) -> None:
    """`last`: the last numbers of the rooms after this batch."""
    rows = [
        (
            *(m.room_id, m.seq, m.author_id, m.key, hashed),
            *(m.body, m.at, m.marks, m.reply_seq, m.thread_seq, m.files),
        )
        for m, hashed in fresh
    ]
    newest = list({m.room_id: (m.room_id, last[m.room_id], m.at) for m, _ in fresh}.values())
    if tx.is_sqlite:
        await tx.change(_STORE_SQLITE, rows)
        await tx.change(_ADVANCE_SQLITE, newest)
    else:
        columns = [*zip(*rows, strict=True), *zip(*newest, strict=True)]
        await tx.change(_STORE_POSTGRESQL, [tuple(map(list, columns))])
