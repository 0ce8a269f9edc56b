"""The scenarios of the speed issue. Each gets a site whose server has just started, and returns its figures."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, Final

from benchmarks import machine, mixed
from benchmarks.ledger import Room
from benchmarks.loops import Figures, closed, listen, opened, search
from benchmarks.machine import Site
from benchmarks.people import layout
from benchmarks.sockets import Line
from benchmarks.swarm import ALL, SELF, Swarm

SECONDS: Final = 3.0
TRIAL_SECONDS: Final = 2.0
TENS: Final = [f"ten-{room}" for room in range(100)]
IDLE: Final = [f"idle-{room}" for room in range(1000)]


def lines_of(site: Site, *names: str, most: int = 1_000_000) -> list[Line]:
    """A line for each member (of those below number `most`) of these rooms. By person."""
    everybody = layout()
    found = []
    for name in names:
        room = Room(site.people.rooms[name])
        found += [
            Line(person, room, site.people.cookies[person])
            for person in everybody[name]
            if person < most
        ]
    return sorted(found, key=lambda line: line.number)


@contextmanager
def swarm_of(site: Site) -> Iterator[Swarm]:
    """Sockets to a site's server, let go at the end."""
    assert site.server is not None
    with closing(Swarm(site.server.port)) as swarm:
        yield swarm


def one_room(site: Site) -> Figures:
    """S1: 1,000 members, one sender."""
    lines = lines_of(site, "one")
    with swarm_of(site) as swarm:
        joins = swarm.join(lines)
        first = closed(swarm, lines[:1], ALL, SECONDS)
        found = search(
            swarm,
            machine.Others(site.pids()),
            lines[:1],
            max(5.0, first["messages_per_s"]),
            250,
            TRIAL_SECONDS,
        )
        return {
            "joins_per_s": round(len(lines) / joins),
            "closed_deliveries_per_s": first["deliveries_per_s"],
            "closed_last_p50_ms": first.get("last_p50_ms"),
            "open_messages_per_s": found["messages_per_s"],
            "open_deliveries_per_s": found.get("deliveries_per_s", 0),
            "open_p99_ms": found.get("delivery_p99_ms"),
            "closed": first,
            "open": found,
        }


def hundred_rooms(site: Site) -> Figures:
    """S2: 100 rooms of 10 members, all of whom send."""
    lines = lines_of(site, *TENS)
    with swarm_of(site) as swarm:
        swarm.join(lines)
        first = closed(swarm, lines, SELF, SECONDS)
        start = max(50.0, first["messages_per_s"] * 0.6)
        found = search(swarm, machine.Others(site.pids()), lines, start, 100, TRIAL_SECONDS)
        return {
            "closed_messages_per_s": first["messages_per_s"],
            "closed_p99_ms": first.get("delivery_p99_ms"),
            "open_messages_per_s": found["messages_per_s"],
            "open_p99_ms": found.get("delivery_p99_ms"),
            "closed": first,
            "open": found,
        }


def idle(site: Site, most: int = 10_000) -> Figures:
    """S3: 10,000 connections that watch a room each and say nothing."""
    assert site.server is not None
    pid = site.server.pid
    lines = lines_of(site, *IDLE, most=most)
    with swarm_of(site) as swarm:
        swarm.join(lines[:1])  # what is loaded at the first use is no connection's
        before, cpu = machine.resident_kb(pid), machine.cpu_seconds(pid)
        seconds = swarm.join(lines[1:])
        cpu = machine.cpu_seconds(pid) - cpu
        listen(swarm, 2)
        count = len(lines) - 1
        return {
            "kb_per_connection": round((machine.resident_kb(pid) - before) / count, 1),
            "joins_per_s": round(count / seconds),
            "join_cpu_ms": round(1000 * cpu / count, 3),
            "cut": swarm.cut,
        }


def big_room(site: Site) -> Figures:
    """S4: one room of 5,000, one message at a time."""
    lines = lines_of(site, "big")
    with swarm_of(site) as swarm:
        swarm.join(lines)
        found = closed(swarm, lines[:1], ALL, 2 * SECONDS)
        return {
            "last_p50_ms": found.get("last_p50_ms"),
            "last_p99_ms": found.get("last_p99_ms"),
            "deliveries_per_s": found["deliveries_per_s"],
            "closed": found,
        }


def pages(site: Site, rate: float = 2000) -> Figures:
    """S5: pages and sign-ins beside live traffic of so many messages a second."""
    lines = lines_of(site, *TENS)
    with swarm_of(site) as swarm:
        return mixed.pages(site, swarm, lines, rate)


def reconnect(site: Site) -> Figures:
    """S6: 10,000 come back at once."""
    lines = lines_of(site, *IDLE)
    with swarm_of(site) as swarm:
        return mixed.reconnect(site, swarm, lines)


def acknowledgements(site: Site) -> Figures:
    """ack: from post to acknowledgement at 100 messages a second, in the rooms of S2."""
    lines = lines_of(site, *TENS)
    with swarm_of(site) as swarm:
        swarm.join(lines)
        found = opened(swarm, lines, 100, 10)
        keep = ("ack_p50_ms", "ack_p99_ms", "delivery_p50_ms", "delivery_p99_ms")
        return {**{name: found.get(name) for name in keep}, "open": found}


def spread(site: Site, count: int) -> Figures:
    """How cost grows with rooms: the same 500 messages a second in so many rooms of ten, whose members look on."""
    assert site.server is not None
    pid = site.server.pid
    lines = lines_of(site, *IDLE[:count])
    with swarm_of(site) as swarm:
        swarm.join(lines)
        before, cpu = len(swarm.ledger.intended), machine.cpu_seconds(pid)
        found = opened(swarm, lines, 500, 6)
        sent = len(swarm.ledger.intended) - before
        cpu = machine.cpu_seconds(pid) - cpu
        return {
            "cpu_ms_per_message": round(1000 * cpu / sent, 3),
            **{name: found.get(name) for name in ("ack_p50_ms", "delivery_p99_ms")},
            "open": found,
        }


SCENARIOS: Final[dict[str, Callable[[Site], Figures]]] = {
    "S1": one_room,
    "S2": hundred_rooms,
    "S3-100": partial(idle, most=100),
    "S3-1000": partial(idle, most=1000),
    "S3": idle,
    "S4": big_room,
    "S5": pages,
    "S5-300": partial(pages, rate=300),
    "S6": reconnect,
    "ack": acknowledgements,
    "rooms-1": partial(spread, count=1),
    "rooms-10": partial(spread, count=10),
    "rooms-100": partial(spread, count=100),
    "rooms-1000": partial(spread, count=1000),
}


def measure(site: Site, name: str) -> Figures:
    """One run on a fresh server, with the CPU that others used meanwhile (1 is one CPU)."""
    site.start()
    try:
        others, started = machine.Others(site.pids()), time.perf_counter()
        found: dict[str, Any] = SCENARIOS[name](site)
        found["foreign_cpu"] = round(others.share(), 2)
        span = time.perf_counter() - started
        found["seconds"] = round(span, 1)
        return found
    finally:
        site.stop()
