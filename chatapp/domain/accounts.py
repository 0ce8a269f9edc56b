"""The end of an account, as one transaction over all that it touches."""

from sqlalchemy import delete, select, update

from chatapp.database import Transaction
from chatapp.domain import memberships as members
from chatapp.domain import rooms as room_rules
from chatapp.domain import users as user_rules
from chatapp.domain.commands import Committed, DeleteAccount, LeaveRoom
from chatapp.tables import memberships, rooms, sessions, users


async def apply_delete_account(tx: Transaction, command: DeleteAccount) -> Committed:
    """Leaves every room, passes on those they own, or closes those nobody else is in; then wipes the account.

    If no other administrator is left, the account that was made first becomes one.
    """
    done = Committed(gone_users={command.actor_id})
    involved = set()
    for query in (
        select(rooms.c.id).where(rooms.c.owner_id == command.actor_id),
        select(memberships.c.room_id.label("id")).where(
            memberships.c.user_id == command.actor_id, memberships.c.is_active
        ),
    ):
        involved |= {row.id for row in await tx.fetch_all(query)}
    for room_id in sorted(involved):  # one order for everybody: no deadlock
        _add(done, await members.apply_leave(tx, LeaveRoom(command.actor_id, room_id)))
        room = await tx.fetch_one(select(rooms).where(rooms.c.id == room_id))
        if room.owner_id == command.actor_id:  # nobody is left who could have it
            _add(done, await room_rules.erase(tx, room_id))
            done.messages = [event for event in done.messages if event.room_id != room_id]
    await tx.execute(delete(sessions).where(sessions.c.user_id == command.actor_id))
    await user_rules.wipe(tx, command.actor_id)
    await _keep_an_admin(tx)
    return done


def _add(done: Committed, more: Committed) -> None:
    done.messages += more.messages
    done.departures += more.departures
    done.sidebars |= more.sidebars


async def _keep_an_admin(tx: Transaction) -> None:
    living = users.c.deleted_at.is_(None)
    if await tx.fetch_value(select(users.c.id).where(living, users.c.is_admin).limit(1)):
        return
    heir = await tx.fetch_value(select(users.c.id).where(living).order_by(users.c.id).limit(1))
    if heir is not None:
        await tx.execute(update(users).where(users.c.id == heir).values(is_admin=True))
