"""Reactions: who answered a message with which emoji.

The table has a row for each person and emoji. What the rows come to stands with the message as JSON, so that reading a
page joins nothing: `[[emoji, total, ids of those who came first], …]`, emoji in the order of their first use.
What people who ended their account reacted stays, as their messages do.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import delete, insert, select

from chatapp.database import Transaction
from chatapp.domain import messages, policy
from chatapp.domain.commands import Committed, Message, React
from chatapp.domain.log import lock_room, lock_user
from chatapp.domain.memberships import Reader
from chatapp.domain.text import initials
from chatapp.errors import Invalid, Missing, Refused
from chatapp.tables import reactions, users

EMOJI_MOST: Final = 20  # different ones on a message
LISTED_MOST: Final = 50  # people whose ids stand with the message, for each emoji
PAGE: Final = 100  # people
NAMED_MOST: Final = 10  # in the words about who reacted


class Reaction(NamedTuple):
    """An emoji of a message. `user_ids`: of the first who chose it, at most `LISTED_MOST`."""

    emoji: str
    total: int
    user_ids: tuple[int, ...]

    @property
    def is_crowded(self) -> bool:
        """Whether there are people whose ids do not stand with the message."""
        return self.total > len(self.user_ids)


_decode: Final = msgspec.json.Decoder(list[Reaction]).decode


def unpacked(text: str | None) -> list[Reaction]:
    return _decode(text) if text else []


def packed(found: Sequence[Reaction]) -> str | None:
    return msgspec.json.encode(found).decode() if found else None


def is_crowded(message: Message) -> bool:
    return any(each.is_crowded for each in unpacked(message.reactions))


async def apply_react(tx: Transaction, command: React) -> Committed:
    """Takes a number when it changes something. Raises `Missing`, `Forbidden`, `Refused`, `Invalid`."""
    room = await lock_room(tx, command.room_id)
    message = await to_change(tx, room.id, command.actor_id, command.seq, "react")
    mine = _of_message(room.id, command.seq) & (reactions.c.user_id == command.actor_id)
    this = mine & (reactions.c.emoji == command.emoji)
    has = await tx.fetch_value(select(reactions.c.seq).where(this)) is not None
    if has == command.on:
        return Committed(room.id)
    found = unpacked(message.reactions)
    if command.on:
        after = _with(found, command)
        me = await lock_user(tx, command.actor_id)
        await tx.execute(
            insert(reactions).values(
                room_id=room.id,
                seq=command.seq,
                emoji=command.emoji,
                user_id=me.id,
                at=me.now,
            )
        )
    else:
        await tx.execute(delete(reactions).where(this))
        after = await _without(tx, found, command)
    row = await messages.change(tx, room, command.seq, reactions=packed(after))
    return Committed(room.id, messages=[row], patient=True)


async def to_change(tx: Transaction, room_id: int, actor_id: int, seq: int, action: str) -> Message:
    """A message that a member may do something with. Raises `Missing`, `Forbidden`, `Refused`."""
    await policy.require(tx, room_id, actor_id, action)
    message = await messages.find(tx, room_id, seq)
    if message is None or message.kind == "deleted":
        raise Missing("message_gone")
    if message.kind != "message":
        raise Refused("not_a_message")
    return message


def _with(found: list[Reaction], command: React) -> list[Reaction]:
    after = list(found)
    for place, (emoji, count, ids) in enumerate(after):
        if emoji == command.emoji:
            listed = (*ids, command.actor_id) if len(ids) < LISTED_MOST else ids
            after[place] = Reaction(emoji, count + 1, listed)
            return after
    if len(after) >= EMOJI_MOST:
        raise Invalid({"emoji": "reactions_full"}, most=EMOJI_MOST)
    return [*after, Reaction(command.emoji, 1, (command.actor_id,))]


async def _without(tx: Transaction, found: list[Reaction], command: React) -> list[Reaction]:
    """The row is gone already. Whoever came next takes the place of one who was listed."""
    after = []
    for emoji, count, ids in found:
        listed, left = ids, count
        if emoji == command.emoji:
            left -= 1
            if command.actor_id in ids:
                listed = tuple(each for each in ids if each != command.actor_id)
                if left > len(listed):
                    listed = await _first(tx, command)
        if left > 0:
            after.append(Reaction(emoji, left, listed))
    return after


async def _first(tx: Transaction, command: React) -> tuple[int, ...]:
    query = (
        select(reactions.c.user_id)
        .where(_of_message(command.room_id, command.seq), reactions.c.emoji == command.emoji)
        .order_by(reactions.c.at, reactions.c.user_id)
        .limit(LISTED_MOST)
    )
    return tuple(row.user_id for row in await tx.fetch_all(query))


def _of_message(room_id: int, seq: int) -> Any:
    return (reactions.c.room_id == room_id) & (reactions.c.seq == seq)


# -- reading ------------------------------------------------------------------------------


async def of_user(
    reader: Reader, room_id: int, user_id: int, seqs: Collection[int]
) -> dict[int, set[str]]:
    """With which emoji somebody reacted to these messages (a page of them)."""
    found: dict[int, set[str]] = {}
    if seqs:
        query = select(reactions.c.seq, reactions.c.emoji).where(
            reactions.c.room_id == room_id,
            reactions.c.seq.in_(sorted(seqs)),
            reactions.c.user_id == user_id,
        )
        for row in await reader.fetch_all(query):
            found.setdefault(row.seq, set()).add(row.emoji)
    return found


@dataclass(frozen=True, slots=True)
class Reactor:
    """Somebody who reacted, as they are called now. `at` in milliseconds since 1970."""

    id: int
    name: str
    hue: int
    at: int
    avatar: str | None

    @property
    def initials(self) -> str:
        return initials(self.name)


async def who(reader: Reader, room_id: int, seq: int, emoji: str, page: int = 1) -> list[Reactor]:
    """Those who chose an emoji, `PAGE` at a time, first come first."""
    query = (
        select(users.c.id, users.c.name, users.c.hue, reactions.c.at, users.c.avatar)
        .join_from(reactions, users)
        .where(_of_message(room_id, seq), reactions.c.emoji == emoji)
        .order_by(reactions.c.at, reactions.c.user_id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return [Reactor(*row) for row in await reader.fetch_all(query)]


async def names(reader: Reader, found: Sequence[Reaction]) -> dict[int, str]:
    """What the first `NAMED_MOST` of each emoji are called now."""
    wanted = {each for _, _, ids in found for each in ids[:NAMED_MOST]}
    if not wanted:
        return {}
    rows = await reader.fetch_all(
        select(users.c.id, users.c.name).where(users.c.id.in_(sorted(wanted)))
    )
    return {row.id: row.name for row in rows}
