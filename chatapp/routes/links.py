"""Links that are worth something to whoever has them: how they are shown, and that they go nowhere else."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatapp.middleware import origin_of
from chatapp.qr import qr_code


def site_address(request: Request) -> str:
    """Our own origin as this browser writes it; the name was checked to be one of ours."""
    return origin_of(request.scope)


def shown_once(request: Request, path: str) -> dict[str, Any]:
    """What `_link.html` shows."""
    link = site_address(request) + path
    return {"link": link, "qr": qr_code(link)}


def unreferred(response: Response) -> Response:
    """The address of this page goes into no Referer. (`no-referrer` would also hide where a form comes from.)"""
    response.headers["Referrer-Policy"] = "strict-origin"
    return response
