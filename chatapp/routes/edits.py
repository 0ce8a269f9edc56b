"""Editing and deleting messages, bringing one back, and what one said before. Pages for browsers without scripts; with
scripts the forms stand in the room."""

import re
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatapp.domain import deletions, edits, messages, policy
from chatapp.domain.commands import DeleteMessage, EditMessage, Message, RestoreMessage
from chatapp.domain.mentions import may_call_all
from chatapp.domain.rooms import Room
from chatapp.domain.text import normal_body
from chatapp.domain.users import User
from chatapp.errors import Conflict, Forbidden, Invalid
from chatapp.limits import CALL_ALL, EDIT
from chatapp.realtime.posting import meant_here
from chatapp.routes.door import (
    Services,
    fragment,
    is_htmx,
    message_number,
    message_path,
    page,
    services,
    to,
    typed,
    wants_json,
    zone,
)
from chatapp.routes.rooms import member

# Refused with the form, so that what was written is not lost.
_WITH_TEXT: Final = frozenset({"message_changed", "edited_often", "edit_late"})
_VERSION: Final = re.compile("[0-9]{1,4}")


async def edit_page(request: Request) -> Response:
    """The form, where one may edit; on a page of its own also the way to delete."""
    kit = services(request)
    me, room, message = await _asked(request)
    within = kit.settings.edit_seconds
    may_edit = await edits.may_edit(kit.database, message, me.id, within)
    if not may_edit and (is_htmx(request.headers) or not await _may_delete(kit, message, me)):
        raise Forbidden("edit_late" if message.author_id == me.id else "not_author")
    base = await edits.version(kit.database, room.id, message.seq)
    return await _form(request, room, message, base, message.body, may_edit=may_edit)


async def edit(request: Request) -> Response:
    kit = services(request)
    me, room, message = await _asked(request)
    form = await typed(request, "body", "base")
    base = int(form["base"]) if _VERSION.fullmatch(form["base"]) else -1
    try:
        body = normal_body(form["body"], may_be_empty=message.files is not None)
        await kit.writer.ask(_command(kit, me, message, body, base))
    except Invalid as error:
        return await _form(
            request, room, message, base, form["body"], error.sentence, status=error.status
        )
    except (Conflict, Forbidden) as error:
        if error.code not in _WITH_TEXT:
            raise
        message = await messages.living(kit.database, room.id, message.seq)
        base = await edits.version(kit.database, room.id, message.seq)
        now = message.body if error.code == "message_changed" else None
        return await _form(
            request, room, message, base, form["body"], error.sentence, now, status=error.status
        )
    if is_htmx(request.headers):
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return to(message_path(room.id, message.seq))


def _command(kit: Services, me: User, message: Message, body: str, base: int) -> EditMessage:
    """Raises `TooMany`."""
    kit.limits.take(EDIT, me.id)
    if may_call_all(body):
        kit.limits.take(CALL_ALL, me.id)
    here = meant_here(kit.presence.present, message.room_id, body)
    return EditMessage(
        me.id,
        message.room_id,
        message.seq,
        body,
        base,
        kit.settings.edit_seconds,
        here,
    )


async def _form(
    request: Request,
    room: Room,
    message: Message,
    base: int,
    body: str,
    error: str = "",
    now: str | None = None,
    *,
    may_edit: bool = True,
    status: int = 200,
) -> Response:
    """`now`: what the message says, when its editor has not seen that."""
    values = {
        "room": room,
        "seq": message.seq,
        "base": base,
        "body": body,
        "error": error,
        "now": now,
        "may_edit": may_edit,
    }
    if is_htmx(request.headers):
        answer = fragment(request, "messages/_edit.html", values)
        answer.status_code = status
        return answer
    return await page(request, "messages/edit.html", {**values, "current_room_id": room.id}, status)


async def delete(request: Request) -> Response:
    kit = services(request)
    me, room = await member(request)
    seq = message_number(request)
    kit.limits.take(EDIT, me.id)
    await kit.writer.ask(DeleteMessage(me.id, room.id, seq))
    if wants_json(request.headers):
        return JSONResponse({"outcome": "deleted", "seconds": deletions.UNDO_SECONDS})
    return to(message_path(room.id, seq, f"&deleted={seq}"))


async def restore(request: Request) -> Response:
    kit = services(request)
    me, room = await member(request)
    seq = message_number(request)
    kit.limits.take(EDIT, me.id)
    await kit.writer.ask(RestoreMessage(me.id, room.id, seq))
    if wants_json(request.headers):
        return JSONResponse({"outcome": "restored"})
    return to(message_path(room.id, seq), "restored")


async def history(request: Request) -> Response:
    """Every text a message had, for members as long as it is there."""
    kit = services(request)
    _, room, message = await _asked(request)
    values = {
        "room": room,
        "seq": message.seq,
        "author": message.author_name,
        "versions": await edits.versions(kit.database, message),
    }
    if is_htmx(request.headers):
        return fragment(request, "messages/_versions.html", values)
    shown = {**values, "current_room_id": room.id, "tz": zone(request)}
    return await page(request, "messages/history.html", shown)


async def _asked(request: Request) -> tuple[User, Room, Message]:
    """Who asks, and a message that is there, of a room they are in. Raises `Missing`, `Forbidden`."""
    me, room = await member(request)
    return (
        me,
        room,
        await messages.living(services(request).database, room.id, message_number(request)),
    )


async def _may_delete(kit: Services, message: Message, me: User) -> bool:
    stand = await policy.of(kit.database, message.room_id, me.id)
    return stand.may("change" if message.author_id == me.id else "delete")
