"""Signing up with an address that was shown to be theirs: by the link that was sent to it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import users
from chatapp.errors import Forbidden, Invalid, Missing
from chatapp.limits import INVITE_ADDRESS, SIGN_UP_ADDRESS
from chatapp.routes.accounts import begin
from chatapp.routes.door import address, page, services, typed
from chatapp.routes.links import unreferred


def _email(request: Request) -> str:
    """Raises `Missing`."""
    letters = services(request).letters
    if letters is None:
        raise Missing("proof_over")
    return letters.proven(request.path_params["token"])


async def show(request: Request) -> Response:
    services(request).limits.take(INVITE_ADDRESS, address(request))
    return await _show(request, "", {})


async def _show(request: Request, name: str, errors: dict[str, str], status: int = 200) -> Response:
    try:
        email = _email(request)
    except Missing:
        return unreferred(await page(request, "accounts/proof_over.html", {}, Missing.status))
    values: dict[str, Any] = {
        "token": request.path_params["token"],
        "email": email,
        "name": name,
        "errors": errors,
    }
    return unreferred(await page(request, "accounts/proof.html", values, status))


async def sign_up(request: Request) -> Response:
    """Who may sign up is looked at again: it may have changed since the link was sent."""
    kit = services(request)
    kit.limits.take(SIGN_UP_ADDRESS, address(request))
    form = await typed(request, "name", "password")
    try:
        user = await users.sign_up(
            kit.database,
            kit.passwords,
            name=form["name"],
            email=_email(request),
            password=form["password"],
        )
    except Invalid as error:
        # all that can be wrong with the address is that the link was used
        fields = {"" if name == "email" else name: text for name, text in error.fields.items()}
        return await _show(request, form["name"], fields, error.status)
    except (Missing, Forbidden):
        return unreferred(await page(request, "accounts/proof_over.html", {}, Missing.status))
    return await begin(request, user, "/")
