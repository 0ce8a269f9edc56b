"""S5 and S6: load of two kinds at once."""

import json
import subprocess
import sys
import time
from typing import Final

from benchmarks import machine
from benchmarks.loops import Figures, opened
from benchmarks.machine import Site
from benchmarks.sockets import LIVE, Line
from benchmarks.swarm import Swarm

PAGE_SECONDS: Final = 15.0
MEANWHILE_RATE: Final = 100.0  # messages a second while everybody comes back
PATIENCE: Final = 180.0


def pages(site: Site, swarm: Swarm, lines: list[Line], rate: float) -> Figures:
    """S5: room pages and sign-ins beside the traffic of S2 at a fixed rate. `up`: GET /up, which does nothing but
    wait for its turn in the event loop."""
    assert site.server is not None
    swarm.join(lines)
    opened(swarm, lines, 500, 2)  # the rooms get a page of messages
    with _visitors(site.server.port, lines[0]) as visitors:
        found = opened(swarm, lines, rate, PAGE_SECONDS)
        output, _ = visitors.communicate(timeout=120)
    keep = ("delivery_p50_ms", "delivery_p99_ms", "ack_p99_ms", "in_time", "due", "lost", "refused")
    return {
        **json.loads(output),
        "rate": rate,
        "given_up": int("given_up" in found),
        **{name: found[name] for name in keep if name in found},
        "open": found,
    }


def _visitors(port: int, line: Line) -> "subprocess.Popen[str]":
    """People who load the page of one room, sign in and ask whether the server is up, for `PAGE_SECONDS`."""
    command = [sys.executable, "-m", "benchmarks.visitors", str(port), str(PAGE_SECONDS)]
    return subprocess.Popen(
        [*command, str(line.room.id), line.cookie], stdout=subprocess.PIPE, text=True
    )


def reconnect(site: Site, swarm: Swarm, lines: list[Line]) -> Figures:
    """S6: 10,000 lines are cut and come back at once with their cursors; 100 others go on talking in rooms that some
    of those who come back are in, so that there is something to catch up with. Pages are loaded meanwhile."""
    assert site.server is not None
    pid = site.server.pid
    away = [line for line in lines if line.number < 10_000]
    stay = [line for line in lines if line.number >= 10_000]
    swarm.join(lines)
    files = machine.open_files(pid)
    for line in away:
        swarm.drop(line)
    # The server must have noticed: sockets it still holds and new ones together are more than it may open.
    until = time.perf_counter() + 30
    while time.perf_counter() < until and machine.open_files(pid) > files - len(away) * 0.99:
        swarm.turn(0.05)
    opened(swarm, stay, MEANWHILE_RATE, 1)
    began = time.perf_counter()
    before = swarm.joined
    for line in away:
        swarm.open(line)
    back: list[float] = []

    def beside(now: float) -> bool:
        if not back and swarm.joined - before >= len(away):
            back.append(now - began)
        return bool(back)

    with _visitors(site.server.port, stay[0]) as visitors:
        found = opened(swarm, stay, MEANWHILE_RATE, PATIENCE, beside=beside)
        output, _ = visitors.communicate(timeout=120)
    return {
        **json.loads(output),
        "back": sum(line.state == LIVE for line in away),
        "back_seconds": round(back[0], 1) if back else None,
        "ack_p50_ms": found.get("ack_p50_ms"),
        "ack_p99_ms": found.get("ack_p99_ms"),
        **{name: found[name] for name in ("lost", "bad", "refused", "cut", "reloads")},
        "repeated": swarm.ledger.faults.repeated,
        "open": found,
    }
