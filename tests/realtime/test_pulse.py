"""Beats, and who may not be here any more: a database that does not answer keeps the one from nobody."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from chatapp.clock import HeldClock
from chatapp.metrics import Metrics
from chatapp.realtime import pulse
from chatapp.realtime.connection import Connection
from chatapp.realtime.pulse import Pulse
from tests.realtime.core import Core
from tests.realtime.tab import Tab


@asynccontextmanager
async def beating(
    core: Core, end_dead: Callable[[Sequence[Connection]], Awaitable[None]]
) -> AsyncIterator[None]:
    task = core.supervisor.spawn(Pulse(core.hub, HeldClock(0), Metrics(), end_dead).run(), "pulse")
    yield
    assert not task.done(), "it goes on for ever"


def tabs_of(core: Core, ann, count: int) -> list[Tab]:
    return [core.tab(ann, session_id=number) for number in range(1, count + 1)]


async def test_everybody_gets_a_beat_while_the_database_does_not_answer(core, ann, monkeypatch):
    monkeypatch.setattr(pulse, "ROUND_SECONDS", 2)
    tabs = tabs_of(core, ann, 4)
    asked = []

    async def hangs(some: Sequence[Connection]) -> None:
        asked.append(len(some))
        await asyncio.Event().wait()

    async with beating(core, hangs):
        for tab in tabs:
            await tab.frame("beat")
    assert asked == [4]


async def test_everybody_gets_a_beat_while_the_database_is_away(core, ann, monkeypatch):
    monkeypatch.setattr(pulse, "ROUND_SECONDS", 2)
    tabs = tabs_of(core, ann, 4)

    async def fails(_: Sequence[Connection]) -> None:
        raise ConnectionRefusedError

    async with beating(core, fails):
        for tab in tabs:
            await tab.frame("beat")


async def test_it_is_asked_about_everybody_every_second(core, ann):
    tabs_of(core, ann, 40)
    asked: asyncio.Queue[int] = asyncio.Queue()

    async def told(some: Sequence[Connection]) -> None:
        asked.put_nowait(len(some))

    async with beating(core, told), asyncio.timeout(10):
        assert [await asked.get() for _ in range(2)] == [40, 40]


async def test_who_has_just_come_is_visited_in_the_same_round(core, ann, monkeypatch):
    """A line that dies at once is found out as soon as any other."""
    monkeypatch.setattr(pulse, "ROUND_SECONDS", 3)
    first = core.tab(ann, session_id=3)

    async def nobody(_: Sequence[Connection]) -> None:
        return

    async with beating(core, nobody):
        await first.frame("beat")
        await core.tab(ann, session_id=4).frame("beat")
        assert len(first.of("beat")) == 1
