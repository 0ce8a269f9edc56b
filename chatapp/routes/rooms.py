"""Rooms: browse, open, make, change, join, leave, delete."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from chatapp.domain import memberships, policy, rooms, text, unread
from chatapp.domain.commands import (
    CreateRoom,
    DeleteRoom,
    EditRoom,
    JoinRoom,
    LeaveRoom,
    ShapeRoom,
)
from chatapp.domain.policy import Stand
from chatapp.domain.rooms import Room
from chatapp.domain.users import User
from chatapp.errors import Checks, Forbidden, Invalid
from chatapp.limits import CREATE_ROOM, EDIT_ROOM, MEMBERSHIP, SEARCH
from chatapp.routes.door import (
    actor,
    fragment,
    is_htmx,
    number_of,
    page,
    query_number,
    room_number,
    services,
    to,
    typed,
)

SEARCH_CHARACTERS = 100
SLOW_CHOICES = (0, 10, 30, 60, 300, 900, 3600)  # seconds


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
    me = await actor(request)
    if me.is_guest:
        raise Forbidden("guest")
    return await page(request, "rooms/new.html", {"form": {}, "errors": {}})


async def create(request: Request) -> Response:
    kit, me = services(request), await actor(request)
    form = await typed(request, "name", "topic", "kind")
    try:
        name, topic = _name_and_topic(form)
        kind = _kind(form["kind"] or "open")
        kit.limits.take(CREATE_ROOM, me.id)
        room_id = await kit.writer.ask(CreateRoom(me.id, name, topic, kind))
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


def _kind(typed: str) -> str:
    """Raises `Invalid`."""
    if typed not in rooms.KINDS:
        raise Invalid({"kind": "kind_unknown"})
    return typed


def pages_of(count: int) -> int:
    return max(1, -(-count // memberships.PAGE))


async def member(request: Request) -> tuple[User, Room]:
    """Who asks, and the room they are a member of. Raises `Missing`, `Forbidden`."""
    me, room, _ = await standing(request, "read")
    return me, room


async def standing(request: Request, action: str) -> tuple[User, Room, Stand]:
    """Who asks, the room, and how they stand in it, for whoever may do this. Raises `Missing`, `Forbidden`."""
    kit, me = services(request), await actor(request)
    room_id = room_number(request)
    stand = await policy.require(kit.database, room_id, me.id, action)
    return me, await rooms.find(kit.database, room_id, me.id), stand


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


async def leave_page(request: Request) -> Response:
    """Whether they are sure; and whose the room shall be, if it is theirs."""
    kit = services(request)
    me, room, stand = await standing(request, "leave")
    people = await memberships.members(kit.database, room.id) if stand.role == "owner" else []
    values = {
        "room": room,
        "current_room_id": room.id,
        "people": [person for person in people if person.id != me.id and person.role != "guest"],
        "heir": await memberships.heir_of(kit.database, room.id, me.id),
    }
    return await page(request, "rooms/leave.html", values)


async def leave(request: Request) -> Response:
    kit, me, room_id = services(request), await actor(request), room_number(request)
    kit.limits.take(MEMBERSHIP, me.id)
    stand = await policy.of(kit.database, room_id, me.id)
    if not stand.is_member:  # leaving twice is leaving once, where they may know of the room
        stand.require("join")
    heir = number_of((await typed(request, "heir"))["heir"]) or 0
    if (
        not heir
        and stand.role == "owner"
        and await memberships.heir_of(kit.database, room_id, me.id)
    ):
        return to(f"/rooms/{room_id}/leave")  # which asks whose the room shall be
    await kit.writer.ask(LeaveRoom(me.id, room_id, heir))
    return to("/rooms", "room_left")


async def settings_page(request: Request) -> Response:
    _, room, _ = await standing(request, "archive")
    return await _settings(request, room)


async def _settings(
    request: Request,
    room: Room,
    form: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """`form`: what was typed in one of the page's forms, whose names differ."""
    as_it_is = {"name": room.name, "topic": room.topic, "slow": str(room.slow_seconds)}
    values = {
        "room": room,
        "current_room_id": room.id,
        "form": {**as_it_is, **(form or {})},
        "errors": errors or {},
        "slow_choices": SLOW_CHOICES,
    }
    return await page(request, "rooms/settings.html", values, status)


async def _change(
    request: Request,
    action: str,
    names: Sequence[str],
    command: Callable[[User, Room, dict[str, str]], EditRoom | ShapeRoom],
) -> Response:
    """Carries out what a form of the settings asks for, or shows it again with what is wrong. `command` may raise
    `Invalid`."""
    kit = services(request)
    me, room, _ = await standing(request, action)
    form = await typed(request, *names)
    try:
        wanted = command(me, room, form)
        kit.limits.take(EDIT_ROOM, me.id)
        await kit.writer.ask(wanted)
    except Invalid as error:
        return await _settings(request, room, form, error.fields, error.status)
    return to(f"/rooms/{room.id}", "room_saved")


async def edit(request: Request) -> Response:
    def command(me: User, room: Room, form: dict[str, str]) -> EditRoom:
        return EditRoom(me.id, room.id, *_name_and_topic(form))

    return await _change(request, "edit_room", ("name", "topic"), command)


async def shape(request: Request) -> Response:
    """Who finds the room: opening a closed one has to be confirmed, since all that was said becomes visible."""

    def command(me: User, room: Room, form: dict[str, str]) -> ShapeRoom:
        kind = _kind(form["kind"])
        if kind == "open" != room.kind and not form["sure"]:
            raise Invalid({"sure": "confirm_open"})
        return ShapeRoom(me.id, room.id, kind=kind)

    return await _change(request, "shape", ("kind", "sure"), command)


async def talk(request: Request) -> Response:
    """Who may write in the room, and how often."""

    def command(me: User, room: Room, form: dict[str, str]) -> ShapeRoom:
        slow = number_of(form["slow"] or "0")
        if slow is None or slow > rooms.SLOWEST:
            raise Invalid({"slow": "slow_unknown"})
        few = form["announcement"] == "on"
        return ShapeRoom(me.id, room.id, is_announcement=few, slow_seconds=slow)

    return await _change(request, "shape", ("announcement", "slow"), command)


async def archive(request: Request) -> Response:
    """The room is only read from now on, or comes back."""
    kit = services(request)
    me, room, _ = await standing(request, "archive")
    on = (await typed(request, "on"))["on"] == "true"
    kit.limits.take(EDIT_ROOM, me.id)
    await kit.writer.ask(ShapeRoom(me.id, room.id, is_archived=on))
    return to(f"/rooms/{room.id}", "room_archived" if on else "room_restored")


async def delete(request: Request) -> Response:
    kit = services(request)
    me, room, _ = await standing(request, "delete_room")
    form = await typed(request, "confirm")
    if text.search_key(form["confirm"]) != text.search_key(room.name):
        wrong = Invalid({"confirm": "confirm_name"})
        return await _settings(request, room, form, wrong.fields, wrong.status)
    await kit.writer.ask(DeleteRoom(me.id, room.id))
    return to("/rooms", "room_deleted")
