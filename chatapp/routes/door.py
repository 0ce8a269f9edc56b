"""What all doors share: who asks, what was typed, and the page that answers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from chatapp.clock import Clock
from chatapp.database import Database
from chatapp.domain import sessions, unread
from chatapp.domain.search import Searches
from chatapp.domain.sessions import Found, Session
from chatapp.domain.users import User
from chatapp.errors import Missing, Refused, SignedOut
from chatapp.fragments import Fragments
from chatapp.limits import Limits, address_key
from chatapp.metrics import Metrics
from chatapp.realtime.asked import NUMBER_MOST
from chatapp.realtime.backplane import Backplane
from chatapp.realtime.calls import Calls
from chatapp.realtime.catchup import Catchup
from chatapp.realtime.dispatch import Dispatch
from chatapp.realtime.drafts import Drafts
from chatapp.realtime.fanout import Fanout
from chatapp.realtime.hub import Hub
from chatapp.realtime.letters import Letters
from chatapp.realtime.mine import Own
from chatapp.realtime.portraits import Portraits
from chatapp.realtime.presence import Presence
from chatapp.realtime.pushes import Pushes
from chatapp.realtime.rosters import Rosters
from chatapp.realtime.supervisor import Supervisor
from chatapp.realtime.tails import Tails
from chatapp.realtime.together import Together
from chatapp.realtime.unread import UnreadMarks
from chatapp.realtime.uploads import Uploads
from chatapp.realtime.writer import Writer
from chatapp.security import Passwords, Seal
from chatapp.settings import Settings
from chatapp.templating import Templates
from chatapp.words import NOTICES

if TYPE_CHECKING:
    from chatapp.realtime.shared_tails import SharedTails

THEMES: Final = ("system", "light", "dark")
FIELD_CHARACTERS: Final = 100_000


@dataclass(slots=True)
class Services:
    """Everything the doors use, built by the composition root."""

    settings: Settings
    clock: Clock
    database: Database
    passwords: Passwords
    limits: Limits
    templates: Templates
    fragments: Fragments
    tails: Tails
    shared_tails: "SharedTails | None"
    hub: Hub
    rosters: Rosters
    marks: UnreadMarks
    drafts: Drafts
    presence: Presence
    calls: Calls
    own: Own
    pushes: Pushes
    letters: Letters | None
    searches: Searches
    uploads: Uploads
    portraits: Portraits
    backplane: Backplane
    fanout: Fanout
    writer: Writer
    catchup: Catchup
    dispatch: Dispatch
    supervisor: Supervisor
    metrics: Metrics
    visitors: Together[str, Found]
    seal: Seal
    epoch: str
    stopping: bool = False


def services(request: HTTPConnection) -> Services:
    found: Services = request.app.state.services
    return found


# -- who asks ---------------------------------------------------------------------


def cookie_name(scheme: str) -> str:
    """Behind HTTPS the name makes browsers insist on Secure, our host alone, and the whole site."""
    return "__Host-sid" if scheme in {"https", "wss"} else "sid"


async def session_of(kit: Services, connection: HTTPConnection) -> Session | None:
    """The one function that says who a request or a socket is."""
    sealed = connection.cookies.get(cookie_name(connection.scope["scheme"]))
    token = kit.seal.open(sealed) if sealed else None
    if token is None:
        return None
    found = await kit.visitors.get(token)
    return await sessions.visit(kit.database, found, days=kit.settings.session_days)


async def session(request: Request) -> Session | None:
    """The session of this request, looked up once."""
    if not hasattr(request.state, "session"):
        request.state.session = await session_of(services(request), request)
    found: Session | None = request.state.session
    return found


async def required_session(request: Request) -> Session:
    """Raises `SignedOut`, which becomes the way to the sign-in page."""
    found = await session(request)
    if found is None:
        raise SignedOut("signed_out")
    return found


async def actor(request: Request) -> User:
    return (await required_session(request)).user


def address(connection: HTTPConnection) -> str:
    """Who a request counts as for limits on addresses."""
    return address_key(connection.client.host if connection.client else "")


def set_session_cookie(request: Request, response: Response, token: str | None) -> None:
    """Gives the browser its session, or takes it away."""
    kit = services(request)
    scheme = request.scope["scheme"]
    name = cookie_name(scheme)
    if token is None:
        response.delete_cookie(name, path="/", secure=scheme == "https", httponly=True)
        return
    response.set_cookie(
        name,
        kit.seal.seal(token),
        max_age=kit.seal.max_age,  # each visit makes the session last longer, not the cookie
        path="/",
        secure=scheme == "https",
        httponly=True,
        samesite="lax",
    )


async def start_session(
    request: Request, response: Response, user: User, proof: str | None = None
) -> None:
    """A new session for this browser, with a token of its own. Ends those that had to make room. Raises `Invalid`."""
    kit = services(request)
    token, ended = await sessions.start(
        kit.database,
        user,
        days=kit.settings.session_days,
        user_agent=request.headers.get("user-agent", ""),
        address=request.client.host if request.client else "",
        proof=proof,
    )
    kit.fanout.end_sessions(ended)
    set_session_cookie(request, response, token)


# -- what was typed -----------------------------------------------------------------


async def typed(request: Request, *names: str) -> dict[str, str]:
    """The named fields of a form, '' where one is missing or a file."""
    # A multipart form may name any codec of Python's; some yield half characters, some raise.
    charset = parse_options_header(request.headers.get("content-type", ""))[1].get(b"charset")
    if charset is not None and charset.lower() not in {b"utf-8", b"utf8"}:
        raise Refused("bad_request")
    form = await request.form(max_files=0, max_fields=50, max_part_size=FIELD_CHARACTERS)
    values = {}
    for name in names:
        value = form.get(name, "")
        values[name] = value[:FIELD_CHARACTERS] if isinstance(value, str) else ""
    return values


def room_number(request: Request) -> int:
    number = int(request.path_params["room_id"])
    if not 0 < number <= NUMBER_MOST:
        raise Missing("room_gone")
    return number


def message_number(request: Request) -> int:
    number = int(request.path_params["seq"])
    if not 0 < number <= NUMBER_MOST:
        raise Missing("message_gone")
    return number


def query_number(request: Request, name: str) -> int | None:
    """A number of the query; nonsense counts as not given."""
    return number_of(request.query_params.get(name, ""))


def number_of(text: str) -> int | None:
    """What somebody typed as a number; None for nonsense."""
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    return None


def safe_next(text: str) -> str:
    """Where to go after signing in: a path of ours, or home."""
    if (
        text.startswith("/")
        and not text.startswith("//")
        and len(text) <= 500
        and not any(sign in text for sign in "\\ \t\r\n")
        and text.isascii()
        and text.isprintable()
    ):
        return text
    return "/"


def wants_json(headers: Headers) -> bool:
    return "application/json" in headers.get("accept", "")


def is_htmx(headers: Headers) -> bool:
    return headers.get("hx-request") == "true"


# -- the answer -----------------------------------------------------------------------


def theme(request: Request) -> str:
    found = request.cookies.get("theme", "system")
    return found if found in THEMES else "system"


def zone(request: Request) -> str:
    """The reader's time zone, which their browser told in a cookie."""
    return request.cookies.get("tz", "UTC").replace("%2F", "/")[:64]


