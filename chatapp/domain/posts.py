"""Storing posts, many at once: the path that decides how much a room can take.

Five statements for a batch of any size (with BEGIN and COMMIT), written out for each database, since what makes them
quick differs: PostgreSQL takes each column as one array, SQLite takes the questions as JSON and the rows one by one.
Up to three more when somebody is mentioned, five when something is answered, two when there are files, and one for all
conversations of two.
"""

from collections.abc import Sequence
from typing import Final

from chatapp.database import Transaction
from chatapp.domain import authors, direct, files, mentioned, mentions, threads
from chatapp.domain.answered import Answered, find_answered
from chatapp.domain.authors import Author, Room
from chatapp.domain.commands import Committed, Message, PostMessage
from chatapp.domain.mentioned import Named
from chatapp.domain.mentions import Mark
from chatapp.errors import Conflict, Invalid, Refused

Outcome = Message | Refused


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
    rooms, standing = await authors.read(tx, posts)
    last = {room.id: room.last_seq for room in rooms.values()}
    barred = await authors.barred(tx, posts, rooms, standing)
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


def _named(
    posts: Sequence[PostMessage],
    standing: dict[int, Author],
    barred: dict[int, Refused],
    rooms: dict[int, Room],
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
            may_call_all = authors.stand(post, rooms[post.room_id], row).may("call_all")
            found[n] = Named(post.room_id, post.actor_id, signs, may_call_all, post.here)
    return found


async def _marks(tx: Transaction, named: dict[int, Named]) -> dict[int, list[Mark]]:
    if not named:
        return {}
    return dict(zip(named, await mentioned.find(tx, list(named.values())), strict=True))


def _stored(post: PostMessage, row: Author) -> tuple[Message, bytes] | None:
    """What an earlier transaction stored under this key, and the hash of the body it came with."""
    if row.seq is None:
        return None
    message = _message(post, row, row.seq, row.changed_seq, row.body, row.at, row.marks)
    return message, bytes(row.key_hash)


def _message(
    post: PostMessage,
    row: Author,
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
