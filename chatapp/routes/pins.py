"""Pinned messages of a room: the list, and what is on it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatapp.domain import memberships, pins
from chatapp.domain.commands import Pin
from chatapp.limits import PIN
from chatapp.routes.door import (
    actor,
    message_number,
    message_path,
    page,
    room_number,
    services,
    to,
    typed,
    wants_json,
)
from chatapp.routes.rooms import member


async def show(request: Request) -> Response:
    kit = services(request)
    _, room = await member(request)
    items = await pins.of_room(kit.database, room.id)
    return await page(
        request, "pins/show.html", {"room": room, "current_room_id": room.id, "items": items}
    )


async def pin(request: Request) -> Response:
    """`on`: true to pin it, anything else to unpin it. The answer comes after the commit."""
    kit, me = services(request), await actor(request)
    room_id, seq = room_number(request), message_number(request)
    form = await typed(request, "on", "back")
    await memberships.standing(kit.database, room_id, me.id)
    kit.limits.take(PIN, me.id)
    await kit.writer.ask(Pin(me.id, room_id, seq, form["on"] == "true"))
    if wants_json(request.headers):
        return JSONResponse({})
    if form["back"] == "pins":
        return to(f"/rooms/{room_id}/pins")
    return to(message_path(room_id, seq))
