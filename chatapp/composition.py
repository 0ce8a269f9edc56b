"""Builds every part of a running site once, hands each what it needs, and takes them down again."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formataddr
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from chatapp.clock import Clock
from chatapp.database import Database
from chatapp.domain import epoch, sessions, subscriptions
from chatapp.domain.search import Searches
from chatapp.files.images import Images
from chatapp.files.storage import Folder, Storage
from chatapp.fragments import Fragments
from chatapp.ice import IceServers
from chatapp.limits import Limits
from chatapp.mail import Mailer
from chatapp.metrics import Metrics
from chatapp.migrate import migrate
from chatapp.outbound import Outbound
from chatapp.realtime import frames
from chatapp.realtime.backplane import Backplane, MemoryBackplane, Wants
from chatapp.realtime.calls import Calls
from chatapp.realtime.catchup import Catchup
from chatapp.realtime.crowds import Crowds
from chatapp.realtime.dispatch import Dispatch
from chatapp.realtime.drafts import Drafts
from chatapp.realtime.fanout import Fanout
from chatapp.realtime.hints import Hints
from chatapp.realtime.hub import Hub
from chatapp.realtime.indexer import Indexer
from chatapp.realtime.janus import Janus
from chatapp.realtime.leases import Leases, MemoryLeases
from chatapp.realtime.letters import PROOF_LIFE_SECONDS, Letters
from chatapp.realtime.linked import Linked
from chatapp.realtime.media import Media
from chatapp.realtime.mine import Own
from chatapp.realtime.neighbours import Neighbours
from chatapp.realtime.news import News
from chatapp.realtime.portraits import Portraits
from chatapp.realtime.presence import Presence
from chatapp.realtime.previews import Previews
from chatapp.realtime.pulse import Pulse
from chatapp.realtime.pushes import Pushes
from chatapp.realtime.rings import Rings
from chatapp.realtime.rosters import Rosters
from chatapp.realtime.signalling import Signalling
from chatapp.realtime.signals import PROOF_SECONDS
from chatapp.realtime.supervisor import Supervisor
from chatapp.realtime.sweeper import Sweeper
from chatapp.realtime.tails import Tails
from chatapp.realtime.together import Together
from chatapp.realtime.typing import Typing
from chatapp.realtime.unread import UnreadMarks
from chatapp.realtime.uploads import Uploads
from chatapp.realtime.wipes import Wipes
from chatapp.realtime.writer import Writer
from chatapp.routes.door import Services
from chatapp.security import Passwords, Seal
from chatapp.settings import Settings
from chatapp.templating import Templates
from chatapp.webpush import Vapid

if TYPE_CHECKING:
    from chatapp.realtime.redis_backplane import RedisBackplane
    from chatapp.realtime.shared_tails import SharedTails

DRAIN_SECONDS = 10.0

log = logging.getLogger(__name__)


@asynccontextmanager
async def running(
    settings: Settings, clock: Clock, templates: Templates, fragments: Fragments, cost: int
) -> AsyncIterator[Services]:
    """Everything is open and at work inside the block. Raises `AlreadyOpen`, and what the database raises."""
    spool = _spool(settings)
    database = Database(settings)
    await database.connect()
    supervisor = Supervisor()
    passwords = Passwords(cost)
    redis, shared, leases = _redis(settings), None, _leases(settings, clock)
    uploads = Uploads(database, _storage(settings, spool), Images(), spool, settings)
    try:
        await migrate(database)
        backplane: Backplane = redis or MemoryBackplane()
        wants = Wants(backplane)
        hub = Hub(wants.follow)
        rosters = Rosters(database, hub, supervisor, wants.follow)
        news = News(database, rosters, backplane, supervisor, clock)
        marks = UnreadMarks(database, hub, backplane)
        drafts = Drafts(database, hub, backplane)
        name = await epoch.read(database)
        tails, crowds, metrics = Tails(), Crowds(clock), Metrics()
        linked = Linked() if settings.link_previews else None
        if redis is not None:
            shared = _shared_tails(settings, name)
        catchup = Catchup(database, hub, fragments, tails, supervisor, name, crowds)
        pushes = await _pushes(settings, database, clock, metrics, supervisor)
        fanout = Fanout(
            hub, rosters, news, marks, fragments, tails, backplane, catchup, pushes, crowds, linked
        )
        writer = Writer(database, fanout, clock, metrics)
        _keep_previews(settings, database, writer, linked, uploads, supervisor, metrics)
        limits = Limits(clock, settings.limit_factor)
        presence = Presence(database, hub, rosters, leases, clock)
        typing = Typing(hub, presence, backplane, limits, clock)
        calls, signalling = _calls(
            settings, name, database, hub, rosters, writer, backplane, limits, clock, supervisor
        )
        rings = Rings(database, hub, rosters, calls, backplane, limits, supervisor)
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
            drafts=drafts,
            presence=presence,
            calls=calls,
            own=Own(database, hub, backplane, supervisor),
            pushes=pushes,
            letters=_letters(settings, database, templates, supervisor),
            searches=Searches(database),
            uploads=uploads,
            portraits=Portraits(database, uploads, writer),
            backplane=backplane,
            fanout=fanout,
            writer=writer,
            catchup=catchup,
            dispatch=Dispatch(
                hub=hub,
                rosters=rosters,
                marks=marks,
                drafts=drafts,
                writer=writer,
                catchup=catchup,
                limits=limits,
                supervisor=supervisor,
                presence=presence,
                typing=typing,
                calls=calls,
                signalling=signalling,
                rings=rings,
            ),
            supervisor=supervisor,
            metrics=metrics,
            visitors=Together(lambda tokens: sessions.by_tokens(database, tokens), supervisor),
            seal=Seal(settings.secret_keys, "session", settings.session_days * 24 * 3600 * 12),
            epoch=name,
        )
        _measure(kit)
        hints = Hints(
            database=database,
            hub=hub,
            rosters=rosters,
            news=news,
            marks=marks,
            drafts=drafts,
            catchup=catchup,
            supervisor=supervisor,
            presence=presence,
            typing=typing,
            calls=calls,
            signalling=signalling,
            rings=rings,
            own=kit.own,
        )
        _keep(kit, hints, news, redis)
        log.info("ready", extra={"port": settings.port})
        yield kit
        await _stop(kit)
    finally:
        await supervisor.stop()
        await uploads.close()
        await leases.close()
        passwords.close()
        if redis is not None:
            await redis.close()
        if shared is not None:
            await shared.close()
        await database.disconnect()


def _keep(kit: Services, hints: Hints, news: News, redis: "RedisBackplane | None") -> None:
    """The tasks that go on as long as the process does."""
    keep = kit.supervisor.keep
    keep(kit.writer.run, "writer")
    keep(kit.catchup.compare_forever, "compare")
    keep(kit.marks.run, "unread")
    keep(kit.drafts.run, "drafts")
    keep(Pulse(kit.hub, kit.clock, kit.metrics, hints.end_the_dead).run, "pulse")
    keep(kit.presence.run, "presence")
    keep(kit.calls.run, "calls")
    forget = kit.shared_tails.forget if kit.shared_tails is not None else None
    keep(Wipes(kit.database, forget).run, "wipes")
    sweeper = Sweeper(kit.database, kit.uploads.storage, kit.uploads.spool)
    sweeper.begin()
    keep(sweeper.run, "files")
    keep(Indexer(kit.database).run, "index")
    if redis is not None:
        keep(redis.send_forever, "hints out")
        keep(
            lambda: redis.receive_forever(hints.take, kit.catchup.compare_soon),
            "hints in",
        )
    if not kit.settings.is_sqlite:
        keep(news.compare_forever, "compare news")
        if kit.backplane.is_connected() is None:
            keep(Neighbours(kit.database).run, "neighbours")


def _storage(settings: Settings, spool: Path) -> Storage:
    """Imported here: most sites have a folder."""
    if not settings.s3_url:
        return Folder(spool.parent)
    from chatapp.files.object_storage import ObjectStorage

    return ObjectStorage(settings.s3_url)


def _spool(settings: Settings) -> Path:
    """The folder for files, and in it the one where they arrive. Raises `OSError`."""
    spool = settings.data_dir / "files" / "spool"
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    return spool


async def _pushes(
    settings: Settings,
    database: Database,
    clock: Clock,
    metrics: Metrics,
    supervisor: Supervisor,
) -> Pushes:
    outbound = Outbound(settings.push_test_hosts)
    vapid = Vapid(await subscriptions.site_key(database))
    about_us = f"https://{next(iter(settings.allowed_hosts), 'localhost')}"
    pushes = Pushes(database, clock, metrics, outbound, vapid, about_us)
    pushes.start(supervisor)
    return pushes


def _keep_previews(
    settings: Settings,
    database: Database,
    writer: Writer,
    linked: Linked | None,
    uploads: Uploads,
    supervisor: Supervisor,
    metrics: Metrics,
) -> None:
    if linked is None:
        return
    previews = Previews(
        database,
        writer,
        linked,
        Outbound(settings.push_test_hosts),
        uploads.storage,
        uploads.images,
        uploads.spool,
        frozenset(settings.allowed_hosts),
    )
    supervisor.keep(previews.run, "previews")
    metrics.gauge("links_waiting", "Messages with links that wait.", linked.count)


def _letters(
    settings: Settings, database: Database, templates: Templates, supervisor: Supervisor
) -> Letters | None:
    if not settings.smtp_url:
        return None
    address = f"no-reply@{next(iter(settings.allowed_hosts), 'localhost')}"
    sender = settings.mail_from or formataddr((settings.site_name, address))
    proof = Seal(settings.secret_keys, "sign-up", PROOF_LIFE_SECONDS)
    mailer = Mailer(settings.smtp_url, sender)
    letters = Letters(database, templates, mailer, settings.site_name, proof)
    letters.start(supervisor)
    return letters


def _calls(
    settings: Settings,
    site: str,
    database: Database,
    hub: Hub,
    rosters: Rosters,
    writer: Writer,
    backplane: Backplane,
    limits: Limits,
    clock: Clock,
    supervisor: Supervisor,
) -> tuple[Calls, Signalling]:
    media = _media(settings, supervisor, limits, site)
    calls = Calls(
        database=database,
        hub=hub,
        rosters=rosters,
        writer=writer,
        backplane=backplane,
        limits=limits,
        clock=clock,
        ice=IceServers(settings.stun_urls, settings.turn_urls, settings.turn_secret),
        media=media,
    )
    proof = Seal(settings.secret_keys, "signal", PROOF_SECONDS)
    return calls, Signalling(calls, backplane, limits, proof, media)


def _media(settings: Settings, supervisor: Supervisor, limits: Limits, name: str) -> Media | None:
    if not settings.janus_url:
        return None
    janus = Janus(settings.janus_url, settings.janus_secret)
    supervisor.keep(janus.run, "media server")
    return Media(janus, supervisor, limits, name, settings.janus_above)


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
    gauge("drafts_waiting", "Drafts to be stored or shown that wait.", kit.drafts.waiting)
    gauge("push_waiting", "Pushes, and rooms that may need some, that wait.", kit.pushes.waiting)
    if kit.letters is not None:
        gauge("mails_waiting", "Mails, and requests for some, that wait.", kit.letters.waiting)
    gauge("uploads", "Files on their way in.", kit.uploads.count)
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
