"""One person of a room, what can be done to them, and the log of what was done."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import audit, memberships, moderation, policy, text
from chatapp.domain.commands import Moderate
from chatapp.domain.moderation import Ban
from chatapp.domain.policy import Stand
from chatapp.domain.rooms import Room
from chatapp.domain.users import Person, User
from chatapp.errors import Invalid, Missing
from chatapp.limits import MEMBERSHIP
from chatapp.realtime.asked import NUMBER_MOST
from chatapp.routes.door import (
    actor,
    number_of,
    page,
    query_number,
    services,
    to,
    typed,
)
from chatapp.routes.rooms import standing

MUTES = (10, 60, 24 * 60, 7 * 24 * 60)  # minutes
BANS = (24 * 60, 7 * 24 * 60, 30 * 24 * 60, 0)


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody of a room as a reader sees them. `stand`: theirs; `ban`: if there is one."""

    me: User
    room: Room
    mine: Stand
    person: Person
    stand: Stand
    ban: Ban | None


async def _seen(request: Request) -> Seen:
    """Members see members; who keeps order sees who is banned as well. Raises `Missing`, `Forbidden`."""
    kit = services(request)
    me, room, mine = await standing(request, "read" if request.method == "GET" else "moderate")
    number = int(request.path_params["user_id"])
    if not 0 < number <= NUMBER_MOST:
        raise Missing("person_gone")
    person = await memberships.find_member(kit.database, room.id, number)
    bans = await moderation.bans_of(kit.database, room.id, number) if mine.may("moderate") else []
    ban = bans[0] if bans else None
    if person is None:
        if ban is None:
            raise Missing("person_gone")
        return Seen(me, room, mine, ban.person, policy.NOBODY, ban)
    return Seen(me, room, mine, person, await policy.of(kit.database, room.id, person.id), ban)


async def show(request: Request) -> Response:
    return await _show(request, await _seen(request), {}, {})


async def _show(
    request: Request,
    seen: Seen,
    form: dict[str, str],
    errors: dict[str, str],
    status: int = 200,
) -> Response:
    values = {
        "room": seen.room,
        "current_room_id": seen.room.id,
        "seen": seen,
        "mutes": MUTES,
        "bans": BANS,
        "form": form,
        "errors": errors,
    }
    return await page(request, "rooms/person.html", values, status)


async def act(request: Request) -> Response:
    kit = services(request)
    seen = await _seen(request)
    form = await typed(request, "do", "minutes", "reason")
    try:
        command = _command(seen, form)
        kit.limits.take(MEMBERSHIP, seen.me.id)
        await kit.writer.ask(command)
    except Invalid as error:
        return await _show(request, seen, form, error.fields, error.status)
    if form["do"] in {"remove", "ban", "unban"}:
        return to(f"/rooms/{seen.room.id}/members", "moderated")
    return to(f"/rooms/{seen.room.id}/members/{seen.person.id}", "moderated")


def _command(seen: Seen, form: dict[str, str]) -> Moderate:
    """Raises `Invalid`."""
    if form["do"] not in moderation.ACTIONS:
        raise Invalid({"": "action_unknown"})
    minutes = number_of(form["minutes"] or "0")
    if minutes is None or minutes > moderation.MINUTES_MOST:
        raise Invalid({"minutes": "minutes_invalid"})
    try:
        reason = text.topic(form["reason"], "reason")
    except Invalid:
        raise Invalid({"reason": "reason_long"}) from None
    me, room, person = seen.me, seen.room, seen.person
    return Moderate(me.id, room.id, person.id, form["do"], minutes, reason)


async def room_log(request: Request) -> Response:
    kit = services(request)
    _, room, _ = await standing(request, "audit")
    values = {
        "room": room,
        "current_room_id": room.id,
        "found": await audit.of_room(kit.database, room.id, query_number(request, "before")),
        "bans": await moderation.bans_of(kit.database, room.id),
    }
    return await page(request, "rooms/audit.html", values)


async def site_log(request: Request) -> Response:
    """For the administrator; for everybody else there is nothing here."""
    kit, me = services(request), await actor(request)
    if not me.is_admin:
        raise Missing("not_found")
    found = await audit.of_site(kit.database, me.id, query_number(request, "before"))
    return await page(request, "rooms/audit.html", {"room": None, "found": found, "bans": []})
