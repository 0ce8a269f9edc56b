"""What people are told of while they look elsewhere: the choice for a room, and what a notice says."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatapp.domain import notices
from chatapp.domain.commands import Committed
from chatapp.errors import Missing
from chatapp.limits import PROFILE
from chatapp.routes.door import query_number, services, to, typed
from chatapp.routes.rooms import member


async def choose(request: Request) -> Response:
    """All messages of a room, mentions, nothing, or nothing and no line in the sidebar."""
    kit = services(request)
    me, room = await member(request)
    kit.limits.take(PROFILE, me.id)
    form = await typed(request, "notify")
    await notices.choose(kit.database, room.id, me.id, form["notify"])
    kit.fanout.publish(Committed(room.id, sidebars={me.id}))
    return to(f"/rooms/{room.id}", "notify")


async def notice(request: Request) -> Response:
    """What a notice of one message says."""
    kit = services(request)
    _, room = await member(request)
    found = await notices.find(kit.database, room.id, query_number(request, "seq") or 0)
    if found is None:
        raise Missing("not_found")
    return JSONResponse({"room": found.room, "author": found.author, "text": found.text})
