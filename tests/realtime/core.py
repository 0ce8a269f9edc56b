"""The parts that live while the process lives, put together as the composition root does, but one by one."""

import asyncio
from functools import cache
from typing import Any

from chatapp.clock import HeldClock
from chatapp.database import Database
from chatapp.domain.commands import Command
from chatapp.domain.users import User
from chatapp.fragments import Fragments
from chatapp.ice import IceServers
from chatapp.limits import Limits
from chatapp.metrics import Metrics
from chatapp.outbound import Outbound
from chatapp.realtime.backplane import Hint
from chatapp.realtime.calls import Calls
from chatapp.realtime.catchup import Catchup
from chatapp.realtime.crowds import Crowds
from chatapp.realtime.drafts import Drafts
from chatapp.realtime.fanout import Fanout
from chatapp.realtime.hub import Hub
from chatapp.realtime.leases import MemoryLeases
from chatapp.realtime.news import News
from chatapp.realtime.presence import Presence
from chatapp.realtime.pushes import Pushes
from chatapp.realtime.rings import Rings
from chatapp.realtime.rosters import Rosters
from chatapp.realtime.signalling import Signalling
from chatapp.realtime.signals import PROOF_SECONDS
from chatapp.realtime.supervisor import Supervisor
from chatapp.realtime.tails import Tails
from chatapp.realtime.typing import Typing
from chatapp.realtime.unread import UnreadMarks
from chatapp.realtime.writer import Writer
from chatapp.security import Seal
from chatapp.templating import Templates
from chatapp.webpush import Vapid
from tests.realtime.tab import Tab

EPOCH = "here"


def fresh_templates() -> Templates:
    return Templates({"static": "/static/".__add__, "site_name": "chatapp"})


@cache
def templates() -> Templates:
    """Compiled once for all tests."""
    return fresh_templates()


class Hints:
    """A bus that remembers."""

    def __init__(self) -> None:
        self.sent: list[Hint] = []

    def publish(self, hint: Hint) -> None:
        self.sent.append(hint)

    def follow(self, room_id: int, *, wanted: bool) -> None:
        return

    def is_connected(self) -> bool | None:
        return None

    def of(self, kind: str) -> list[Hint]:
        return [hint for hint in self.sent if hint.kind == kind]


class Core:
    """The writer does nothing before `start`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = HeldClock()
        self.supervisor = Supervisor()
        self.hub = Hub()
        self.hints = Hints()
        self.fragments = Fragments(templates())
        self.tails = Tails()
        self.crowds = Crowds(self.clock)
        self.catchup = Catchup(
            database,
            self.hub,
            self.fragments,
            self.tails,
            self.supervisor,
            EPOCH,
            self.crowds,
        )
        self.rosters = Rosters(database, self.hub, self.supervisor, self.hints.follow)
        self.news = News(database, self.rosters, self.hints, self.supervisor, self.clock)
        self.pushes = Pushes(
            database, self.clock, Metrics(), Outbound(), Vapid(Vapid.new()), "https://localhost"
        )
        self.marks = UnreadMarks(database, self.hub, self.hints)
        self.drafts = Drafts(database, self.hub, self.hints)
        self.leases = MemoryLeases()
        self.presence = Presence(database, self.hub, self.rosters, self.leases, self.clock)
        self.fanout = Fanout(
            self.hub,
            self.rosters,
            self.news,
            self.marks,
            self.fragments,
            self.tails,
            self.hints,
            self.catchup,
            self.pushes,
            self.crowds,
        )
        self.writer = Writer(database, self.fanout, self.clock, Metrics())
        self.limits = Limits(self.clock)
        self.typing = Typing(self.hub, self.presence, self.hints, self.limits, self.clock)
        self.calls = Calls(
            database=database,
            hub=self.hub,
            rosters=self.rosters,
            writer=self.writer,
            backplane=self.hints,
            limits=self.limits,
            clock=self.clock,
            ice=IceServers(("stun:turn.example.org:3478",), (), ""),
        )
        proof = Seal(("k" * 32,), "signal", PROOF_SECONDS)
        self.signalling = Signalling(self.calls, self.hints, self.limits, proof)
        self.rings = Rings(
            database,
            self.hub,
            self.rosters,
            self.calls,
            self.hints,
            self.limits,
            self.supervisor,
        )
        self.tabs: list[Tab] = []

    def start(self) -> None:
        self.supervisor.keep(self.writer.run, "writer")

    def tab(self, user: User, **given: Any) -> Tab:
        tab = Tab(user, **given)
        self.tabs.append(tab)
        self.hub.add(tab.connection)
        self.supervisor.spawn(tab.line.run(), "socket")
        return tab

    async def watching(self, user: User, room_id: int, seq: int = 0) -> Tab:
        """A new tab that is up to date with a room."""
        tab = self.tab(user)
        await self.catchup.watch(tab.connection, room_id, EPOCH, seq)
        await tab.frame("watching")
        return tab

    def submit(self, command: Command) -> "asyncio.Future[Any]":
        """Queues a command; the future gets its end, whatever it is."""
        end: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.writer.submit(command, end.set_result)
        return end

    async def ends(self, *commands: Command) -> list[Any]:
        waiting = [self.submit(command) for command in commands]
        return await asyncio.wait_for(asyncio.gather(*waiting), 10)

    async def stop(self) -> None:
        for tab in self.tabs:
            tab.blocked.set()
            tab.connection.close(1000)
        await self.supervisor.stop()
