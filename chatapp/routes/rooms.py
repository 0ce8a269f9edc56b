"""Rooms: browse, open, make, change, join, leave, delete."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from chatapp.domain import memberships, rooms, text, unread
from chatapp.domain.commands import CreateRoom, DeleteRoom, EditRoom, JoinRoom, LeaveRoom
from chatapp.domain.rooms import Room
from chatapp.domain.users import User
from chatapp.errors import Checks, Forbidden, Invalid
from chatapp.limits import CREATE_ROOM, EDIT_ROOM, MEMBERSHIP, SEARCH
from chatapp.routes.door import (
    actor,
    fragment,
    is_htmx,
    page,
    query_number,
    room_number,
    services,
    to,
    typed,
)

SEARCH_CHARACTERS = 100


async def browse(request: Request) -> Response:
    kit, me = services(request), await actor(request)
    search = request.query_params.get("q", "")[:SEARCH_CHARACTERS]
    if search:
        kit.limits.take(SEARCH, me.id)
    show = request.query_params.get("show", "all")
    if show not in rooms.SHOWS:
        show = "all"
    listing = await rooms.browse(
        kit.database,
        me.id,
        search=search,
        show=show,
        page=min(max(1, query_number(request, "page") or 1), 100_000),
    )
    return await page(
        request,
        "rooms/browse.html",
        {
            "listing": listing.rooms,
            "q": search,
            "show": show,
            "page": listing.page,
            "pages": listing.pages,
            "counts": listing.counts,
            "form": {},
            "errors": {},
        },
    )


async def new_page(request: Request) -> Response:
    await actor(request)
    return await page(request, "rooms/new.html", {"form": {}, "errors": {}})


async def create(request: Request) -> Response:
    kit, me = services(request), await actor(request)
    form = await typed(request, "name", "topic")
    try:
        name, topic = _name_and_topic(form)
        kit.limits.take(CREATE_ROOM, me.id)
        room_id = await kit.writer.ask(CreateRoom(me.id, name, topic))
    except Invalid as error:
        return await page(
            request, "rooms/new.html", {"form": form, "errors": error.fields}, error.status
        )
    return to(f"/rooms/{room_id}")


def _name_and_topic(form: dict[str, str]) -> tuple[str, str]:
    name = topic = ""
    with Checks() as checks:
        with checks.next():
            name = text.room_name(form["name"])
        with checks.next():
            topic = text.topic(form["topic"])
    return name, topic


def may_manage(room: Room, me: User) -> bool:
    return room.owner_id == me.id or me.is_admin


def pages_of(count: int) -> int:
    return max(1, -(-count // memberships.PAGE))


async def member(request: Request) -> tuple[User, Room]:
    """Who asks, and the room they are a member of. Raises `Missing`, `Forbidden`."""
    kit, me = services(request), await actor(request)
    room = await rooms.find(kit.database, room_number(request))
    if not await memberships.is_member(kit.database, room.id, me.id):
        raise Forbidden("not_member")
    return me, room


async def sidebar(request: Request) -> Response:
    kit, me = services(request), await actor(request)
    return fragment(
        request,
        "rooms/_sidebar.html",
        {
            "me": me,
            "rooms": await unread.of_user(kit.database, me.id),
            "calls": kit.calls.sizes(),
            "current_room_id": query_number(request, "room"),
            "request_path": request.query_params.get("path", ""),
        },
    )


async def mark_read(request: Request) -> Response:
    """Everything in a room counts as read. Windows with scripts say what was seen, over the socket."""
    kit = services(request)
    me, room = await member(request)
    kit.limits.take(MEMBERSHIP, me.id)
    async with kit.database.transaction() as tx:
        await unread.apply_marks(tx, {(room.id, me.id): unread.Mark(room.last_seq, place=0)})
    kit.marks.tell(room.id, [me.id], others=True)
    if is_htmx(request.headers):
        return HTMLResponse("")
    back = (await typed(request, "back"))["back"]
    return to("/mentions" if back == "mentions" else f"/rooms/{room.id}")


async def join(request: Request) -> Response:
    kit, me, room_id = services(request), await actor(request), room_number(request)
    kit.limits.take(MEMBERSHIP, me.id)
    around = (await typed(request, "around"))["around"]
    await kit.writer.ask(JoinRoom(me.id, room_id))
    if (
        around.isascii() and around.isdigit() and len(around) <= 15
    ):  # a link to a message brought them
        return to(f"/rooms/{room_id}?around={int(around)}#m-{int(around)}")
    return to(f"/rooms/{room_id}")


async def leave(request: Request) -> Response:
    kit, me, room_id = services(request), await actor(request), room_number(request)
    kit.limits.take(MEMBERSHIP, me.id)
    await kit.writer.ask(LeaveRoom(me.id, room_id))
    return to("/rooms", "room_left")


async def _manager(request: Request) -> tuple[User, Room]:
    kit, me = services(request), await actor(request)
    room = await rooms.find(kit.database, room_number(request))
    if not may_manage(room, me):
        raise Forbidden("not_manager")
    return me, room


async def settings_page(request: Request) -> Response:
    _, room = await _manager(request)
    return await _settings(request, room, {"name": room.name, "topic": room.topic})


async def _settings(
    request: Request,
    room: Room,
    form: dict[str, str],
    errors: dict[str, str] | None = None,
    delete_errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    return await page(
        request,
        "rooms/settings.html",
        {
            "room": room,
            "current_room_id": room.id,
            "form": form,
            "errors": errors or {},
            "delete_errors": delete_errors or {},
        },
        status,
    )


async def edit(request: Request) -> Response:
    kit = services(request)
    me, room = await _manager(request)
    form = await typed(request, "name", "topic")
    try:
        name, topic = _name_and_topic(form)
        kit.limits.take(EDIT_ROOM, me.id)
        await kit.writer.ask(EditRoom(me.id, room.id, name, topic))
    except Invalid as error:
        return await _settings(request, room, form, error.fields, status=error.status)
    return to(f"/rooms/{room.id}", "room_saved")


async def delete(request: Request) -> Response:
    kit = services(request)
    me, room = await _manager(request)
    form = await typed(request, "confirm")
    if text.search_key(form["confirm"]) != text.search_key(room.name):
        wrong = Invalid({"confirm": "confirm_name"})
        return await _settings(
            request,
            room,
            {"name": room.name, "topic": room.topic, **form},
            delete_errors=wrong.fields,
            status=wrong.status,
        )
    await kit.writer.ask(DeleteRoom(me.id, room.id))
    return to("/rooms", "room_deleted")
