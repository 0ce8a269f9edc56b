"""The composition root: builds every part once and hands each what it needs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatapp import logs, words
from chatapp.clock import Clock, SystemClock
from chatapp.database import Database, data_folder
from chatapp.domain import epoch, sessions, text
from chatapp.limits import Limits
from chatapp.metrics import Metrics
from chatapp.middleware import Bodies, CrossSite, Hosts, Packed, Requests
from chatapp.migrate import migrate
from chatapp.realtime import frames
from chatapp.realtime.backplane import Backplane, MemoryBackplane, Wants
from chatapp.realtime.catchup import Catchup
from chatapp.realtime.dispatch import Dispatch
from chatapp.realtime.fanout import Fanout
from chatapp.realtime.farewell import send_away
from chatapp.realtime.hints import Hints
from chatapp.realtime.hub import Hub
from chatapp.realtime.leases import Leases, MemoryLeases
from chatapp.realtime.neighbours import Neighbours
from chatapp.realtime.news import News
from chatapp.realtime.presence import Presence
from chatapp.realtime.pulse import Pulse
from chatapp.realtime.rosters import Rosters
from chatapp.realtime.supervisor import Supervisor
from chatapp.realtime.tails import Tails
from chatapp.realtime.together import Together
from chatapp.realtime.typing import Typing
from chatapp.realtime.unread import UnreadMarks
from chatapp.realtime.writer import Writer
from chatapp.routes.door import Services
from chatapp.routes.failures import HANDLERS
from chatapp.routes.site import static_version
from chatapp.routes.socket import Socket
from chatapp.routes.table import routes
from chatapp.security import Passwords, Seal, stored_key
from chatapp.settings import Settings
from chatapp.sqlite_file import AlreadyOpen
from chatapp.templating import Fragments, Templates

if TYPE_CHECKING:
    from chatapp.realtime.redis_backplane import RedisBackplane
    from chatapp.realtime.shared_tails import SharedTails

DRAIN_SECONDS = 10.0
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
        {"static": f"/static/{version}/".__add__, "site_name": settings.site_name}
    )
    fragments = Fragments(templates)
    text.name_skeleton("warm")  # reads the table of look-alikes before the first person signs up

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            async with _running(
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


@asynccontextmanager
async def _running(
    settings: Settings, clock: Clock, templates: Templates, fragments: Fragments, cost: int
) -> AsyncIterator[Services]:
    database = Database(settings)
    await database.connect()
    supervisor = Supervisor()
    passwords = Passwords(cost)
    redis, shared, leases = _redis(settings), None, _leases(settings, clock)
    try:
        await migrate(database)
        backplane: Backplane = redis or MemoryBackplane()
        wants = Wants(backplane)
        hub = Hub(wants.follow)
        rosters = Rosters(database, hub, supervisor, wants.follow)
        news = News(database, rosters, backplane, supervisor, clock)
        marks = UnreadMarks(database, hub, backplane)
        name = await epoch.read(database)
        tails = Tails()
        if redis is not None:
            shared = _shared_tails(settings, name)
        catchup = Catchup(database, hub, fragments, tails, supervisor, name)
        fanout = Fanout(hub, rosters, news, fragments, tails, backplane, catchup)
        metrics = Metrics()
        writer = Writer(database, fanout, clock, metrics)
        limits = Limits(clock, settings.limit_factor)
        presence = Presence(database, hub, rosters, leases, clock)
        typing = Typing(hub, presence, backplane, limits, clock)
        kit = Services(
            settings=settings,
            clock=clock,
            database=database,
            passwords=passwords,
            limits=limits,
            templates=templates,
            fragments=fragments,
            tails=tails,
            shared_tails=shared,
            hub=hub,
            rosters=rosters,
            marks=marks,
            presence=presence,
            backplane=backplane,
            fanout=fanout,
            writer=writer,
            catchup=catchup,
            dispatch=Dispatch(
                hub=hub,
                rosters=rosters,
                marks=marks,
                writer=writer,
                catchup=catchup,
                limits=limits,
                supervisor=supervisor,
                presence=presence,
                typing=typing,
            ),
            supervisor=supervisor,
            metrics=metrics,
            visitors=Together(lambda tokens: sessions.by_tokens(database, tokens), supervisor),
            seal=Seal(settings.secret_keys, "session", settings.session_days * 24 * 3600 * 12),
            epoch=name,
        )
        _measure(kit)
        hints = Hints(database, hub, rosters, news, marks, catchup, supervisor, presence, typing)
        supervisor.keep(writer.run, "writer")
        supervisor.keep(catchup.compare_forever, "compare")
        supervisor.keep(marks.run, "unread")
        if not settings.is_sqlite:
            supervisor.keep(news.compare_forever, "compare news")
        pulse = Pulse(hub, clock, metrics, hints.end_the_dead)
        supervisor.keep(pulse.run, "pulse")
        supervisor.keep(presence.run, "presence")
        if redis is not None:
            supervisor.keep(redis.send_forever, "hints out")
            supervisor.keep(
                lambda: redis.receive_forever(hints.take, catchup.compare_soon),
                "hints in",
            )
        if redis is None and not settings.is_sqlite:
            supervisor.keep(Neighbours(database).run, "neighbours")
        log.info("ready", extra={"port": settings.port})
        yield kit
        await _stop(kit)
    finally:
        await supervisor.stop()
        await leases.close()
        passwords.close()
        if redis is not None:
            await redis.close()
        if shared is not None:
            await shared.close()
        await database.disconnect()


def _redis(settings: Settings) -> "RedisBackplane | None":
    """Imported here: redis takes a tenth of the time of a start, and most sites have none."""
    if not settings.redis_url:
        return None
    from chatapp.realtime.redis_backplane import RedisBackplane

    return RedisBackplane(settings.redis_url, uuid4().hex)


def _leases(settings: Settings, clock: Clock) -> Leases:
    if not settings.redis_url:
        return MemoryLeases()
    from chatapp.realtime.redis_leases import RedisLeases

    return RedisLeases(settings.redis_url, uuid4().hex, clock)


def _shared_tails(settings: Settings, name: str) -> "SharedTails":
    from chatapp.realtime.shared_tails import SharedTails

    return SharedTails(settings.redis_url, settings.secret_keys, name)


def _measure(kit: Services) -> None:
    """What has an owner is asked when somebody looks."""
    gauge, writer, hub = kit.metrics.gauge, kit.writer, kit.hub
    gauge("queue_commands", "Commands that wait for the writer.", writer.depth)
    gauge("queue_bytes", "Bytes of message bodies that wait for the writer.", writer.waiting_bytes)
    gauge("queue_oldest_seconds", "Age of the oldest waiting command.", writer.oldest_seconds)
    gauge("connections", "Open sockets.", hub.count)
    gauge("watched_rooms", "Rooms that somebody watches here.", lambda: len(hub.watched()))
    gauge("unread_waiting", "Marks and counts of unread that wait.", kit.marks.waiting)
    gauge("tasks", "Background tasks.", kit.supervisor.count)
    gauge("tail_bytes", "Newest rows of rooms kept in memory.", kit.tails.kept_bytes)
    gauge("fragment_bytes", "Rendered messages kept in memory.", kit.fragments.kept_bytes)


async def _stop(kit: Services) -> None:
    """Takes no more, tells the sockets to come back, and stores what is queued."""
    kit.stopping = True
    for connection in kit.hub.connections():
        connection.close(frames.CLOSE_RESTART)
    try:
        await kit.writer.drain(DRAIN_SECONDS)
    except TimeoutError:
        log.error("commands were not stored before the stop", extra={"count": kit.writer.depth()})
