"""A room's page, and pieces of its history."""

from collections.abc import Sequence
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from chatapp.days import Fresh, Links, days
from chatapp.domain import (
    deletions,
    drafts,
    messages,
    mine,
    pins,
    policy,
    quotes,
    reports,
    rooms,
    slowness,
    unread,
)
from chatapp.domain.commands import Message, Quote
from chatapp.domain.memberships import Reader
from chatapp.domain.messages import Page
from chatapp.domain.policy import Stand
from chatapp.domain.rooms import Room
from chatapp.domain.unread import Unread
from chatapp.domain.users import User
from chatapp.routes.door import (
    Services,
    actor,
    fragment,
    is_htmx,
    number_of,
    page,
    query_number,
    room_number,
    services,
    to,
    zone,
)
from chatapp.routes.people import pane
from chatapp.routes.rooms import member, pages_of
from chatapp.routes.thread_pane import pane_of


async def show(request: Request) -> Response:
    me, room_id = await actor(request), room_number(request)
    return await show_room(request, me, room_id, {}, {})


async def show_room(
    request: Request,
    me: User,
    room_id: int,
    form: dict[str, str],
    errors: dict[str, str],
    status: int = 200,
    preview: object = None,
    thread: int | None = None,
) -> Response:
    """The room as of one moment: its number and its rows are read in one snapshot. `thread`: with the pane of this one
    beside it."""
    kit = services(request)
    async with kit.database.snapshot() as snapshot:
        stand = await policy.of(snapshot, room_id, me.id)
        if not stand.is_member:
            stand.require("join")
        room = await rooms.find(snapshot, room_id, me.id)
        if not stand.is_member:
            around = query_number(request, "around")
            return await page(request, "rooms/join.html", {"room": room, "around": around}, status)
        unread_here = (await unread.counts(snapshot, [(room_id, me.id)]))[room_id, me.id]
        fresh = await _fresh(snapshot, unread_here, me)
        landing = ""
        if any(name in request.query_params for name in ("before", "after", "around", "end")):
            found, seq = await _wanted(request, snapshot, room_id), room.last_seq
            landing = _target(found.messages, query_number(request, "around"))
        else:
            place = None if fresh else await unread.place(snapshot, room_id, me.id)
            found, seq = await _newest(kit, snapshot, room)
            start = fresh.seq if fresh else place
            if start is not None:
                landing = "new" if fresh else f"m-{start}"
                if found.messages and start < found.messages[0].seq:
                    found = await messages.around(snapshot, room_id, start)
        people = await pane(kit, snapshot, room)
        draft = await drafts.find(snapshot, room_id, me.id)
        deleted = query_number(request, "deleted")
        if deleted and not await deletions.may_restore(snapshot, room_id, deleted, me.id):
            deleted = None
        links = _links(request, stand, me)
        pane_beside = None
        if thread is not None:
            pane_beside = await pane_of(kit, snapshot, request, me, room_id, thread, links)
            seq = min(seq, room.last_seq)  # rows from memory may be newer than the pane
        answering = await _answering(request, snapshot, room_id, form)
        pin_count = await pins.count(snapshot, room_id)
        own = await mine.of_page(snapshot, room_id, me.id, found.messages)
        waiting = await reports.count(snapshot, room_id) if stand.may("moderate") else None
        is_slow = room.slow_seconds and not stand.may("hurry")
        wait = is_slow and await slowness.wait_of(snapshot, room_id, me.id, room.slow_seconds)
    await kit.fragments.ready(found.messages)
    values = {
        "room": room,
        "current_room_id": room.id,
        "landing": landing,
        "fresh": fresh,
        "days": days(
            kit.fragments,
            found.messages,
            zone(request),
            me.id,
            fresh,
            own,
            links=links,
        ),
        "deleted": deleted,
        **people,
        "pages": pages_of(room.member_count),
        "cursor": f"{kit.epoch}:{seq}",
        "stand": stand,
        "reports": waiting,
        "wait": wait,
        "pin_count": pin_count,
        "call": kit.calls.of(room.id),
        "older": found.older,
        "newer": found.newer,
        "at_start": found.older is None,
        "form": form,
        "errors": errors,
        "preview": preview,
        "draft": draft,
        "answering": answering,
        "thread": pane_beside,
        "draft_key": form.get("key") or str(uuid4()),
    }
    return await page(request, "rooms/show.html", values, status)


