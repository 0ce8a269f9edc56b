"""Mentions: the page of those that are unread, and whom the message box offers."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from chatapp.domain import inbox, memberships, suggestions, unread
from chatapp.limits import MEMBERSHIP, SUGGEST
from chatapp.realtime.asked import NUMBER_MOST
from chatapp.routes.door import (
    actor,
    fragment,
    is_htmx,
    page,
    room_number,
    services,
    to,
    typed,
)
from chatapp.routes.rooms import SEARCH_CHARACTERS, standing


async def show(request: Request) -> Response:
    kit, me = services(request), await actor(request)
    items = await inbox.of_user(kit.database, me.id)
    replies = await inbox.replies_to(kit.database, me.id)
    rooms = await unread.of_user(kit.database, me.id)
    return await page(
        request,
        "mentions/show.html",
        {
            "items": items,
            "replies": replies,
            "until": max((it.at for it in [*items, *(each.last for each in replies)]), default=0),
            "rooms": rooms,
            "waiting": [room for room in rooms if room.unread and room.notify == "all"],
        },
    )


async def clear(request: Request) -> Response:
    """One row. Who is no member of its room has none there."""
    kit, me, room_id = services(request), await actor(request), room_number(request)
    seq = int(request.path_params["seq"])
    await memberships.standing(kit.database, room_id, me.id)
    kit.limits.take(MEMBERSHIP, me.id)
    if 0 < seq <= NUMBER_MOST:
        async with kit.database.transaction() as tx:
            await inbox.apply_clear(tx, me.id, room_id, seq)
        kit.marks.tell(room_id, [me.id], others=True)
    return HTMLResponse("") if is_htmx(request.headers) else to("/mentions")


async def clear_all(request: Request) -> Response:
    kit, me = services(request), await actor(request)
    form = await typed(request, "until")
    until = form["until"]
    kit.limits.take(MEMBERSHIP, me.id)
    if until.isascii() and until.isdigit() and len(until) <= 15:
        async with kit.database.transaction() as tx:
            cleared = await inbox.apply_clear_all(tx, me.id, int(until))
        for room_id in cleared:
            kit.marks.tell(room_id, [me.id], others=True)
    return to("/mentions")


async def suggest(request: Request) -> Response:
    """Whom to mention, as options of a list box."""
    kit = services(request)
    me, room, stand = await standing(request, "read")
    kit.limits.take(SUGGEST, me.id)
    begun = request.query_params.get("q", "")[:SEARCH_CHARACTERS]
    return fragment(
        request,
        "mentions/_options.html",
        {
            "people": await suggestions.of_room(kit.database, room.id, me.id, begun),
            "words": suggestions.words(begun, may_call_all=stand.may("call_all")),
        },
    )
