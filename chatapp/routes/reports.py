"""Reporting a message, and the queue of what was reported."""

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import messages, reports, text
from chatapp.errors import Forbidden, Invalid
from chatapp.limits import MEMBERSHIP, REPORT
from chatapp.routes.door import message_number, message_path, page, services, to, typed
from chatapp.routes.rooms import standing


async def report_page(request: Request) -> Response:
    return await _page(request, {}, {})


async def _page(
    request: Request, form: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    kit = services(request)
    me, room, _ = await standing(request, "report")
    message = await messages.living(kit.database, room.id, message_number(request))
    if message.author_id == me.id:
        raise Forbidden("own_report")
    values = {
        "room": room,
        "current_room_id": room.id,
        "message": message,
        "form": form,
        "errors": errors,
    }
    return await page(request, "messages/report.html", values, status)


async def report(request: Request) -> Response:
    kit = services(request)
    me, room, _ = await standing(request, "report")
    seq = message_number(request)
    form = await typed(request, "reason")
    try:
        reason = text.topic(form["reason"], "reason")
    except Invalid:
        wrong = Invalid({"reason": "reason_long"})
        return await _page(request, form, wrong.fields, wrong.status)
    kit.limits.take(REPORT, me.id)
    async with kit.database.transaction() as tx:
        await reports.apply_report(tx, me.id, room.id, seq, reason)
    return to(message_path(room.id, seq), "reported")


async def queue(request: Request) -> Response:
    kit = services(request)
    me, room, _ = await standing(request, "read")
    await reports.check(kit.database, room.id, me.id)
    found = await reports.of_room(kit.database, room.id)
    values = {"room": room, "current_room_id": room.id, "found": found}
    return await page(request, "rooms/reports.html", values)


async def done(request: Request) -> Response:
    kit = services(request)
    me, room, _ = await standing(request, "read")
    seq = message_number(request)
    kit.limits.take(MEMBERSHIP, me.id)
    async with kit.database.transaction() as tx:
        await reports.apply_done(tx, me.id, room.id, seq)
    return to(f"/rooms/{room.id}/reports")
