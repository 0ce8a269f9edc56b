"""Who may do what in a room: the one table that pages, socket and commands go by.

A `Stand` is how somebody stands in a room at one moment. Commands ask for it inside the writer's transaction, with the
room locked: what was allowed is what is stored. A room that somebody may not know of is missing, whatever they ask.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import and_, case, false, or_, select

from chatapp.errors import Forbidden, Missing, Refused, SignedOut
from chatapp.reading import InWords
from chatapp.tables import blocks, memberships, now_ms, rooms, users

ROLES: Final = ("owner", "moderator", "member", "guest", "administrator", "outsider")

# The owner is in rooms.owner_id; a guest is a member who is in no room but those they were brought into. The column of
# the site's administrator counts beside what they are in the room, in open rooms, and in others they are in.
_TABLE: Final = """
    action        owner  moderator  member  guest  administrator  outsider
    join          yes    yes        yes     yes    yes            yes
    read          yes    yes        yes     yes    -              -
    leave         yes    yes        yes     yes    -              -
    post          yes    yes        yes     yes    -              -
    react         yes    yes        yes     yes    -              -
    change        yes    yes        yes     yes    -              -
    pin           yes    yes        yes     yes    -              -
    call          yes    yes        yes     yes    -              -
    report        yes    yes        yes     yes    -              -
    announce      yes    yes        -       -      -              -
    hurry         yes    yes        -       -      -              -
    call_all      yes    yes        -       -      yes            -
    delete        yes    yes        -       -      yes            -
    add           yes    yes        -       -      yes            -
    moderate      yes    yes        -       -      yes            -
    audit         yes    yes        -       -      yes            -
    appoint       yes    -          -       -      yes            -
    edit_room     yes    -          -       -      yes            -
    shape         yes    -          -       -      yes            -
    archive       yes    -          -       -      yes            -
    delete_room   yes    -          -       -      yes            -
