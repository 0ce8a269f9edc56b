"""Who is in a room, in groups: here now, away, not here. For the pane beside a room and for the page of its own."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import memberships
from chatapp.domain.memberships import Reader
from chatapp.domain.rooms import Room
from chatapp.domain.users import Person
from chatapp.limits import SEARCH
from chatapp.routes.door import Services, fragment, is_htmx, page, query_number, services
from chatapp.routes.rooms import SEARCH_CHARACTERS, member, pages_of


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
    kit = services(request)
    me, room = await member(request)
    search = request.query_params.get("q", "")[:SEARCH_CHARACTERS]
    if search:
        kit.limits.take(SEARCH, me.id)
    pages = pages_of(await memberships.count(kit.database, room.id, search))
    number = min(max(1, query_number(request, "page") or 1), pages)
    values: dict[str, Any] = {
        "room": room,
        "current_room_id": room.id,
        "pages": pages,
        **await pane(kit, kit.database, room, search, number),
    }
    if is_htmx(request.headers):
        return fragment(request, "rooms/_members.html", {**values, "me": me})
    return await page(request, "rooms/members.html", values)
