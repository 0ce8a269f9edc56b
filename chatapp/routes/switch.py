"""The quick switcher: rooms, people and places by name. A fragment for its dialog, a page for who has no scripts."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import switcher
from chatapp.domain.fuzzy import TYPED_MOST, fit, parts, typed_key
from chatapp.domain.users import User
from chatapp.limits import SWITCH
from chatapp.routes.door import actor, fragment, is_htmx, page, query_number, services
from chatapp.words import PLACES

# Where a place of `words.PLACES` is, and its picture. POST for what changes something.
ADDRESSES: Final = {
    "new_room": ("GET", "/rooms/new", "plus"),
    "new_direct": ("GET", "/direct/new", "person"),
    "browse": ("GET", "/rooms", "compass"),
    "mentions": ("GET", "/mentions", "at"),
    "search": ("GET", "/search", "search"),
    "invitations": ("GET", "/invitations", "mail"),
    "settings": ("GET", "/settings", "sliders"),
    "theme": ("GET", "/settings#appearance", "sun"),
    "writing": ("GET", "/settings#writing", "edit"),
    "notices": ("GET", "/settings#notices", "bell"),
    "devices": ("GET", "/settings#devices", "device"),
    "password": ("GET", "/settings#security", "key"),
    "shortcuts": ("GET", "/shortcuts", "info"),
    "sign_out": ("POST", "/sign-out", "sign-out"),
}
NOT_FOR_GUESTS: Final = frozenset({"new_room", "browse"})
PLACES_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    code: str
    parts: list[tuple[str, bool]]
    detail: str
    method: str
    address: str
    picture: str


async def show(request: Request) -> Response:
    kit, me = services(request), await actor(request)
    kit.limits.take(SWITCH, me.id)
    typed = request.query_params.get("q", "")[:TYPED_MOST]
    here = query_number(request, "room") or 0
    found = await switcher.find(kit.database, me.id, typed, here)
    present = {person.room_id: kit.presence.of(person.room_id) for person in found.people}
    values = {
        "q": typed,
        "found": found,
        "states": {
            person.id: there.state(person.id)
            for person in found.people
            if (there := present[person.room_id]) is not None
        },
        "places": _places(request, me, typed),
    }
    if is_htmx(request.headers):
        return fragment(request, "switch/_results.html", values)
    return await page(request, "switch/show.html", values)


async def shortcuts(request: Request) -> Response:
    await actor(request)
    return await page(request, "switch/shortcuts.html")


def _places(request: Request, me: User, typed: str) -> list[PlaceChoice]:
    """By their name, or else by what is said of them."""
    if typed.strip()[:1] in {"#", "@"}:
        return []
    key = typed_key(typed)
    served = {getattr(route, "path", "") for route in request.app.routes}
    ranked = []
    for n, (code, (name, detail)) in enumerate(PLACES.items()):
        method, address, picture = ADDRESSES[code]
        if address.partition("#")[0] not in served or (me.is_guest and code in NOT_FOR_GUESTS):
            continue
        by_name, by_detail = fit(key, name), fit(key, detail)
        if by_name is not None:
            order, shown = (0, by_name.rank, n), parts(name, by_name.marks)
        elif by_detail is not None and by_detail.rank <= 3:
            order, shown = (1, by_detail.rank, n), parts(name, frozenset())
        else:
            continue
        ranked.append((order, PlaceChoice(code, shown, detail, method, address, picture)))
    return [choice for _, choice in sorted(ranked, key=lambda each: each[0])[:PLACES_MOST]]
