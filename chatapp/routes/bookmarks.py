"""Bookmarks: the page of them, and setting one."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from chatapp.domain import bookmarks
from chatapp.limits import BOOKMARK
from chatapp.routes.door import (
    actor,
    is_htmx,
    message_number,
    message_path,
    page,
    query_number,
    room_number,
    services,
    to,
    typed,
    wants_json,
)


async def show(request: Request) -> Response:
    kit, me = services(request), await actor(request)
    number = min(max(1, query_number(request, "page") or 1), 1_000)
    items, total = await bookmarks.of_user(kit.database, me.id, number)
    pages = max(1, -(-total // bookmarks.PAGE))
    if number > pages:
        return to(f"/bookmarks?page={pages}")
    return await page(
        request, "bookmarks/show.html", {"items": items, "page": number, "pages": pages}
    )


async def mark(request: Request) -> Response:
    """`on`: true to have it bookmarked, anything else not to."""
    kit, me = services(request), await actor(request)
    room_id, seq = room_number(request), message_number(request)
    form = await typed(request, "on", "back")
    kit.limits.take(BOOKMARK, me.id)
    async with kit.database.transaction() as tx:
        await bookmarks.apply_mark(tx, me.id, room_id, seq, on=form["on"] == "true")
    kit.own.tell(room_id, me.id, seq, others=True)
    if wants_json(request.headers):
        return JSONResponse({})
    if is_htmx(request.headers):
        return HTMLResponse("")
    return to("/bookmarks" if form["back"] == "bookmarks" else message_path(room_id, seq))
