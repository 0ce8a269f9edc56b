"""Links that are worth something to whoever has them: how they are shown, and that they go nowhere else."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chatapp.middleware import host_name, origin_of
from chatapp.qr import qr_code
from chatapp.routes.door import services


def site_address(request: Request) -> str:
    """Our own origin as this browser writes it; the name was checked to be one of ours."""
    return origin_of(request.scope)


def mail_address(request: Request) -> str:
    """Our origin for mails. Everybody may call us localhost; who reads the mail is somewhere else."""
    hosts = services(request).settings.allowed_hosts
    if hosts and host_name(request.headers) not in hosts:
        return f"https://{hosts[0]}"
    return site_address(request)


def shown_once(request: Request, path: str) -> dict[str, Any]:
    """What `_link.html` shows."""
    link = site_address(request) + path
    return {"link": link, "qr": qr_code(link)}


def unreferred(response: Response) -> Response:
    """The address of this page goes into no Referer. (`no-referrer` would also hide where a form comes from.)"""
    response.headers["Referrer-Policy"] = "strict-origin"
    return response
