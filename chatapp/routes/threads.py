"""Threads: the pane beside a room, and the page of those that somebody follows."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import following, messages, threads
from chatapp.domain.commands import Message
from chatapp.domain.memberships import Reader
from chatapp.domain.users import User
from chatapp.limits import MEMBERSHIP, READ_THREAD
from chatapp.realtime.dispatch import NUMBER_MOST
from chatapp.routes.door import (
    Services,
    actor,
    fragment,
    is_htmx,
    number_of,
    page,
    query_number,
    services,
    to,
    typed,
    zone,
)
from chatapp.routes.rooms import member
from chatapp.routes.timeline import show_room
from chatapp.templating import Day


@dataclass(frozen=True, slots=True)
class Pane:
    """A thread as its pane shows it. `older`: the number to ask for what is above, None at the beginning."""

    seq: int
    first: list[Day]
    days: list[Day]
    count: int
    older: int | None
    last: int
    is_following: bool
    draft_key: str


async def _pane(kit: Services, reader: Reader, request: Request, me: User, first: Message) -> Pane:
    found = await messages.answers(reader, first.room_id, first.seq, query_number(request, "above"))
    await kit.fragments.ready([first, *found.messages])
    known = threads.summary(first.thread)
    days, tz = kit.fragments.days, zone(request)
    return Pane(
        seq=first.seq,
        first=days([first], tz, me.id, thread=first.seq),
        days=days(found.messages, tz, me.id, thread=first.seq),
        count=known.n if known else 0,
        older=found.older,
        last=known.last if known else first.seq,
        is_following=await following.is_following(reader, me.id, first.room_id, first.seq),
        draft_key=str(uuid4()),
    )


def _seq(request: Request) -> int:
    return min(int(request.path_params["seq"]), NUMBER_MOST)


async def show(request: Request) -> Response:
    """The pane for a page that is open; without scripts a room with it beside. That page counts as read."""
    kit = services(request)
    me, room = await member(request)
    async with kit.database.snapshot() as snapshot:
        first = await threads.first(snapshot, room.id, _seq(request))
        pane = await _pane(kit, snapshot, request, me, first)
    values: dict[str, Any] = {"room": room, "thread": pane, "me": me, "form": {}, "errors": {}}
    if is_htmx(request.headers):
        older = query_number(request, "above") is not None
        return fragment(request, "threads/_replies.html" if older else "threads/_pane.html", values)
    await _read(kit, me, room.id, first.seq, pane.last)
    return await show_room(request, me, room.id, {}, {}, thread=pane)


async def _read(kit: Services, me: User, room_id: int, seq: int, upto: int) -> None:
    async with kit.database.transaction() as tx:
        changed = await following.apply_read(tx, me.id, room_id, seq, upto)
    if changed:
        kit.marks.tell(room_id, [me.id], others=True)


async def read(request: Request) -> Response:
    """A pane has shown a thread up to a number."""
    kit = services(request)
    me, room = await member(request)
    kit.limits.take(READ_THREAD, me.id)
    upto = number_of((await typed(request, "upto"))["upto"]) or 0
    await _read(kit, me, room.id, _seq(request), min(upto, room.last_seq))
    return Response(status_code=204)


async def follow(request: Request) -> Response:
    """Whoever follows a thread is told of what is new in it."""
    kit = services(request)
    me, room = await member(request)
    kit.limits.take(MEMBERSHIP, me.id)
    follows = (await typed(request, "follow"))["follow"] == "on"
    first = await threads.first(kit.database, room.id, _seq(request))
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