async def page(
    request: Request, name: str, values: dict[str, Any] | None = None, status: int = 200
) -> Response:
    """A whole page, with what every page needs. Shows a notice once."""
    kit = services(request)
    known = await session(request)
    code = request.cookies.get("notice", "")
    everything: dict[str, Any] = {
        "theme": theme(request),
        "tz": zone(request),
        "request_path": request.url.path,
        "notice": NOTICES.get(code),
        "me": known.user if known else None,
        "rooms": await unread.of_user(kit.database, known.user.id) if known else [],
        "calls": kit.calls.sizes() if known else {},
        "current_room_id": None,
    }
    everything.update(values or {})
    everything["thread_total"] = sum(room.threads for room in everything["rooms"])
    everything["mention_total"] = sum(
        room.mentions for room in everything["rooms"] if room.kind != "direct"
    )
    response = HTMLResponse(kit.templates.render(name, everything), status)
    if code:
        response.delete_cookie("notice", path="/")
    return response


def fragment(request: Request, name: str, values: dict[str, Any]) -> Response:
    html = services(request).templates.render(name, {"tz": zone(request), **values})
    return HTMLResponse(html)


def to(path: str, notice: str | None = None) -> RedirectResponse:
    """See other: the answer to a form that was carried out. `notice` is a code of `words.NOTICES`."""
    response = RedirectResponse(path, 303)
    if notice is not None:
        response.set_cookie("notice", notice, max_age=60, path="/", httponly=True, samesite="lax")
    return response


def message_path(room_id: int, seq: int, query: str = "") -> str:
    """Where a room shows a message. `query`: more of it, beginning with '&'."""
    return f"/rooms/{room_id}?around={seq}{query}#m-{seq}"


def sign_in_path(request: Request) -> str:
    target = request.url.path
    if request.url.query:
        target += "?" + request.url.query
    safe = safe_next(target) if request.method in {"GET", "HEAD"} else "/"
    return "/sign-in" if safe == "/" else f"/sign-in?next={quote(safe, safe='')}"
