"""Measures a crowd that reacts: 200 people to one message within a second, before 1,000 readers.

    .venv/bin/python -m benchmarks.reactions

Prints how many frames each reader got, and after how long all was stored and shown: once as it is, and once as it
would be if every row that changed went out by itself.
"""

import asyncio
import tempfile
import time
from functools import partial
from typing import Any, Final

from chatapp.clock import SystemClock
from chatapp.domain.commands import JoinRoom, React
from chatapp.migrate import migrate
from chatapp.realtime import writer
from tests.domain import world
from tests.realtime.core import Core
from tests.realtime.tab import Tab

READERS: Final = 1_000
PEOPLE: Final = 200


def one_by_one(core: Core) -> None:
    """As without `Crowds` and without common transactions."""
    put = core.crowds.put
    core.crowds.put = lambda room, rows, send, **_: put(room, rows, send)  # type: ignore[method-assign]
    writer.CROWD_MOST = 1  # type: ignore[misc]


def has(tab: Tab, seq: int) -> bool:
    return bool(tab.of("changes")[-1]["seq"] == seq)


async def measure(*, together: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with world.opened(f"sqlite:///{folder}/bench.db") as database:
            await migrate(database)
            core = Core(database)
            clock: Any = SystemClock()
            core.crowds._turns._clock = clock
            if not together:
                one_by_one(core)
            ann = await world.person(database, "Ann Archer")
            lab = await world.opens(database, ann)
            people = [await world.person(database, f"Guest {n}") for n in range(PEOPLE)]
            for each in people:
                await world.carry_out(database, JoinRoom(each.id, lab))
            seq = (await world.says(database, ann, lab, "tea?"))[0].seq
            core.start()
            tabs = [await core.watching(ann, lab, seq) for _ in range(READERS)]
            before = [len(tab.of("changes")) for tab in tabs]
            start = time.perf_counter()

            async def react(n: int, user_id: int) -> None:
                await asyncio.sleep(n / PEOPLE)
                await core.writer.ask(React(user_id, lab, seq, "👍", on=True))

            await asyncio.gather(*(react(n, each.id) for n, each in enumerate(people)))
            stored = time.perf_counter() - start
            for tab in tabs:
                await tab.until(partial(has, tab, seq + PEOPLE))
            shown = time.perf_counter() - start
            frames = [len(tab.of("changes")) - had for tab, had in zip(tabs, before, strict=True)]
            await core.stop()
    what = "as it is" if together else "each row by itself"
    print(f"{what}: {max(frames)} frames a reader, stored after {stored:.1f} s, shown after {shown:.1f} s")  # fmt: skip


if __name__ == "__main__":
    asyncio.run(measure(together=True))
    asyncio.run(measure(together=False))
