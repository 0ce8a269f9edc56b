"""A person's own settings: profile, theme, devices, password, the end of the account."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import blocks, notices, presence, profiles, sessions, subscriptions, users
from chatapp.domain.commands import DeleteAccount, EditProfile
from chatapp.errors import Invalid, Missing
from chatapp.limits import PASSWORD, PROFILE
from chatapp.realtime.backplane import Hint
from chatapp.routes.door import (
    THEMES,
    page,
    required_session,
    services,
    set_session_cookie,
    start_session,
    to,
    typed,
)


async def show(request: Request) -> Response:
    return await show_settings(request, {})


async def show_settings(request: Request, values: dict[str, Any], status: int = 200) -> Response:
    known = await required_session(request)
    database = services(request).database
    found = await sessions.devices(database, known.user, known.id)
    quiet = await notices.quiet_of(database, known.user.id)
    pushed = await subscriptions.of_session(database, known.id)
    everything: dict[str, Any] = {
        "profile_form": {"name": known.user.name, "hue": str(known.user.hue)},
        "profile_errors": {},
        "about": await profiles.about(database, known.user.id),
        "avatar_error": "",
        "about_form": {},
        "about_errors": {},
        "status_form": {},
        "status_errors": {},
        "zones": profiles.zones(),
        "blocked": await blocks.of(database, known.user.id),
        "password_errors": {},
        "delete_errors": {},
        "quiet_form": {"from": notices.clock(quiet.start), "until": notices.clock(quiet.end)},
        "quiet_errors": {},
        "push_endpoint": pushed.endpoint if pushed else "",
        "push_key": services(request).pushes.public_key,
        "devices": found,
        "saved": None,
    }
    return await page(request, "settings/show.html", {**everything, **values}, status)


async def change(request: Request) -> Response:
    kit, known = services(request), await required_session(request)
    kit.limits.take(PROFILE, known.user.id)
    form = await typed(request, "name", "hue")
    try:
        name, hue = users.profile(name=form["name"], hue=form["hue"])
        await kit.writer.ask(EditProfile(known.user.id, name, hue))
        kit.presence.doubt(None, known.user.id)
        kit.backplane.publish(Hint("person", user_id=known.user.id))
    except Invalid as error:
        return await show_settings(
            request, {"profile_form": form, "profile_errors": error.fields}, error.status
        )
    return to("/settings#profile", "profile")


async def change_presence(request: Request) -> Response:
    """To be seen, or to be nowhere: from this moment on, at every process."""
    kit, known = services(request), await required_session(request)
    kit.limits.take(PROFILE, known.user.id)
    form = await typed(request, "invisible")
    hidden = form["invisible"] == "on"
    await presence.set_invisible(kit.database, known.user.id, is_invisible=hidden)
    kit.presence.hide(known.user.id, is_invisible=hidden)
    kit.backplane.publish(Hint("person", user_id=known.user.id))
    return to("/settings#presence", "invisible" if hidden else "visible")


async def change_writing(request: Request) -> Response:
    """Which key sends, on all devices of the person."""
    kit, known = services(request), await required_session(request)
    kit.limits.take(PROFILE, known.user.id)
    sends = (await typed(request, "enter"))["enter"] != "breaks"
    await users.set_enter(kit.database, known.user.id, sends=sends)
    return to("/settings#writing", "writing")


async def change_theme(request: Request) -> Response:
    await required_session(request)
    form = await typed(request, "theme")
    if form["theme"] not in THEMES:
        raise Invalid({"theme": "theme_unknown"})
    response = to("/settings#appearance", "theme")
    response.set_cookie("theme", form["theme"], max_age=365 * 24 * 3600, path="/", samesite="lax")
    return response


async def change_password(request: Request) -> Response:
    """All sessions end; this browser gets a new one."""
    kit, known = services(request), await required_session(request)
    kit.limits.take(PASSWORD, known.user.id)
    form = await typed(request, "current", "new")
    try:
        await users.change_password(
            kit.database, kit.passwords, known.user, current=form["current"], new=form["new"]
        )
    except Invalid as error:
        return await show_settings(request, {"password_errors": error.fields}, error.status)
    await sessions.end_all(kit.database, known.user)
    kit.fanout.end_user(known.user.id)
    response = to("/settings#security", "password")
    await start_session(request, response, known.user)
    return response


async def sign_out_device(request: Request) -> Response:
    kit, known = services(request), await required_session(request)
    number = int(request.path_params["device_id"])
    if number > 2**53:
        raise Missing("device_unknown")
    await sessions.end(kit.database, known.user, number)
    kit.fanout.end_sessions([number])
    return to("/settings#devices", "device")


async def sign_out_others(request: Request) -> Response:
    kit, known = services(request), await required_session(request)
    ended = await sessions.end_all(kit.database, known.user, but=known.id)
    kit.fanout.end_sessions(ended)
    return to("/settings#devices", "devices")


async def delete_account(request: Request) -> Response:
    kit, known = services(request), await required_session(request)
    kit.limits.take(PASSWORD, known.user.id)
    form = await typed(request, "password")
    try:
        await users.check_password(
            kit.database, kit.passwords, known.user, form["password"], "password"
        )
    except Invalid as error:
        return await show_settings(request, {"delete_errors": error.fields}, error.status)
    await kit.writer.ask(DeleteAccount(known.user.id))
    response = to("/", "account_deleted")
    set_session_cookie(request, response, None)
    return response
