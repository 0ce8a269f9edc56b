"""Two processes on one PostgreSQL: how soon people at the other one see a message, with Redis and without; and how much
two processes carry compared with one.

    .venv/bin/python -m benchmarks.replicas

Everything shares the machine's cores, the generator too: what counts is the ratio of the lines.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.loops import Figures, closed, opened
from benchmarks.machine import Site
from benchmarks.scenarios import TENS, lines_of
from benchmarks.sockets import Line
from benchmarks.swarm import SELF, Swarm
from tests.support import run_folder
from tests.support.redis_server import RedisServer

RATE: Final = 100.0  # messages a second
SECONDS: Final = 10.0
CPUS: Final = f"0-{(os.cpu_count() or 1) - 1}"


@contextlib.contextmanager
def two(site: Site, **settings: str) -> Iterator[tuple[int, int]]:
    """The ports of two fresh processes: a second swarm would send its messages under keys that are known there."""
    try:
        yield site.start(CPUS, **settings).port, site.another(CPUS, **settings).port
    finally:
        site.stop()


def delivery(site: Site, senders_at: int, readers_at: int) -> Figures:
    """One sender in each of 100 rooms; nine others look on."""
    lines = lines_of(site, *TENS)
    senders = lines[: len(TENS)]
    for line in lines:
        line.port = readers_at
    for line in senders:
        line.port = senders_at
    with contextlib.closing(Swarm(senders_at)) as swarm:
        swarm.join(lines)
        return opened(swarm, senders, RATE, SECONDS)


def throughput(site: Site, ports: Sequence[int]) -> Figures:
    """Everybody sends; the members of each room are spread over the processes."""
    lines: list[Line] = lines_of(site, *TENS)
    for line in lines:
        line.port = ports[line.number // len(TENS) % len(ports)]
    with contextlib.closing(Swarm(ports[0])) as swarm:
        swarm.join(lines)
        return closed(swarm, lines, SELF, SECONDS)


def show(what: str, found: Figures, *names: str) -> None:
    figures = "  ".join(f"{name}={found.get(name)}" for name in (*names, "lost", "bad"))
    print(f"{what:<44} {figures}", flush=True)


def main(folder: Path) -> None:
    site = Site("postgresql", folder / "site")
    redis = RedisServer(folder / "redis")
    redis.start()
    bus = {"REDIS_URL": redis.url}
    times = ("delivery_p50_ms", "delivery_p99_ms", "ack_p50_ms", "ack_p99_ms")
    try:
        with two(site, **bus) as (first, second):
            show("same process, with Redis", delivery(site, first, first), *times)
        with two(site, **bus) as (first, second):
            show("other process, with Redis", delivery(site, first, second), *times)
        with two(site) as (first, second):
            show("other process, without Redis", delivery(site, first, second), *times)
        rate = ("messages_per_s", "deliveries_per_s")
        with two(site, **bus) as ports:
            show("one process", throughput(site, ports[:1]), *rate)
        with two(site, **bus) as ports:
            show("two processes, rooms spread over both", throughput(site, ports), *rate)
    finally:
        site.close()
        redis.close()


if __name__ == "__main__":
    scratch = run_folder.make()
    try:
        main(scratch)
    finally:
        run_folder.remove(scratch)
