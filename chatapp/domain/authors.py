"""Who posts, as they stand while their posts are stored: their rooms locked, themselves read, and who may not."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from chatapp.database import Transaction
from chatapp.domain import blocks, memberships, policy, slowness
from chatapp.domain.commands import PostMessage
from chatapp.errors import Forbidden, Refused
from chatapp.reading import InWords
from chatapp.tables import NOW_POSTGRESQL, NOW_SQLITE


class Room(NamedTuple):
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


class Author(NamedTuple):
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
_EACH: Final = """
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
    _EACH.format(
        n="given.key",
        room="json_extract(given.value, '$[0]')",
        author="json_extract(given.value, '$[1]')",
        known="messages ON " + _SAME_KEY.format(key="json_extract(given.value, '$[2]')"),
        now=NOW_SQLITE,
        given="json_each(?) AS given",
    ),
    _EACH.format(
        n="given.n - 1",
        room="given.room_id",
        author="given.author_id",
        known=_LOOKED_UP.format(same=_SAME_KEY.format(key="given.key")),
        now=NOW_POSTGRESQL,
        given="unnest($1::bigint[], $2::bigint[], $3::text[]) WITH ORDINALITY"
        " AS given (room_id, author_id, key, n)",
    ),
)


async def read(
    tx: Transaction, posts: Sequence[PostMessage]
) -> tuple[dict[int, Room], dict[int, Author]]:
    """The rooms, locked in the order of their ids, and the authors who are members, by the place of their post."""
    locked = await tx.ask(_LOCK, sorted({post.room_id for post in posts}))
    asked = await tx.ask(
        _STANDING,
        [post.room_id for post in posts],
        [post.actor_id for post in posts],
        [post.key for post in posts],
    )
    return {row[0]: Room(*row) for row in locked}, {row[0]: Author(*row) for row in asked}


def stand(post: PostMessage, room: Room, row: Author) -> policy.Stand:
    """How the author of a post stands in its room."""
    if room.owner_id == post.actor_id and not room.is_direct:
        row = row._replace(role="owner")
    is_guest = bool(row.is_guest) and row.role != "owner"
    return policy.stand_of(room, row, is_admin=bool(row.is_admin), is_guest=is_guest, now=row.now)


async def barred(
    tx: Transaction,
    posts: Sequence[PostMessage],
    rooms: dict[int, Room],
    standing: dict[int, Author],
) -> dict[int, Refused]:
    """Posts, by their place, that their authors may not store. One question more when one of them is no member, one for
    all slow rooms, and one for all conversations of two."""
    refused: dict[int, Refused] = {}
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
            author = stand(post, room, row)
            refusal = author.refusal("post")
            if refusal is not None:
                refused[n] = refusal
            elif room.slow_seconds and not author.may("hurry"):
                slow.append(n)
    if outside:
        pairs = [(posts[n].room_id, posts[n].actor_id) for n in outside]
        known = await memberships.standings(tx, pairs)
        for n, pair in zip(outside, pairs, strict=True):
            refused[n] = memberships.outside(known[pair])
    if between:
        stopped = await blocks.among(tx, sorted(set(between.values())))
        refused |= {n: Forbidden("undeliverable") for n, pair in between.items() if pair in stopped}
    if slow:
        refused |= await slowness.too_soon(
            tx,
            [(n, posts[n], rooms[posts[n].room_id].slow_seconds, standing[n].now) for n in slow],
        )
    return refused
