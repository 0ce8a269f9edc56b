"""Conversations among a few: whom to talk to, and the way there."""

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import direct
from chatapp.domain.commands import OpenDirect
from chatapp.errors import Invalid
from chatapp.limits import CREATE_ROOM, SEARCH
from chatapp.routes.door import actor, number_of, page, services, to, typed
from chatapp.routes.rooms import SEARCH_CHARACTERS

NAMES_CHARACTERS = 2_000


async def new_page(request: Request) -> Response:
    return await _page(request, {}, {})


async def _page(
    request: Request, form: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    kit, me = services(request), await actor(request)
    search = request.query_params.get("q", "")[:SEARCH_CHARACTERS]
    if search:
        kit.limits.take(SEARCH, me.id)
    people = await direct.people(kit.database, me.id, search)
    values = {
        "people": people,
        "q": search,
        "form": form,
        "errors": errors,
        "most": direct.PEOPLE_MOST,
        "has_more": len(people) == direct.SHOWN_MOST,
    }
    return await page(request, "direct/new.html", values, status)


async def open_room(request: Request) -> Response:
    """`user`: the number of one; or `names`, one in each line."""
    kit, me = services(request), await actor(request)
    form = await typed(request, "user", "names")
    try:
        one = number_of(form["user"])
        names = form["names"][:NAMES_CHARACTERS].splitlines()
        people = [one] if one else await direct.named(kit.database, me.id, names)
        kit.limits.take(CREATE_ROOM, me.id)
        room_id = await kit.writer.ask(OpenDirect(me.id, tuple(people)))
    except Invalid as error:
        return await _page(request, form, error.fields, error.status)
    return to(f"/rooms/{room_id}")
