"""Search: one field over all rooms that the reader is in."""

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import search_query
from chatapp.domain.search import TooSlow
from chatapp.domain.search_results import Cursor, Found
from chatapp.limits import SEARCH
from chatapp.routes.door import actor, fragment, is_htmx, page, services, zone
from chatapp.times import zone_of

_READ_MOST = 10_000  # characters of what was typed; `search_query` looks at fewer


async def show(request: Request) -> Response:
    """The page; its results alone while somebody types; further hits alone for the link below them."""
    kit, me = services(request), await actor(request)
    typed = request.query_params.get("q", "")[:_READ_MOST]
    query = search_query.parse(typed, zone_of(zone(request)))
    before = Cursor.read(request.query_params.get("before", ""))
    found, is_slow = Found([], None), False
    if not query.is_empty:
        kit.limits.take(SEARCH, me.id)
        try:
            found = await kit.searches.find(me.id, query, before)
        except TooSlow:
            is_slow = True
    values = {
        "q": typed[: search_query.CHARACTERS_MOST],
        "query": query,
        "found": found,
        "is_slow": is_slow,
        "is_further": before is not None,
    }
    if not is_htmx(request.headers):
        return await page(request, "search/show.html", values)
    name = "search/_hits.html" if before is not None and not is_slow else "search/_results.html"
    return fragment(request, name, values)
