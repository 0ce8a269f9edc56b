"""A new password for who lost the old one: by a link from an administrator, or by mail."""

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import recovery
from chatapp.domain.emails import account_key
from chatapp.errors import Invalid, Missing
from chatapp.limits import FORGOT, FORGOT_ADDRESS, INVITE_ADDRESS, RECOVER_ADDRESS
from chatapp.routes.door import address, page, services, set_session_cookie, to, typed
from chatapp.routes.links import mail_address, unreferred


async def forgot_page(request: Request) -> Response:
    return await _forgot(request, asked=False)


async def _forgot(request: Request, *, asked: bool) -> Response:
    values = {"mails": services(request).letters is not None, "asked": asked}
    return await page(request, "accounts/forgot.html", values)


async def forgot(request: Request) -> Response:
    """The same answer for every address, at once: who has it is looked up later."""
    kit = services(request)
    kit.limits.take(FORGOT_ADDRESS, address(request))
    if kit.letters is None:
        raise Missing("no_mail")
    email = (await typed(request, "email"))["email"][:1000]
    kit.limits.take(FORGOT, account_key(email))
    kit.letters.ask("recover", email, mail_address(request))
    return await _forgot(request, asked=True)


async def recover_page(request: Request) -> Response:
    """Looking uses nothing up."""
    services(request).limits.take(INVITE_ADDRESS, address(request))
    return await _recover(request, {})


async def _recover(request: Request, errors: dict[str, str], status: int = 200) -> Response:
    token = request.path_params["token"]
    try:
        user = await recovery.holder(services(request).database, token)
    except Missing:
        return unreferred(await page(request, "accounts/recover_over.html", {}, Missing.status))
    values = {"token": token, "email": user.email, "errors": errors}
    return unreferred(await page(request, "accounts/recover.html", values, status))


async def recover(request: Request) -> Response:
    """All sessions of the person end, at every process; with the new password they sign in anew."""
    kit = services(request)
    kit.limits.take(RECOVER_ADDRESS, address(request))
    password = (await typed(request, "password"))["password"]
    token = request.path_params["token"]
    try:
        user_id = await recovery.redeem(kit.database, kit.passwords, token, password)
    except Invalid as error:
        return await _recover(request, error.fields, error.status)
    except Missing:
        return await _recover(request, {})
    kit.fanout.end_user(user_id)
    response = to("/sign-in", "recovered")
    set_session_cookie(request, response, None)
    return unreferred(response)
