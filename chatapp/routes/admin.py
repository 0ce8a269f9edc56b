"""Looking after the site: who may sign up, who is here, what they may, and who lost a password."""

import logging
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatapp.domain import administration, entry
from chatapp.domain.administration import ROLES, SHOWS
from chatapp.domain.entry import Entry
from chatapp.domain.users import User
from chatapp.errors import Conflict, Forbidden, Invalid
from chatapp.limits import ADMINISTER
from chatapp.routes.door import (
    page,
    query_number,
    required_session,
    services,
    to,
    typed,
)
from chatapp.routes.links import shown_once

SEARCH_CHARACTERS = 100

log = logging.getLogger(__name__)


async def _administrator(request: Request) -> User:
    """Raises `SignedOut`, `Forbidden`, `TooMany`."""
    me = (await required_session(request)).user
    if not me.is_admin:
        raise Forbidden("not_administrator")
    if request.method == "POST":
        services(request).limits.take(ADMINISTER, me.id)
    return me


async def show(request: Request) -> Response:
    await _administrator(request)
    return await _show(request, await entry.read(services(request).database))


async def _show(
    request: Request,
    chosen: Entry,
    domains: str | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    database = services(request).database
    search = request.query_params.get("q", "")[:SEARCH_CHARACTERS]
    kind = request.query_params.get("show", "all")
    kind = kind if kind in SHOWS else "all"
    number = min(max(1, query_number(request, "page") or 1), 100_000)
    accounts, number, pages = await administration.listing(
        database, search=search, show=kind, page=number
    )
    values = {
        "counts": await administration.counts(database),
        "accounts": accounts,
        "q": search,
        "show": kind,
        "page": number,
        "pages": pages,
        "way": chosen.way,
        "domains": " ".join(chosen.domains) if domains is None else domains,
        "errors": errors or {},
        "mails": services(request).letters is not None,
    }
    return await page(request, "admin/show.html", values, status)


async def change_entry(request: Request) -> Response:
    me = await _administrator(request)
    form = await typed(request, "way", "domains")
    database = services(request).database
    try:
        chosen = entry.typed(form["way"], form["domains"])
        await administration.set_entry(database, me.id, chosen)
    except Invalid as error:
        way = form["way"] if form["way"] in entry.WAYS else (await entry.read(database)).way
        return await _show(request, Entry(way), form["domains"], error.fields, error.status)
    return to("/admin#entry", "entry")


def _person_number(request: Request) -> int:
    return int(request.path_params["user_id"])  # no longer than the database takes


async def person(request: Request) -> Response:
    await _administrator(request)
    return await _person(request)


async def _person(request: Request, complaint: str = "", status: int = 200) -> Response:
    account = await administration.account(services(request).database, _person_number(request))
    values: dict[str, Any] = {"account": account, "complaint": complaint}
    return await page(request, "admin/person.html", values, status)


async def change_role(request: Request) -> Response:
    me, user_id = await _administrator(request), _person_number(request)
    role = (await typed(request, "role"))["role"]
    if role not in ROLES:
        raise Invalid({"role": "role_unknown"})
    try:
        await administration.set_role(services(request).database, me.id, user_id, role)
    except Conflict as error:
        return await _person(request, error.sentence, error.status)
    log.info("a role was changed", extra={"user": user_id, "code": role})
    mine = user_id == me.id and role != "administrator"
    return to("/settings" if mine else f"/admin/people/{user_id}", "role")


async def change_state(request: Request) -> Response:
    """Shuts an account or opens it again, from this moment on, at every process."""
    kit = services(request)
    me, user_id = await _administrator(request), _person_number(request)
    if (await typed(request, "active"))["active"] == "on":
        await administration.reactivate(kit.database, me.id, user_id)
        log.info("an account was opened again", extra={"user": user_id})
        return to(f"/admin/people/{user_id}", "reactivated")
    if user_id == me.id:
        return await _person(request, Conflict("yourself").sentence, Conflict.status)
    try:
        await administration.deactivate(kit.database, me.id, user_id)
    except Conflict as error:
        return await _person(request, error.sentence, error.status)
    kit.fanout.end_user(user_id)
    log.info("an account was deactivated", extra={"user": user_id})
    return to(f"/admin/people/{user_id}", "deactivated")


async def issue_recovery(request: Request) -> Response:
    """A link that gives somebody a new password. It is shown here and never again."""
    kit = services(request)
    me, user_id = await _administrator(request), _person_number(request)
    account = await administration.account(kit.database, user_id)
    try:
        token = await administration.issue_recovery(kit.database, me.id, user_id)
    except Conflict as error:
        return await _person(request, error.sentence, error.status)
    log.info("a recovery link was made", extra={"user": user_id})
    values = {"account": account, **shown_once(request, f"/recover/{token}")}
    return await page(request, "admin/recovery.html", values)
