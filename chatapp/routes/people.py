"""Who is in a room, in groups: here now, away, not here. For the pane beside a room and for the page of its own."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import memberships
from chatapp.domain.commands import AddMember
from chatapp.domain.memberships import Reader
from chatapp.domain.rooms import Room
from chatapp.domain.users import Person
from chatapp.errors import Invalid
from chatapp.limits import MEMBERSHIP, SEARCH
from chatapp.routes.door import Services, fragment, is_htmx, page, query_number, services, to, typed
from chatapp.routes.rooms import SEARCH_CHARACTERS, pages_of, standing


@dataclass(frozen=True, slots=True)
class Group:
    """`state`: online, away or offline, or unknown for all when nobody can tell. `count`: in the whole room."""

    state: str
    count: int
    people: list[Person]


async def pane(
    kit: Services, reader: Reader, room: Room, search: str = "", number: int = 1
) -> dict[str, Any]:
    """What `rooms/_members.html` shows."""
    present = kit.presence.of(room.id)
    ranks = (present.here, present.away) if present else ()
    people = await memberships.members(reader, room.id, search, number, ranks)
    if present is None:
        groups = [Group("unknown", room.member_count, people)]
    else:
        here, away = len(present.here), len(present.away)
        counts = {
            "online": here,
            "away": away,
            "offline": max(0, room.member_count - here - away),
        }
        groups = [
            Group(state, count, [each for each in people if present.state(each.id) == state])
            for state, count in counts.items()
        ]
    return {
        "groups": groups,
        "here_count": None if present is None else len(present.here),
        "member_count": room.member_count,
        "q": search,
        "page": number,
    }


async def show(request: Request) -> Response:
    return await show_members(request)


async def show_members(
    request: Request,
    form: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """`form`: what was typed to bring somebody in."""
    kit = services(request)
    me, room, stand = await standing(request, "read")
    search = request.query_params.get("q", "")[:SEARCH_CHARACTERS]
    if search:
        kit.limits.take(SEARCH, me.id)
    pages = pages_of(await memberships.count(kit.database, room.id, search))
    number = min(max(1, query_number(request, "page") or 1), pages)
    values: dict[str, Any] = {
        "room": room,
        "current_room_id": room.id,
        "pages": pages,
        "stand": stand,
        "form": form or {},
        "errors": errors or {},
        **await pane(kit, kit.database, room, search, number),
    }
    if is_htmx(request.headers):
        return fragment(request, "rooms/_members.html", {**values, "me": me})
    return await page(request, "rooms/members.html", values, status)


async def add_member(request: Request) -> Response:
    """Somebody is brought in by their name."""
    kit = services(request)
    me, room, _ = await standing(request, "add")
    form = await typed(request, "name")
    try:
        kit.limits.take(MEMBERSHIP, me.id)
        await kit.writer.ask(AddMember(me.id, room.id, form["name"][:SEARCH_CHARACTERS]))
    except Invalid as error:
        return await show_members(request, form, error.fields, error.status)
    return to(f"/rooms/{room.id}/members", "member_added")
