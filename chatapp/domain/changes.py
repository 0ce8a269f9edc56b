"""Which rule carries out which command: the table that the writer works by."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from chatapp.database import Transaction
from chatapp.domain import (
    accounts,
    calls,
    deletions,
    direct,
    edits,
    invitations,
    memberships,
    moderation,
    pins,
    reactions,
    rooms,
)
from chatapp.domain.commands import (
    AcceptInvitation,
    AddMember,
    Committed,
    CreateRoom,
    DeleteAccount,
    DeleteMessage,
    DeleteRoom,
    EditMessage,
    EditProfile,
    EditRoom,
    JoinCall,
    JoinRoom,
    LeaveCall,
    LeaveRoom,
    Moderate,
    OpenDirect,
    Pin,
    React,
    RestoreMessage,
    SettleCall,
    ShapeRoom,
)

APPLY: Final[dict[type, Callable[[Transaction, Any], Awaitable[Committed]]]] = {
    EditMessage: edits.apply_edit,
    DeleteMessage: deletions.apply_delete,
    RestoreMessage: deletions.apply_restore,
    CreateRoom: rooms.apply_create,
    EditRoom: rooms.apply_edit,
    ShapeRoom: rooms.apply_shape,
    DeleteRoom: rooms.apply_delete,
    JoinRoom: memberships.apply_join,
    AcceptInvitation: invitations.apply_accept,
    AddMember: memberships.apply_add,
    OpenDirect: direct.apply_open,
    LeaveRoom: memberships.apply_leave,
    Moderate: moderation.apply_moderate,
    EditProfile: accounts.apply_edit_profile,
    DeleteAccount: accounts.apply_delete_account,
    JoinCall: calls.apply_join,
    LeaveCall: calls.apply_leave,
    SettleCall: calls.apply_settle,
    React: reactions.apply_react,
    Pin: pins.apply_pin,
}
