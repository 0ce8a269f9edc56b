"""Inviting people, and coming in by an invitation."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import invitations, memberships, users
from chatapp.domain.commands import AcceptInvitation
from chatapp.domain.invitations import DAYS, Offer
from chatapp.domain.sessions import Session
from chatapp.errors import Forbidden, Invalid, Missing
from chatapp.limits import INVITE, INVITE_ADDRESS, INVITED_ADDRESS, MEMBERSHIP
from chatapp.routes.accounts import begin
from chatapp.routes.door import (
    actor,
    address,
    page,
    query_number,
    services,
    session,
    to,
    typed,
)
from chatapp.routes.links import shown_once, unreferred
from chatapp.security import token_hash

_NEW = {"note": "", "role": "member", "days": "7", "uses": "1"}


async def show(request: Request) -> Response:
    await actor(request)
    room = query_number(request, "room")
    return await _show(request, _NEW, [str(room)] if room else [])


async def _show(
    request: Request,
    form: dict[str, str],
    chosen: list[str],
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """`chosen`: numbers of rooms, as typed."""
    kit, me = services(request), await actor(request)
    also = {int(each) for each in chosen if each.isascii() and each.isdigit() and len(each) < 16}
    values: dict[str, Any] = {
        "places": await invitations.places_of(kit.database, me.id, also),
        "invitations": await invitations.listing(kit.database, me),
        "form": form,
        "chosen": also,
        "days": DAYS,
        "errors": errors or {},
    }
    return await page(request, "invitations/show.html", values, status)


async def make(request: Request) -> Response:
    """The link is in this answer and nowhere else."""
    kit, me = services(request), await actor(request)
    form = await typed(request, *_NEW)
    chosen = [str(each) for each in (await request.form()).getlist("room")]
    try:
        wanted = invitations.wanted(**form, room_ids=chosen)
        kit.limits.take(INVITE, me.id)
        token = await invitations.make(kit.database, me, wanted)
    except Invalid as error:
        return await _show(request, form, chosen, error.fields, error.status)
    values = {"wanted": wanted, **shown_once(request, f"/invite/{token}")}
    return await page(request, "invitations/made.html", values)


async def revoke(request: Request) -> Response:
    me = await actor(request)
    number = int(request.path_params["invitation_id"])
    await invitations.revoke(services(request).database, me, number)
    return to("/invitations", "revoked")


# -- coming in by one -----------------------------------------------------------------


async def offered(request: Request) -> Response:
    """Looking uses nothing up."""
    services(request).limits.take(INVITE_ADDRESS, address(request))
    try:
        return await _offered(request, await _offer(request), {}, {})
    except Missing:
        return await _over(request)


async def _offer(request: Request) -> Offer:
    return await invitations.offer(services(request).database, request.path_params["token"])


async def _offered(
    request: Request, offer: Offer, form: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    values: dict[str, Any] = {
        "offer": offer,
        "token": request.path_params["token"],
        "form": form,
        "errors": errors,
        "new": await _new_to(request, offer, await session(request)),
    }
    return unreferred(await page(request, "invitations/offer.html", values, status))


async def _new_to(request: Request, offer: Offer, known: Session | None) -> bool:
    """Whether there is a room to come into for who is signed in."""
    if known is None:
        return True
    database = services(request).database
    for place in offer.places:
        if not await memberships.is_member(database, place.id, known.user.id):
            return True
    return False


async def _over(request: Request) -> Response:
    """Used up, expired, revoked, never there: nobody is told which."""
    return unreferred(await page(request, "invitations/over.html", {}, Missing.status))


async def accept(request: Request) -> Response:
    """Into the rooms, for who is signed in; an account first, for who is not."""
    kit = services(request)
    kit.limits.take(INVITE_ADDRESS, address(request))
    known = await session(request)
    try:
        offer = await _offer(request)
        if known is None:
            return await _sign_up(request, offer)
        kit.limits.take(MEMBERSHIP, known.user.id)
        hashed = token_hash(request.path_params["token"])
        await kit.writer.ask(AcceptInvitation(known.user.id, hashed))
    except (Missing, Forbidden):
        return await _over(request)
    return to(f"/rooms/{offer.places[0].id}" if offer.places else "/")


async def _sign_up(request: Request, offer: Offer) -> Response:
    """The account, the use of the invitation and the memberships are one transaction."""
    kit = services(request)
    kit.limits.take(INVITED_ADDRESS, address(request))
    form = await typed(request, "name", "email", "password")
    shown = {name: form[name] for name in ("name", "email")}
    try:
        newcomer = await users.newcomer(kit.passwords, **form)
        hashed = token_hash(request.path_params["token"])
        user_id = await kit.writer.ask(AcceptInvitation(0, hashed, newcomer))
    except Invalid as error:
        return await _offered(request, offer, shown, error.fields, error.status)
    following = f"/rooms/{offer.places[0].id}" if offer.places else "/"
    return await begin(request, await users.find(kit.database, user_id), following)
