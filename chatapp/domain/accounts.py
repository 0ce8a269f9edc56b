"""What touches a person in all their rooms at once: a new name, and the end of the account."""

from msgspec.structs import replace
from sqlalchemy import delete, select, union, update

from chatapp.database import Transaction
from chatapp.domain import avatars, blocks, files
from chatapp.domain import memberships as members
from chatapp.domain import rooms as room_rules
from chatapp.domain import users as user_rules
from chatapp.domain.commands import ChangeAvatar, Committed, DeleteAccount, EditProfile
from chatapp.domain.log import add_to_each, lock_site, lock_user
from chatapp.errors import SignedOut
from chatapp.tables import bookmarks, memberships, messages, recoveries, rooms, sessions, users
from chatapp.words import DELETED_ACCOUNT


async def apply_edit_profile(tx: Transaction, command: EditProfile) -> Committed:
    """A new name or colour. An event in each room they ever were in tells open pages; it shows only a former name.

    Raises `Invalid` for a name that somebody else has.
    """
    me = await lock_user(tx, command.actor_id, alone=True)
    if (me.name, me.hue) == (command.name, command.hue):
        return Committed()
    await user_rules.rename(tx, me.id, command.name, command.hue)
    former = "" if me.name == command.name else me.name
    events = await add_to_each(tx, await _ever_in(tx, me.id), me, "profile", former)
    changed = [replace(event, author_name=command.name, author_hue=command.hue) for event in events]
    return Committed(messages=changed, sidebars={me.id})


async def apply_change_avatar(tx: Transaction, command: ChangeAvatar) -> Committed:
    """Another picture, or none. Told like a new colour. Raises `Missing` when the picture was taken away meanwhile."""
    me = await lock_user(tx, command.actor_id, alone=True)
    if me.avatar == command.avatar:
        return Committed()
    await avatars.exchange(tx, me.id, me.avatar, command.avatar)
    events = await add_to_each(tx, await _ever_in(tx, me.id), me, "profile", "")
    changed = [replace(event, author_avatar=command.avatar) for event in events]
    return Committed(messages=changed, sidebars={me.id})


async def apply_delete_account(tx: Transaction, command: DeleteAccount) -> Committed:
    """Leaves every room, passes on those they own, or closes those nobody else is in; then wipes the account.

    If no other administrator is left, the account that was made first becomes one.
    """
    done = Committed(gone_users={command.actor_id})
    try:
        me = await lock_user(tx, command.actor_id, alone=True)
    except SignedOut:
        return done  # ended before
    involved = set()
    for query in (
        select(rooms.c.id).where(rooms.c.owner_id == command.actor_id),
        select(memberships.c.room_id.label("id")).where(
            memberships.c.user_id == command.actor_id, memberships.c.is_active
        ),
    ):
        involved |= {row.id for row in await tx.fetch_all(query)}
    elsewhere = await _ever_in(tx, command.actor_id) - involved
    for room_id in sorted(involved):  # one order for everybody: no deadlock
        _add(done, await members.leaves(tx, room_id, command.actor_id))
        room = await tx.fetch_one(select(rooms).where(rooms.c.id == room_id))
        if room.owner_id == command.actor_id:  # nobody is left who could have it
            _add(done, await room_rules.erase(tx, room_id))
            done.messages = [event for event in done.messages if event.room_id != room_id]
    await tx.execute(delete(sessions).where(sessions.c.user_id == command.actor_id))
    await tx.execute(delete(recoveries).where(recoveries.c.user_id == command.actor_id))
    done.messages += await add_to_each(tx, elsewhere, me, "profile", "")
    await files.wipe_loose(tx, command.actor_id)
    await avatars.exchange(tx, me.id, me.avatar, None)
    await blocks.forget(tx, command.actor_id)
    await tx.execute(delete(bookmarks).where(bookmarks.c.user_id == command.actor_id))
    await user_rules.wipe(tx, command.actor_id)
    await _keep_an_admin(tx)
    done.messages = [
        replace(event, author_name=DELETED_ACCOUNT, author_hue=0, author_avatar=None)
        for event in done.messages
    ]
    return done


async def _ever_in(tx: Transaction, user_id: int) -> set[int]:
    """The rooms where rows of this person stand: those they are or were in, and those an administrator looked after."""
    query = union(
        select(memberships.c.room_id).where(memberships.c.user_id == user_id),
        select(messages.c.room_id).where(messages.c.author_id == user_id),
    )
    return {row.room_id for row in await tx.fetch_all(query)}


def _add(done: Committed, more: Committed) -> None:
    done.messages += more.messages
    done.departures += more.departures
    done.sidebars |= more.sidebars


async def _keep_an_admin(tx: Transaction) -> None:
    await lock_site(tx)
    active = users.c.deleted_at.is_(None) & users.c.deactivated_at.is_(None)
    if await tx.fetch_value(select(users.c.id).where(active, users.c.is_admin).limit(1)):
        return
    eldest = select(users.c.id).where(active).order_by(users.c.is_guest, users.c.id).limit(1)
    heir = await tx.fetch_value(eldest)
    if heir is not None:
        values = {"is_admin": True, "is_guest": False}
        await tx.execute(update(users).where(users.c.id == heir).values(values))
