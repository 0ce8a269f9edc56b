"""Closed and open loops over a swarm, and the search for the highest rate. Rates are messages a second."""

import gc
import itertools
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from benchmarks.machine import NOISE, Others
from benchmarks.sockets import LIVE, Line
from benchmarks.swarm import ALL, QUIET, Swarm
from tests.support.figures import quantile

WARM_SECONDS: Final = 0.5
DRAIN_SECONDS: Final = 10.0
SEARCH_SECONDS: Final = 60.0
SHARE: Final = (
    0.97  # of what is due in a trial must have arrived when it ends: a growing queue does not pass
)
Figures = dict[str, Any]


class Step:
    """Between beginning and `figures`, all that a swarm does is counted."""

    def __init__(self, swarm: Swarm) -> None:
        ledger = swarm.ledger
        self.swarm = swarm
        self.first = len(ledger.intended)
        ledger.arrivals.clear()
        swarm.acks.clear()
        swarm.completions.clear()
        self._cut, self._refused = swarm.cut, len(ledger.refused)
        self._bad, self._reloads = ledger.faults.bad(), swarm.reloads
        self._repeated = ledger.faults.repeated
        gc.collect()
        gc.freeze()
        gc.disable()
        swarm.idle_seconds = 0.0
        self._began = time.perf_counter()

    def drain(self) -> None:
        """Until nothing is missing any more, or nothing came for a while."""
        swarm, ledger = self.swarm, self.swarm.ledger
        self.busy = 1 - swarm.idle_seconds / (time.perf_counter() - self._began)
        until = time.perf_counter() + DRAIN_SECONDS
        while time.perf_counter() < until and ledger.lost(self.first):
            pause = time.perf_counter() + 0.1
            while time.perf_counter() < pause:
                swarm.turn(0.05)
        gc.enable()

    def figures(self, since: float, until: float) -> Figures:
        """Of messages that should have left from `since` on; deliveries a second are those up to `until`."""
        ledger = self.swarm.ledger
        intended = ledger.intended
        first = next(
            (n for n in range(self.first, len(intended)) if intended[n] >= since), len(intended)
        )
        early = ledger.arrived(since, until)
        acks = [at - intended[number] for number, at in self.swarm.acks if number >= first]
        span = until - since
        due = sum(len(room.members) for room in ledger.rooms_of[first:])
        return {
            "messages_per_s": round((len(intended) - first) / span),
            "deliveries_per_s": round(early / span),
            "due": due,
            "in_time": early,
            **times("delivery", ledger.latencies(since)),
            **times("ack", acks),
            **times("last", self.swarm.completions[len(self.swarm.completions) // 10 :]),
            "lost": ledger.lost(self.first),
            "repeated": ledger.faults.repeated - self._repeated,
            "bad": ledger.faults.bad() - self._bad,
            "refused": len(ledger.refused) - self._refused,
            "cut": self.swarm.cut - self._cut,
            "reloads": self.swarm.reloads - self._reloads,
            "generator_busy": round(self.busy, 2),
        }


def times(name: str, seconds: list[float]) -> Figures:
    """Quantiles in milliseconds, nothing when there is nothing."""
    if not seconds:
        return {}
    return {
        f"{name}_p50_ms": round(1000 * quantile(seconds, 0.5), 2),
        f"{name}_p99_ms": round(1000 * quantile(seconds, 0.99), 2),
    }


def closed(swarm: Swarm, senders: Sequence[Line], mode: int, seconds: float) -> Figures:
    """Each sender's next message leaves when all members (`ALL`) or the sender itself (`SELF`) have the last."""
    step = Step(swarm)
    swarm.mode = mode
    for line in senders:
        swarm.post(line, time.perf_counter())
    since = time.perf_counter() + WARM_SECONDS
    until = since + seconds
    while time.perf_counter() < until:
        swarm.turn(0.01)
    swarm.mode = QUIET
    step.drain()
    found = step.figures(since, until)
    if mode == ALL:
        found["messages_per_s"] = round(
            found["in_time"] / seconds / len(senders[0].room.members), 1
        )
    else:
        found["messages_per_s"] = round(
            found["in_time"] * len(senders) / seconds / _audience(senders)
        )
    return found


def _audience(senders: Sequence[Line]) -> int:
    """How many deliveries one message of each sender makes."""
    return sum(len(line.room.members) for line in senders)


def opened(
    swarm: Swarm,
    senders: Sequence[Line],
    rate: float,
    seconds: float,
    *,
    beside: Callable[[float], bool] | None = None,
) -> Figures:
    """Messages leave when they are due, whatever became of those before. Given up when two
    seconds' worth is under way, unless there is `beside`: it is asked now and then, and True ends."""
    step = Step(swarm)
    started = time.perf_counter()
    since = started + WARM_SECONDS
    until = since + seconds
    turns = itertools.cycle(senders)
    sent, late = 0, []
    count = int((WARM_SECONDS + seconds) * rate)
    hopeless = 100 + 2.0 * rate  # messages under way
    seen = swarm.ledger.seen
    check = started
    while (now := time.perf_counter()) < until:
        burst = 0
        while sent < count and (due := started + sent / rate) <= now and burst < 64:
            swarm.post(next(turns), due)
            sent += 1
            burst += 1
            late.append(time.perf_counter() - due)
        following = started + sent / rate if sent < count else until
        swarm.turn(max(0.0, min(following, until) - time.perf_counter()))
        if now > check:
            check = now + 0.25
            under_way = sent + seen - swarm.ledger.seen
            if beside(now) if beside else under_way > hopeless:
                break
    given_up = now < until and sent < count
    step.drain()
    found = step.figures(since, until)
    if given_up:
        found["given_up"] = True
    found["rate"] = round(rate, 1)
    found["late_p99_ms"] = round(1000 * quantile(late, 0.99), 2)
    return found


def passes(found: Figures, p99_ms: float) -> bool:
    """All there, once, in time, and the queue did not grow. Nobody joins in a trial, so nothing may be repeated."""
    whole = not any(
        found[name] for name in ("lost", "bad", "repeated", "refused", "cut", "reloads")
    )
    return (
        whole
        and "given_up" not in found
        and found.get("delivery_p99_ms", math.inf) < p99_ms
        and found["in_time"] >= SHARE * found["due"]
    )


def search(
    swarm: Swarm,
    others: Others,
    senders: Sequence[Line],
    start: float,
    p99_ms: float,
    seconds: float,
) -> Figures:
    """The highest rate that passes: doubled until one fails, then bisected. A failure counts at the second time, and
    in noise at the fourth. Ends after `SEARCH_SECONDS` with what is known by then."""
    best: Figures = {"messages_per_s": 0}
    until = time.perf_counter() + SEARCH_SECONDS
    low, high, rate = 0.0, math.inf, start
    trials: list[Figures] = []
    while time.perf_counter() < until and high / max(low, 0.001) > 1.08 and rate >= 1:
        for attempt in range(4):
            others.share()
            found = opened(swarm, senders, rate, seconds)
            found["foreign_cpu"] = round(others.share(), 2)
            trials.append(found)
            revive(swarm, senders)
            if passes(found, p99_ms) or (attempt and found["foreign_cpu"] < NOISE):
                break
            if found["foreign_cpu"] >= NOISE:
                others.wait_quiet(lambda: listen(swarm, 1.0), patience=8)
        if passes(found, p99_ms):
            low, best = rate, found
        else:
            high = rate
        if high == math.inf:
            rate *= 2
        elif low == 0:
            rate /= 2
        else:
            rate = math.sqrt(low * high)
    return {**best, "trials": trials}


def listen(swarm: Swarm, seconds: float) -> None:
    """Hears and answers pings for a while."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        swarm.turn(0.05)


def revive(swarm: Swarm, senders: Sequence[Line]) -> None:
    """Brings back whom the server cut, with their cursors."""
    lines = {line for sender in senders for line in sender.room.members}
    dead = [line for line in lines if isinstance(line, Line) and line.state != LIVE]
    if dead:
        swarm.join(dead)
