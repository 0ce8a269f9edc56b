"""Posting over HTTP: for pages without scripts, and where sockets do not get through."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatapp.domain import memberships
from chatapp.domain.attached import FILES_MOST
from chatapp.errors import ChatError, Invalid, Later
from chatapp.realtime.posting import post_command, take_post
from chatapp.realtime.writer import OutcomeUnknown
from chatapp.routes.door import actor, number_of, room_number, services, to, typed, wants_json
from chatapp.routes.timeline import show_room


async def post(request: Request) -> Response:
    """The same checks and the same queue as over the socket; the answer comes after the commit."""
    kit, me, room_id = services(request), await actor(request), room_number(request)
    form = await typed(request, "body", "key", "draft", "reply", "thread", "files")
    reply = number_of(form["reply"]) or 0
    files = form["files"].split()[: 2 * FILES_MOST]
    as_json = wants_json(request.headers)
    try:
        present = kit.presence.present
        command = post_command(me.id, room_id, form["key"], form["body"], present, reply, files)
        await memberships.standing(kit.database, room_id, me.id)
        take_post(kit.limits, command)
        message = await kit.writer.ask(command)
    except Invalid as error:
        if as_json:
            return _outcome(form["key"], error)
        return await show_room(request, me, room_id, form, error.fields, error.status)
    except ChatError as error:
        if as_json:
            return _outcome(form["key"], error)
        raise
    except OutcomeUnknown:
        if as_json:
            return JSONResponse({"outcome": "unknown", "key": form["key"]}, 503)
        raise
    if as_json:
        return JSONResponse({"outcome": "ack", "key": form["key"], "seq": message.seq})
    if draft := number_of(form["draft"]):
        await kit.drafts.sent(room_id, me.id, draft)
    thread = number_of(form["thread"])
    if thread:  # it was written in the pane of a thread
        return to(f"/rooms/{room_id}/threads/{thread}#t-{message.seq}")
    return to(f"/rooms/{room_id}#m-{message.seq}")


def _outcome(key: str, error: ChatError) -> Response:
    """The frames of the socket, as an answer."""
    if isinstance(error, Later):
        answer = {"outcome": "busy", "key": key, "retry_after": error.retry_after}
        return JSONResponse(answer, error.status, headers={"Retry-After": str(error.seconds)})
    answer = {"outcome": "refused", "key": key, "code": error.code, "message": error.sentence}
    return JSONResponse(answer, error.status)
