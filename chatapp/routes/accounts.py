"""Signing up, in and out."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import emails, entry, rooms, sessions, users
from chatapp.domain.entry import BY_DOMAIN, Entry
from chatapp.domain.users import User
from chatapp.errors import Forbidden, Invalid
from chatapp.limits import FORGOT, SIGN_IN, SIGN_IN_ADDRESS, SIGN_UP_ADDRESS
from chatapp.routes.door import (
    address,
    page,
    required_session,
    safe_next,
    services,
    session,
    set_session_cookie,
    start_session,
    to,
    typed,
)
from chatapp.routes.links import mail_address, unreferred


async def home(request: Request) -> Response:
    """Signed out: what this is. Signed in: the room where something happened last."""
    known = await session(request)
    kit = services(request)
    if known is None:
        if not await users.any_account(kit.database):
            return to("/welcome")
        return await page(request, "accounts/landing.html")
    room_id = await rooms.newest_of_user(kit.database, known.user.id)
    if room_id is not None:
        return to(f"/rooms/{room_id}")
    listing = await rooms.browse(kit.database, known.user.id, search="", show="others", page=1)
    return await page(
        request,
        "rooms/welcome.html",
        {"form": {}, "errors": {}, "others": listing.counts["others"]},
    )


async def sign_up_page(request: Request) -> Response:
    if await session(request) is not None:
        return to("/")
    return await _sign_up(request, {}, {}, request.query_params.get("next", ""))


async def _sign_up(
    request: Request,
    form: dict[str, str],
    errors: dict[str, str],
    following: str,
    status: int = 200,
    *,
    asked: bool = False,
) -> Response:
    database = services(request).database
    first = not await users.any_account(database)
    values: dict[str, Any] = {
        "form": {name: form.get(name, "") for name in ("name", "email")},
        "errors": errors,
        "next": safe_next(following),
        "first": first,
        "entry": Entry() if first else await entry.read(database),
        "asked": asked,
    }
    values["proves"] = _proves(request, values["entry"])
    return await page(request, "accounts/sign_up.html", values, status)


def _proves(request: Request, chosen: Entry) -> bool:
    """Whether an address must be shown to be theirs: by a link that is sent to it."""
    return chosen.way == BY_DOMAIN and services(request).letters is not None


async def _send_proof(request: Request, form: dict[str, str], chosen: Entry) -> Response:
    """The same answer, at once, whether somebody has the address or not."""
    kit = services(request)
    assert kit.letters is not None  # noqa: S101  as `_proves` says
    key = emails.email_address(form["email"])[1]
    chosen.check(key)
    kit.limits.take(FORGOT, key)
    kit.letters.ask("sign_up", form["email"], mail_address(request))
    return await _sign_up(request, {}, {}, "", asked=True)


async def sign_up(request: Request) -> Response:
    kit = services(request)
    kit.limits.take(SIGN_UP_ADDRESS, address(request))
    form = await typed(request, "name", "email", "password", "next")
    try:
        chosen = await entry.read(kit.database)
        if _proves(request, chosen) and await users.any_account(kit.database):
            return await _send_proof(request, form, chosen)
        user = await users.sign_up(
            kit.database,
            kit.passwords,
            name=form["name"],
            email=form["email"],
            password=form["password"],
        )
    except Invalid as error:
        return await _sign_up(request, form, error.fields, form["next"], error.status)
    except Forbidden as error:  # the page says who may
        return await _sign_up(request, form, {}, form["next"], error.status)
    return await begin(request, user, form["next"])


async def sign_in_page(request: Request) -> Response:
    if await session(request) is not None:
        return to(safe_next(request.query_params.get("next", "")))
    return await _sign_in(request, {}, {}, request.query_params.get("next", ""))


async def _sign_in(
    request: Request,
    form: dict[str, str],
    errors: dict[str, str],
    following: str,
    status: int = 200,
) -> Response:
    values: dict[str, Any] = {
        "form": {"email": form.get("email", "")},
        "errors": errors,
        "next": safe_next(following),
    }
    response = await page(request, "accounts/sign_in.html", values, status)
    return unreferred(response) if values["next"].startswith("/invite/") else response


async def sign_in(request: Request) -> Response:
    """Counted for the address and for the account, known or not: both answer the same."""
    kit = services(request)
    form = await typed(request, "email", "password", "next")
    kit.limits.take(SIGN_IN_ADDRESS, address(request))
    kit.limits.take(SIGN_IN, emails.account_key(form["email"]))
    try:
        user, proof = await users.authenticate(
            kit.database, kit.passwords, email=form["email"], password=form["password"]
        )
        return await begin(request, user, form["next"], proof)
    except Invalid as error:
        return await _sign_in(request, form, error.fields, form["next"], error.status)


async def begin(request: Request, user: User, following: str, proof: str | None = None) -> Response:
    """A new session, never one the browser brought along; the old one of this browser ends."""
    kit = services(request)
    before = await session(request)
    if before is not None:
        await sessions.end_quietly(kit.database, before)
        kit.fanout.end_sessions([before.id])
    response = to(safe_next(following))
    await start_session(request, response, user, proof)
    return response


async def sign_out(request: Request) -> Response:
    kit = services(request)
    known = await session(request)
    if known is not None:
        await sessions.end_quietly(kit.database, known)
        kit.fanout.end_sessions([known.id])
    response = to("/sign-in", "signed_out")
    set_session_cookie(request, response, None)
    return response


async def sign_out_everywhere(request: Request) -> Response:
    kit = services(request)
    known = await required_session(request)
    await sessions.end_all(kit.database, known.user)
    kit.fanout.end_user(known.user.id)
    response = to("/sign-in", "signed_out")
    set_session_cookie(request, response, None)
    return response
