"""The page of a room's call. Who is in it, and all that happens there, goes over the socket."""

from starlette.requests import Request
from starlette.responses import Response

from chatapp.middleware import NO_DEVICES
from chatapp.routes.door import page, services
from chatapp.routes.people import pane
from chatapp.routes.rooms import member


async def show(request: Request) -> Response:
    kit = services(request)
    _, room = await member(request)
    values = {
        "room": room,
        "current_room_id": room.id,
        "call": kit.calls.of(room.id),
        "cursor": f"{kit.epoch}:{room.last_seq}",
        **await pane(kit, kit.database, room),
    }
    response = await page(request, "rooms/call.html", values)
    response.headers["Permissions-Policy"] = NO_DEVICES  # of all pages, this one may have a camera
    return response
