"""Previews of links: their pictures, and taking one away."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain.commands import RemovePreview
from chatapp.limits import EDIT
from chatapp.routes import files
from chatapp.routes.door import is_htmx, message_number, message_path, services, to
from chatapp.routes.rooms import member


async def picture(request: Request) -> Response:
    """For members of the room, while the message is there."""
    return await files.picture(request)


async def remove(request: Request) -> Response:
    """The answer comes after the commit; the message comes over the line."""
    kit = services(request)
    me, room = await member(request)
    seq = message_number(request)
    kit.limits.take(EDIT, me.id)
    await kit.writer.ask(RemovePreview(me.id, room.id, seq))
    if is_htmx(request.headers):
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return to(message_path(room.id, seq))
