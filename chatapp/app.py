"""The application as one ASGI app: who answers which traffic, and how it comes up and takes its leave."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatapp import logs, words
from chatapp.clock import Clock, SystemClock
from chatapp.composition import running
from chatapp.database import data_folder
from chatapp.domain import attached, text
from chatapp.fragments import Fragments
from chatapp.middleware import Bodies, CrossSite, Hosts, Packed, Requests
from chatapp.realtime.farewell import send_away
from chatapp.routes.door import Services
from chatapp.routes.failures import HANDLERS
from chatapp.routes.socket import Socket
from chatapp.routes.table import routes
from chatapp.security import stored_key
from chatapp.settings import Settings
from chatapp.sqlite_file import AlreadyOpen
from chatapp.static_files import imported, static_version
from chatapp.templating import Templates

LINGER_SECONDS = 1.0  # that a proxy may go on using the lines it has to us

log = logging.getLogger(__name__)


def create_app(
    settings: Settings, clock: Clock | None = None, password_cost: int | None = None
) -> "App":
    """The whole application as one ASGI app. Nothing is opened before its lifespan starts.

    `clock` and `password_cost` (instead of the setting) are for tests. Raises `PermissionError` when the data folder
    cannot be used.
    """
    logs.set_up(settings.log_level)
    data_folder(settings)
    if not settings.secret_keys:
        settings = replace(settings, secret_keys=(stored_key(settings.data_dir),))
    version = static_version()
    templates = Templates(
        {
            "static": f"/static/{version}/".__add__,
            "imported": imported,
            "site_name": settings.site_name,
            "edit_seconds": settings.edit_seconds,
            "upload_mb": settings.upload_mb,
            "files_most": attached.FILES_MOST,
            "sample_files": attached.SAMPLES,
        }
    )
    fragments = Fragments(templates)
    text.name_skeleton("warm")  # reads the table of look-alikes before the first person signs up

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            async with running(
                settings,
                clock or SystemClock(),
                templates,
                fragments,
                password_cost or settings.password_cost,
            ) as kit:
                app.state.services = kit
                outer.socket = Socket(kit, hosts)
                yield
        except AlreadyOpen as error:
            outer.failure = str(error)
            raise
        except Exception as error:
            log.exception("the start or the stop failed")
            outer.failure = f"{type(error).__name__}: {error}"
            raise

    starlette = Starlette(
        routes=routes(version), exception_handlers=dict(HANDLERS), lifespan=lifespan
    )
    inner: ASGIApp = Bodies(Packed(starlette), words.SENTENCES["too_large"])
    inner = CrossSite(inner, words.SENTENCES["cross_site"])
    hosts = Hosts(inner, _hosts(settings), words.SENTENCES["wrong_host"])
    failed = templates.render("errors/500.html", {"request_id": "", "theme": "system"})
    outer = App(Requests(hosts, failed.encode()), starlette)
    return outer


def _hosts(settings: Settings) -> set[str]:
    return {"localhost", "127.0.0.1", "::1", settings.host.strip("[]"), *settings.allowed_hosts}


class App:
    """Parts the three kinds of ASGI traffic, and knows how to take its leave. Sockets pass no middleware."""

    def __init__(self, http: ASGIApp, starlette: Starlette) -> None:
        self._http = http
        self._starlette = starlette
        self.state = starlette.state
        self.socket: Socket | None = None
        self.failure = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, self._last(send) if self._is_leaving() else send)
        elif scope["type"] == "websocket" and self.socket is not None:
            scope["app"] = self._starlette
            await self.socket(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._starlette(scope, receive, self._briefly(send))

    def _is_leaving(self) -> bool:
        kit: Services | None = getattr(self.state, "services", None)  # none before the start
        return kit is not None and kit.stopping

    async def leave(self) -> None:
        """Sends everybody to the other processes. Nobody new is let in by now; `/ready` says no."""
        kit: Services = self.state.services
        kit.stopping = True
        others = kit.backplane.is_connected() is not None
        await asyncio.gather(send_away(kit.hub), asyncio.sleep(LINGER_SECONDS if others else 0))

    def _last(self, send: Send) -> Send:
        """Tells a proxy that keeps its line to us to use it no more: a request that arrives while we close it would
        be lost, and a form is not sent twice."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        return sent

    def _briefly(self, send: Send) -> Send:
        """Says why the start failed in a sentence; Starlette would send the whole trace."""

        async def sent(message: Message) -> None:
            if message["type"].endswith(".failed"):
                message = {**message, "message": f"chatapp cannot start: {self.failure}"}
            await send(message)

        return sent
