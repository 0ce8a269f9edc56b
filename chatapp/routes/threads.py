"""Threads: the pane beside a room, and the page of those that somebody follows."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from chatapp.domain import following, threads
from chatapp.domain.users import User
from chatapp.limits import MEMBERSHIP, READ_THREAD
from chatapp.routes.door import (
    Services,
    actor,
    fragment,
    is_htmx,
    message_number,
    number_of,
    page,
    query_number,
    services,
    to,
    typed,
)
from chatapp.routes.rooms import member
from chatapp.routes.thread_pane import pane_of
from chatapp.routes.timeline import show_room


async def show(request: Request) -> Response:
    """The pane for a page that is open; without scripts a room with it beside. That page counts as read."""
    kit = services(request)
    me, room = await member(request)
    seq = message_number(request)
    if is_htmx(request.headers):
        async with kit.database.snapshot() as snapshot:
            pane = await pane_of(kit, snapshot, request, me, room.id, seq)
        older = query_number(request, "above") is not None
        return fragment(
            request,
            "threads/_replies.html" if older else "threads/_pane.html",
            {"room": room, "thread": pane, "me": me},
        )
    first = await threads.first(kit.database, room.id, seq)
    if known := threads.summary(first.thread):
        await _read(kit, me, room.id, first.seq, known.last)
    return await show_room(request, me, room.id, {}, {}, thread=first.seq)


async def _read(kit: Services, me: User, room_id: int, seq: int, upto: int) -> None:
    async with kit.database.transaction() as tx:
        changed = await following.apply_read(tx, me.id, room_id, seq, upto)
    if changed:
        kit.marks.tell(room_id, [me.id], others=True)


async def read(request: Request) -> Response:
    """A pane has shown a thread up to a number, or its row in the inbox was cleared."""
    kit = services(request)
    me, room = await member(request)
    kit.limits.take(READ_THREAD, me.id)
    form = await typed(request, "upto", "back")
    upto = number_of(form["upto"]) or 0
    await _read(kit, me, room.id, message_number(request), min(upto, room.last_seq))
    if form["back"] != "mentions":
        return Response(status_code=204)
    return HTMLResponse("") if is_htmx(request.headers) else to("/mentions")


async def follow(request: Request) -> Response:
    """Whoever follows a thread is told of what is new in it."""
    kit = services(request)
    me, room = await member(request)
    kit.limits.take(MEMBERSHIP, me.id)
    follows = (await typed(request, "follow"))["follow"] == "on"
    first = await threads.first(kit.database, room.id, message_number(request))
    async with kit.database.transaction() as tx:
        await following.apply_choice(tx, me.id, room.id, first.seq, follows=follows)
    kit.marks.tell(room.id, [me.id], others=True)
    if is_htmx(request.headers):
        values = {"room": room, "seq": first.seq, "is_following": follows}
        return fragment(request, "threads/_follow.html", values)
    return to(f"/rooms/{room.id}/threads/{first.seq}")


async def listing(request: Request) -> Response:
    kit, me = services(request), await actor(request)
    found = await following.of_user(kit.database, me.id)
    return await page(request, "threads/show.html", {"threads": found})
