"""What people tell about themselves: the page of one person, and the forms in which they say it."""

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import blocks, profiles
from chatapp.domain.profiles import Profile
from chatapp.errors import Invalid, Missing
from chatapp.limits import PROFILE
from chatapp.realtime.asked import NUMBER_MOST
from chatapp.routes.door import Services, actor, page, required_session, services, to, typed, zone
from chatapp.routes.profile import show_settings


async def show(request: Request) -> Response:
    """Who may not know of somebody gets what they get for nobody."""
    kit, me = services(request), await actor(request)
    found = await profiles.find(kit.database, person_number(request), me.id)
    values = {
        "profile": found,
        "person": found.person,
        "state": _state(kit, found),
        "is_blocked": await blocks.is_blocked(kit.database, me.id, found.person.id),
    }
    return await page(request, "people/show.html", values)


def person_number(request: Request) -> int:
    number = int(request.path_params["user_id"])
    if not 0 < number <= NUMBER_MOST:
        raise Missing("person_gone")
    return number


def _state(kit: Services, profile: Profile) -> str:
    """Whether they are here, as a room that both are in shows it; '' where there is none, or nobody can tell."""
    for room_id in [*profile.direct, *(room.id for room in profile.rooms)]:
        present = kit.presence.of(room_id)
        return "" if present is None else present.state(profile.person.id)
    return ""


async def block(request: Request) -> Response:
    """`on`: whether they shall be blocked afterwards. Nobody is ever too far away to be unblocked. `back` '1': to the
    list in the settings."""
    kit, me = services(request), await actor(request)
    kit.limits.take(PROFILE, me.id)
    number = person_number(request)
    form = await typed(request, "on", "back")
    on = form["on"] == "true"
    if on:
        await profiles.find(kit.database, number, me.id)
        await blocks.block(kit.database, me.id, number)
    else:
        await blocks.unblock(kit.database, me.id, number)
    back = "/settings#blocked" if form["back"] == "1" else f"/people/{number}"
    return to(back, "blocked" if on else "unblocked")


async def change_about(request: Request) -> Response:
    kit, known = services(request), await required_session(request)
    kit.limits.take(PROFILE, known.user.id)
    form = await typed(request, "bio", "zone")
    try:
        await profiles.set_about(kit.database, known.user.id, bio=form["bio"], zone=form["zone"])
    except Invalid as error:
        values = {"about_form": form, "about_errors": error.fields}
        return await show_settings(request, values, error.status)
    return to("/settings#about", "about")


async def change_status(request: Request) -> Response:
    """`do` 'clear' takes it away."""
    kit, known = services(request), await required_session(request)
    kit.limits.take(PROFILE, known.user.id)
    form = await typed(request, "emoji", "status", "ends", "day", "do")
    if form["do"] == "clear":
        form = dict.fromkeys(form, "")
    try:
        await profiles.set_status(
            kit.database,
            known.user.id,
            sign=form["emoji"],
            words=form["status"],
            ends=form["ends"],
            day=form["day"],
            zone=zone(request),
        )
    except Invalid as error:
        values = {"status_form": form, "status_errors": error.fields}
        return await show_settings(request, values, error.status)
    kept = form["emoji"].strip() or form["status"].strip()
    return to("/settings#status", "status" if kept else "status_gone")
