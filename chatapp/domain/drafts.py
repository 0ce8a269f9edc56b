"""What somebody has written in a room and not sent yet: one text for each member and room, the same on all devices.

Each draft carries the moment it was stored, `at` (milliseconds, of the database), which rises with every change, and
the tab that wrote it. A tab tells which `at` its text builds upon: it replaces that one, or what it wrote itself, and
nothing else. So of two devices none undoes unseen what was written at the other; whoever is refused reads what there
is and decides. An empty draft is no draft: its row goes, and `at` is 0.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, select

from chatapp.database import Transaction
from chatapp.domain import text
from chatapp.errors import Invalid
from chatapp.reading import InWords
from chatapp.tables import MESSAGE_CHARACTERS, NOW_POSTGRESQL, NOW_SQLITE, drafts

Pair = tuple[int, int]  # room, user


class Draft(NamedTuple):
    at: int
    body: str
    tab: str


class Save(NamedTuple):
    """`body` is regular (`regular`). `base`: the `at` it builds upon, 0 for none."""

    body: str
    base: int
    tab: str


NOTHING: Final = Draft(0, "", "")


def regular(body: str) -> str:
    """A draft as it is stored: as it was typed, blank ends too, or '' when nothing of it would be seen. Raises
    `Invalid` for the field `body`."""
    if len(body) > MESSAGE_CHARACTERS:
        raise Invalid({"body": "message_too_long"})
    if text.has_unsendable(body):
        raise Invalid({"body": "message_characters"})
    return body if text.is_visible(body) else ""


async def find(reader: Any, room_id: int, user_id: int) -> Draft:
    """Of a member; whether they are one is the caller's question."""
    row = await reader.fetch_one(
        select(drafts.c.at, drafts.c.body, drafts.c.tab).where(
            drafts.c.room_id == room_id, drafts.c.user_id == user_id
        )
    )
    return NOTHING if row is None else Draft(*row)


_STATES: Final = """
    SELECT memberships.room_id, memberships.user_id,
        coalesce(drafts.at, 0), coalesce(drafts.body, ''), coalesce(drafts.tab, '')
    FROM {given}
    CROSS JOIN memberships
    LEFT JOIN drafts ON drafts.room_id = memberships.room_id AND drafts.user_id = memberships.user_id
    WHERE memberships.room_id = {room} AND memberships.user_id = {user} AND memberships.is_active"""
_OF_PAIRS: Final = InWords(
    _STATES.format(
        given="json_each(?) AS given",
        room="json_extract(given.value, '$[0]')",
        user="json_extract(given.value, '$[1]')",
    ),
    _STATES.format(
        given="unnest($1::bigint[], $2::bigint[]) AS given (room_id, user_id)",
        room="given.room_id",
        user="given.user_id",
    ),
)


async def states(reader: Any, pairs: Sequence[Pair]) -> dict[Pair, Draft]:
    """The draft of each of these (room, user); those who are no members are missing from the answer."""
    rows = await reader.ask(_OF_PAIRS, [room for room, _ in pairs], [user for _, user in pairs])
    return {(row[0], row[1]): Draft(*row[2:]) for row in map(tuple, rows)}


# room ?1, user ?2, body ?3, base ?4, tab ?5
_MEMBER: Final = """EXISTS (SELECT 1 FROM memberships WHERE memberships.room_id = {room}
        AND memberships.user_id = {user} AND memberships.is_active)"""
_REPLACE_SQLITE: Final = f"""
    UPDATE drafts SET body = ?3, tab = ?5, at = max(at + 1, {NOW_SQLITE})
    WHERE room_id = ?1 AND user_id = ?2 AND (at = ?4 OR tab = ?5) AND ?3 <> body
        AND {_MEMBER.format(room="?1", user="?2")}"""  # noqa: S608  only constants of ours
_ADD_SQLITE: Final = f"""
    INSERT INTO drafts (room_id, user_id, body, at, tab)
    SELECT ?1, ?2, ?3, {NOW_SQLITE}, ?5 WHERE {_MEMBER.format(room="?1", user="?2")}
    ON CONFLICT DO NOTHING"""
_REMOVE_SQLITE: Final = """
    DELETE FROM drafts WHERE room_id = ?1 AND user_id = ?2 AND (at = ?4 OR tab = ?5) AND ?3 = ''"""

_GIVEN: Final = """unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])
        AS given (room_id, user_id, body, base, tab)"""
_THEIRS: Final = """drafts.room_id = given.room_id AND drafts.user_id = given.user_id
        AND (drafts.at = given.base OR drafts.tab = given.tab)"""
_REPLACE_POSTGRESQL: Final = f"""
    UPDATE drafts SET body = given.body, tab = given.tab, at = greatest(drafts.at + 1, {NOW_POSTGRESQL})
    FROM {_GIVEN}
    WHERE {_THEIRS} AND given.body <> drafts.body
        AND {_MEMBER.format(room="given.room_id", user="given.user_id")}"""  # noqa: S608  only constants of ours
_ADD_POSTGRESQL: Final = f"""
    INSERT INTO drafts (room_id, user_id, body, at, tab)
    SELECT given.room_id, given.user_id, given.body, {NOW_POSTGRESQL}, given.tab FROM {_GIVEN}
    WHERE {_MEMBER.format(room="given.room_id", user="given.user_id")}
    ON CONFLICT DO NOTHING"""  # noqa: S608  only constants of ours
_REMOVE_POSTGRESQL: Final = f"DELETE FROM drafts USING {_GIVEN} WHERE {_THEIRS}"  # noqa: S608  only constants of ours


async def apply_saves(tx: Transaction, saves: dict[Pair, Save]) -> None:
    """Stores what may be stored: what a member wrote upon what there is. Safe to repeat."""
    rows = [(*pair, *save) for pair, save in sorted(saves.items())]
    written = [row for row in rows if row[2]]
    emptied = [row for row in rows if not row[2]]
    if tx.is_sqlite:
        steps = ((_REPLACE_SQLITE, written), (_ADD_SQLITE, written), (_REMOVE_SQLITE, emptied))
    else:
        steps = (
            (_REPLACE_POSTGRESQL, _columns(written)),
            (_ADD_POSTGRESQL, _columns(written)),
            (_REMOVE_POSTGRESQL, _columns(emptied)),
        )
    for sql, given in steps:
        if given:
            await tx.change(sql, given)


def _columns(rows: list[Any]) -> list[Any]:
    return [tuple(map(list, zip(*rows, strict=True)))] if rows else []


async def apply_sent(tx: Transaction, room_id: int, user_id: int, at: int) -> None:
    """The draft of that moment was sent."""
    await tx.execute(
        delete(drafts).where(
            drafts.c.room_id == room_id, drafts.c.user_id == user_id, drafts.c.at == at
        )
    )


async def forget(tx: Transaction, room_id: int, user_id: int) -> None:
    """Somebody is no longer a member. What they had not sent goes with them."""
    await tx.execute(delete(drafts).where(drafts.c.room_id == room_id, drafts.c.user_id == user_id))