def _links(request: Request, stand: Stand, me: User) -> Links | None:
    """What a reader without scripts can do with messages, once they have asked for that."""
    if "links" not in request.query_params:
        return None
    changes = None if stand.may("delete") else frozenset({me.id})
    return Links(changes, reporter=me.id if stand.may("report") else None)


async def _answering(
    request: Request, reader: Reader, room_id: int, form: dict[str, str]
) -> Quote | None:
    """What the message that is being written answers. A form that was refused says it again."""
    seq = number_of(form["reply"]) if "reply" in form else query_number(request, "reply")
    found = await messages.find(reader, room_id, seq) if seq else None
    return quotes.of(found) if found and found.kind in quotes.ANSWERABLE else None


def _target(rows: Sequence[Message], seq: int | None) -> str:
    """The row that a link to number `seq` leads to: that one, or the nearest that shows something."""
    shown = [row.seq for row in rows if not row.is_quiet]
    if seq is None or not shown:
        return ""
    return f"m-{max((each for each in shown if each <= seq), default=shown[0])}"


async def _fresh(reader: Reader, count: Unread, me: User) -> Fresh | None:
    """Where what is new to somebody begins, if there is any."""
    if not count.unread:
        return None
    seq = await unread.first(reader, count.room_id, me.id, count.read)
    return None if seq is None else Fresh(seq, count.unread)


async def _newest(kit: Services, snapshot: Reader, room: Room) -> tuple[Page, int]:
    """The end of the room and the number it is as of: from memory, from what another process has read, or read and
    remembered."""
    known = kit.tails.page(room.id, room.last_seq)
    if known is None:
        rows = await _latest(kit, snapshot, room)
        kit.tails.keep(room.id, room.last_seq, rows)
        known = kit.tails.page(room.id, room.last_seq)
    return known or (await messages.newest(snapshot, room.id), room.last_seq)


async def _latest(kit: Services, snapshot: Reader, room: Room) -> list[Message]:
    shared = kit.shared_tails
    if shared is None:
        return await messages.latest(snapshot, room.id)
    rows = await shared.find(room.id, room.last_seq)
    kit.metrics.looked_for_tail(found=rows is not None)
    if rows is None:
        rows = await messages.latest(snapshot, room.id)
        if kit.supervisor.has_room():
            kit.supervisor.spawn(shared.keep(room.id, room.last_seq, rows), "shared tail")
    return rows


async def _wanted(request: Request, reader: Reader, room_id: int) -> Page:
    if (seq := query_number(request, "before")) is not None:
        return await messages.before(reader, room_id, seq)
    if (seq := query_number(request, "after")) is not None:
        return await messages.after(reader, room_id, seq)
    if (seq := query_number(request, "around")) is not None:
        return await messages.around(reader, room_id, seq)
    return await messages.newest(reader, room_id)


async def history(request: Request) -> Response:
    """A piece of history for the page that is open. Browsers without scripts use links to `show`."""
    kit = services(request)
    me, room = await member(request)
    found = await _wanted(request, kit.database, room.id)
    if not is_htmx(request.headers):
        return to(
            f"/rooms/{room.id}?{request.url.query}" if request.url.query else f"/rooms/{room.id}"
        )
    await kit.fragments.ready(found.messages)
    own = await mine.of_page(kit.database, room.id, me.id, found.messages)
    is_after = query_number(request, "after") is not None
    return fragment(
        request,
        "messages/_history.html",
        {
            "room": room,
            "days": days(kit.fragments, found.messages, zone(request), me.id, None, own),
            "older": None if is_after else found.older,
            "newer": found.newer if is_after else None,
            "at_start": not is_after and found.older is None,
            "me": me,
        },
    )