"""
# change: their own messages; announce: post where only few may; hurry: post in a slow room without waiting;
# call_all: @room; delete: messages of others; shape: who finds the room and how people talk in it.

ACTIONS: Final = {
    row[0]: frozenset(role for role, may in zip(ROLES, row[1:], strict=True) if may == "yes")
    for row in map(str.split, _TABLE.strip().splitlines()[1:])
}
_OF_DIRECT: Final = frozenset({"read", "post", "react", "change", "pin", "call"})
_OF_ARCHIVED: Final = frozenset({"read", "leave", "audit", "archive", "delete_room"})
_OF_MUTED: Final = frozenset(ACTIONS) - {"post", "react", "change", "pin", "announce"}
_OF_BLOCKED: Final = frozenset(ACTIONS) - {"post", "react", "pin", "call"}
_WORDS: Final = {"delete": "not_moderator", "moderate": "not_moderating", "add": "not_moderating"}


class Stand(NamedTuple):
    """Somebody in a room. `role` '': they may not know that there is a room. Times in milliseconds since 1970.
    `is_blocked`: by the one other person of a direct room."""

    role: str
    kind: str = "open"
    is_admin: bool = False
    is_archived: bool = False
    is_announcement: bool = False
    muted_until: int | None = None
    now: int = 0
    is_blocked: bool = False

    @property
    def is_member(self) -> bool:
        return self.role not in {"", "outsider"}

    @property
    def is_muted(self) -> bool:
        return self.muted_until is not None and self.muted_until > self.now

    def may(self, action: str) -> bool:
        return self.refusal(action) is None

    def require(self, action: str) -> None:
        """Raises `Missing`, `Forbidden`."""
        refusal = self.refusal(action)
        if refusal is not None:
            raise refusal

    def refusal(self, action: str) -> Refused | None:
        """Why they may not; None: they may."""
        if not self.role:
            return Missing("room_gone")
        allowed = ACTIONS[action]
        as_admin = self.is_admin and self.kind != "direct" and "administrator" in allowed
        if self.role not in allowed and not as_admin:
            if not self.is_member and "member" in allowed:
                return Forbidden("not_member")
            return Forbidden(_WORDS.get(action, "not_manager"))
        if self.kind == "direct" and action not in _OF_DIRECT:
            return Forbidden("direct_room")
        if self.is_archived and action not in _OF_ARCHIVED:
            return Forbidden("room_archived")
        if self.is_blocked and action not in _OF_BLOCKED:
            return Forbidden("undeliverable")
        if self.is_muted and action not in _OF_MUTED:
            return Forbidden("muted")
        if action == "post" and self.is_announcement and not self.may("announce"):
            return Forbidden("announcement")
        return None


class Asks(Protocol):
    """The database, a snapshot of it, or a transaction."""

    async def fetch_one(self, query: Any, /) -> Any: ...

    async def ask(self, query: InWords, *columns: list[Any]) -> Sequence[Any]: ...


NOBODY: Final = Stand("")


def stand_of(room: Any, member: Any, *, is_admin: bool, is_guest: bool, now: int) -> Stand:
    """From rows: `room` of `rooms`; `member` has `role` and `muted_until`, None for who is no member."""
    muted_until = None
    if member is not None:
        muted_until = member.muted_until
        role = "guest" if is_guest else str(member.role)
        if room.kind == "direct":
            role = "member"
    elif room.kind != "open" or is_guest or (room.archived_at is not None and not is_admin):
        return NOBODY
    else:
        role = "outsider"
    return Stand(
        role,
        room.kind,
        is_admin,
        room.archived_at is not None,
        bool(room.is_announcement),
        muted_until,
        now,
    )


def _blocked(user_id: int) -> Any:
    """Of `rooms`: whether it is a direct one of two, and the other does not want to hear from somebody."""
    theirs = memberships.alias("theirs")
    by_other = (
        select(blocks.c.at)
        .join(theirs, theirs.c.user_id == blocks.c.blocker_id)
        .where(theirs.c.room_id == rooms.c.id, blocks.c.blocked_id == user_id)
        .correlate(rooms)
        .exists()
    )
    among_two = rooms.c.direct_key.not_like("% % %")
    return case((and_(rooms.c.kind == "direct", among_two), by_other), else_=false())


async def of(reader: Asks, room_id: int, user_id: int) -> Stand:
    """How somebody stands in a room just now. Raises `SignedOut` for who has no account any more."""
    row = await reader.fetch_one(
        select(
            rooms.c.kind,
            rooms.c.owner_id,
            rooms.c.archived_at,
            rooms.c.is_announcement,
            memberships.c.role,
            memberships.c.muted_until,
            users.c.is_admin,
            users.c.is_guest,
            now_ms().label("now"),
            _blocked(user_id).label("is_blocked"),
        )
        .select_from(
            rooms.outerjoin(
                users, (users.c.id == user_id) & users.c.deleted_at.is_(None)
            ).outerjoin(
                memberships,
                and_(
                    memberships.c.room_id == rooms.c.id,
                    memberships.c.user_id == user_id,
                    memberships.c.is_active,
                ),
            )
        )
        .where(rooms.c.id == room_id)
    )
    if row is None:
        return NOBODY
    if row.is_admin is None:
        raise SignedOut("signed_out")
    member = None if row.role is None else row
    stand = stand_of(
        row, member, is_admin=bool(row.is_admin), is_guest=bool(row.is_guest), now=row.now
    )
    if row.is_blocked:
        stand = stand._replace(is_blocked=True)
    is_owner = member is not None and row.owner_id == user_id and row.kind != "direct"
    return stand._replace(role="owner") if is_owner else stand


async def require(reader: Asks, room_id: int, user_id: int, action: str) -> Stand:
    """The same for whoever may do this. Raises `Missing`, `Forbidden`."""
    stand = await of(reader, room_id, user_id)
    stand.require(action)
    return stand


# -- which rooms somebody may find -------------------------------------------------


def findable(user_id: int) -> Any:
    """Of `rooms`, those that somebody finds without being in them, as a condition."""
    may_look = select(users.c.id).where(users.c.id == user_id, ~users.c.is_guest).exists()
    return and_(rooms.c.kind == "open", rooms.c.archived_at.is_(None), may_look)


def listed(user_id: int, joined: Any) -> Any:
    """Of `rooms`, those in the list of all rooms, as a condition. `joined`: those they are in."""
    return or_(and_(joined, rooms.c.kind != "direct"), findable(user_id))


# The same in words, about the row `rooms`, for who is no member of it.
KNOWN: Final = """
    rooms.kind = 'open' AND EXISTS (SELECT 1 FROM users
        WHERE users.id = {user} AND NOT users.is_guest AND (rooms.archived_at IS NULL OR users.is_admin))"""
