"""How a message will look, before it is sent."""

import asyncio
from dataclasses import dataclass

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import markup, mentioned
from chatapp.domain.text import normal_body
from chatapp.errors import Invalid
from chatapp.limits import PREVIEW
from chatapp.routes.door import fragment, is_htmx, services, typed
from chatapp.routes.rooms import standing
from chatapp.routes.timeline import show_room


@dataclass(frozen=True, slots=True)
class Preview:
    """`html` as members will see it, or what is wrong."""

    html: Markup | None = None
    error: str = ""


async def show(request: Request) -> Response:
    """For the page that is open; without scripts the page comes again, with what was typed."""
    kit = services(request)
    me, room, stand = await standing(request, "read")
    kit.limits.take(PREVIEW, me.id)
    form = await typed(request, "body", "key", "reply")
    try:
        body = normal_body(form["body"])
    except Invalid as error:
        preview = Preview(error=error.fields["body"])
    else:
        marks = await mentioned.would_be(
            kit.database, room.id, me.id, body, may_call_all=stand.may("call_all")
        )
        if markup.is_dear(body):
            preview = Preview(await asyncio.to_thread(markup.to_html, body, marks))
        else:
            preview = Preview(markup.to_html(body, marks))
    if is_htmx(request.headers):
        return fragment(request, "messages/_preview.html", {"preview": preview})
    return await show_room(request, me, room.id, form, {}, preview=preview)
