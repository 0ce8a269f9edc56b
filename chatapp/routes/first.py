"""The first visit to a new site: its administrator and a first room. Afterwards there is no such page."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import text, users
from chatapp.domain.commands import CreateRoom
from chatapp.errors import Checks, Invalid, Missing
from chatapp.limits import SIGN_UP_ADDRESS
from chatapp.routes.accounts import begin
from chatapp.routes.door import address, page, services, typed
from chatapp.words import FIRST_ROOM


async def show(request: Request) -> Response:
    if await users.any_account(services(request).database):
        raise HTTPException(404)
    return await _show(request, {"room": FIRST_ROOM}, {})


async def _show(
    request: Request, form: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    shown = {name: form.get(name, "") for name in ("name", "email", "room")}
    values: dict[str, Any] = {"form": shown, "errors": errors}
    return await page(request, "accounts/first.html", values, status)


async def start(request: Request) -> Response:
    """Of several who do this at once one is the administrator; for the others it is over."""
    kit = services(request)
    if await users.any_account(kit.database):
        raise HTTPException(404)
    kit.limits.take(SIGN_UP_ADDRESS, address(request))
    form = await typed(request, "name", "email", "password", "room")
    room = ""
    try:
        with Checks() as checks:
            with checks.next():
                room = text.room_name(form["room"], "room")
            with checks.next():
                newcomer = await users.newcomer(
                    kit.passwords, **{each: form[each] for each in ("name", "email", "password")}
                )
        user = await users.sign_up_first(kit.database, newcomer)
    except Missing:
        raise HTTPException(404) from None
    except Invalid as error:
        return await _show(request, form, error.fields, error.status)
    try:
        following = f"/rooms/{await kit.writer.ask(CreateRoom(user.id, room, ''))}"
    except Invalid:  # a room of this name outlived the accounts that were here
        following = "/"
    return await begin(request, user, following)
