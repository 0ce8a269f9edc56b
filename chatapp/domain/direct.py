"""Direct rooms: a few people among themselves. The same people are always the same room, whoever opens it.

Nobody comes or goes. A conversation that somebody does not want to see is hidden until something is said in it.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from chatapp.database import Transaction
from chatapp.domain import blocks, text
from chatapp.domain import memberships as members
from chatapp.domain.commands import Committed, OpenDirect
from chatapp.domain.log import add_event
from chatapp.domain.memberships import Reader
from chatapp.domain.users import Person
from chatapp.errors import Invalid, Missing
from chatapp.reading import InWords
from chatapp.tables import memberships, now_ms, rooms, users

PEOPLE_MOST: Final = 10
SHOWN_MOST: Final = 50


def reachable(user_id: int) -> Any:
    """Of `users`, those whom somebody may write to, as a condition: everybody with an account; but guests, and others
    to guests, only where they share a room."""
    me = users.alias("me")
    is_guest = select(me.c.id).where(me.c.id == user_id, me.c.is_guest).exists()
    anybody = and_(~users.c.is_guest, ~is_guest)
    is_there = and_(users.c.deleted_at.is_(None), users.c.deactivated_at.is_(None))
    return and_(users.c.id != user_id, is_there, or_(anybody, share(user_id)))


def share(user_id: int) -> Any:
    """Of `users`, those who are in a room with somebody."""
    mine, theirs = memberships.alias("mine"), memberships.alias("theirs")
    return (
        select(mine.c.room_id)
        .join(theirs, theirs.c.room_id == mine.c.room_id)
        .where(mine.c.user_id == user_id, mine.c.is_active)
        .where(theirs.c.user_id == users.c.id, theirs.c.is_active)
        .correlate(users)
        .exists()
    )


async def people(reader: Reader, user_id: int, search: str) -> list[Person]:
    """Whom somebody may write to and knows: from a room they share, or by their full name. At most `SHOWN_MOST`: those
    whose name begins with what was typed first."""
    key = text.search_key(search)
    query = (
        select(users.c.id, users.c.name, users.c.hue, users.c.avatar)
        .where(reachable(user_id), or_(share(user_id), users.c.name_key == key))
        .order_by(
            case((users.c.name_key.startswith(key, autoescape=True), 0), else_=1),
            users.c.name_key,
            users.c.id,
        )
        .limit(SHOWN_MOST)
    )
    if key:
        query = query.where(users.c.name_key.contains(key, autoescape=True))
    return [
        Person(row.id, row.name, row.hue, avatar=row.avatar)
        for row in await reader.fetch_all(query)
    ]


async def named(reader: Reader, user_id: int, names: Sequence[str]) -> list[int]:
    """The people of these names, as somebody typed them. Raises `Invalid`."""
    keys = {text.search_key(name) for name in names} - {""}
    if len(keys) >= 2 * PEOPLE_MOST:
        raise Invalid({"names": "direct_people"}, most=PEOPLE_MOST)
    rows = await reader.fetch_all(
        select(users.c.id).where(reachable(user_id), users.c.name_key.in_(sorted(keys)))
    )
    if len(rows) != len(keys):
        raise Invalid({"names": "nobody_named"})
    return [row.id for row in rows]


async def apply_open(tx: Transaction, command: OpenDirect) -> Committed:
    """The room of these people, made when there is none yet. Two who open it at once get the same one.

    Raises `Missing` when somebody is not to be reached, `Invalid` for nobody or too many.
    """
    others = sorted(set(command.user_ids) - {command.actor_id})
    if not 0 < len(others) < PEOPLE_MOST:
        raise Invalid({"names": "direct_people"}, most=PEOPLE_MOST)
    found = await tx.fetch_all(
        select(users.c.id).where(reachable(command.actor_id), users.c.id.in_(others))
    )
    if len(found) != len(others):
        raise Missing("person_gone")
    everybody = sorted([command.actor_id, *others])
    key = " ".join(map(str, everybody))
    of_key = select(rooms.c.id).where(rooms.c.direct_key == key)
    known = await tx.fetch_value(of_key)
    if known is not None:
        return Committed(int(known))
    if len(others) == 1 and await blocks.is_blocked(tx, others[0], command.actor_id):
        raise Invalid({"names": "undeliverable"})
    into = sqlite.insert if tx.is_sqlite else postgresql.insert
    row = await tx.fetch_one(
        into(rooms)
        .values(
            name="",
            name_key=text.hidden_key(""),
            topic="",
            topic_key="",
            kind="direct",
            direct_key=key,
            owner_id=command.actor_id,
            created_at=now_ms(),
            last_at=now_ms(),
            last_seq=0,
            changed_seq=0,
        )
        .on_conflict_do_nothing()
        .returning(rooms)
    )
    if row is None:  # another process was quicker
        return Committed(int(await tx.fetch_value(of_key)))
    event = await add_event(tx, row, command.actor_id, "created", "direct")
    for user_id in everybody:
        await members.enter(tx, row.id, user_id, event)
    await tx.execute(  # until something is said it is there for who opened it
        update(memberships)
        .where(memberships.c.room_id == row.id, memberships.c.user_id != command.actor_id)
        .values(notify="hidden")
    )
    return Committed(row.id, messages=[event], sidebars=set(everybody))


_SHOW: Final = InWords(
    """
    UPDATE memberships SET notify = 'all'
    WHERE room_id IN (SELECT value FROM json_each(?)) AND notify = 'hidden' AND is_active
    RETURNING user_id""",
    """
    UPDATE memberships SET notify = 'all'
    WHERE room_id = ANY($1::bigint[]) AND notify = 'hidden' AND is_active
    RETURNING user_id""",
)


async def show_again(tx: Transaction, room_ids: Collection[int]) -> set[int]:
    """Something was said in these direct rooms, or a call began: who had hidden them sees them again."""
    return {row[0] for row in await tx.ask(_SHOW, sorted(room_ids))} if room_ids else set()
