"""What people see when something was refused or broke."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from chatapp.errors import Busy, ChatError, Later, Refused, SignedOut
from chatapp.realtime.writer import OutcomeUnknown
from chatapp.routes.door import (
    is_htmx,
    page,
    services,
    sign_in_path,
    to,
    wants_json,
)
from chatapp.trouble import is_worth_retrying
from chatapp.words import SENTENCES, TITLES


async def refused(request: Request, error: Exception) -> Response:
    """A `ChatError` as a page, as JSON for programs, or as the way to the sign-in page."""
    if not isinstance(error, ChatError):
        raise error
    if isinstance(error, SignedOut) and not wants_json(request.headers):
        # A background request is told to change the whole page: the sign-in page must not land inside it.
        if is_htmx(request.headers):
            response: Response = Response(status_code=401)
            response.headers["HX-Redirect"] = "/sign-in"
        else:
            response = to(sign_in_path(request))
        return response
    status = error.status
    headers = {"Retry-After": str(error.seconds)} if isinstance(error, Later) else {}
    return await _answer(request, status, error.code, error.sentence, headers)


async def http(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: no such address, no such method, a broken form."""
    assert isinstance(error, HTTPException)  # noqa: S101
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(
        error.status_code, "bad_request"
    )
    return await _answer(
        request, error.status_code, code, SENTENCES[code], dict(error.headers or {})
    )


async def failed(request: Request, error: Exception) -> Response:
    """What nobody foresaw. A database that is away is no fault of the request: 503."""
    if isinstance(error, OutcomeUnknown):
        return await _plainly(request, 503, "unknown_outcome")
    if is_worth_retrying(error):
        return await _plainly(request, 503, "busy")
    return await _plainly(request, 500, "failed")


async def _plainly(request: Request, status: int, code: str) -> Response:
    """Without session and query, which may be what broke."""
    known = request.scope.get("request_id", "")
    sentence = Busy("busy", 5).sentence if code == "busy" else SENTENCES[code]
    if wants_json(request.headers):
        return JSONResponse({"code": code, "message": sentence, "request": known}, status)
    kit = services(request)
    if status == 500:
        html = kit.templates.render("errors/500.html", {"request_id": known, "theme": "system"})
    else:
        html = kit.templates.render(
            "errors/error.html",
            {
                "me": None,
                "theme": "system",
                "status": status,
                "title": TITLES[status],
                "sentence": sentence,
                "code": code,
                "request_id": known,
            },
        )
    return HTMLResponse(html, status)


async def _answer(
    request: Request, status: int, code: str, sentence: str, headers: dict[str, str]
) -> Response:
    if wants_json(request.headers):
        return JSONResponse({"code": code, "message": sentence}, status, headers=headers)
    response = await page(
        request,
        "errors/error.html",
        {
            "status": status,
            "title": TITLES.get(status)
            or TITLES.get(status // 100 * 100)
            or HTTPStatus(status).phrase,
            "sentence": sentence,
            "code": code,
            "request_id": request.scope.get("request_id", ""),
        },
        status,
    )
    response.headers.update(headers)
    return response


HANDLERS = {Refused: refused, Later: refused, HTTPException: http, Exception: failed}
