"""What operators can measure of this process, in Prometheus' text format. The one door to `prometheus_client`.

One `Metrics` is built by the composition root and handed to whoever counts. Counting costs about a microsecond, so it
is done per batch or per event of a life, never per delivery. No name of a person or room is ever a label.
"""

from collections.abc import Callable
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """Owner of all counts of this process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.batch_size = Histogram(
            "chatapp_batch_commands",
            "Commands carried out by one transaction of the writer.",
            buckets=_SIZES,
            registry=self._registry,
        )
        self.commit_seconds = Histogram(
            "chatapp_commit_seconds",
            "From taking a batch off the queue to its end, second tries included.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._ends = Counter(
            "chatapp_commands",
            "Commands by how they ended: stored, refused, busy, unknown or failed.",
            ["end"],
            registry=self._registry,
        )
        self._commit_failures = Counter(
            "chatapp_commit_failures",
            "Transactions of the writer that failed: retried, or with an outcome nobody knew.",
            ["kind"],
            registry=self._registry,
        )
        self._shared_tails = Counter(
            "chatapp_shared_tails",
            "Rooms looked for in Redis when this process did not know them: found, or not.",
            ["found"],
            registry=self._registry,
        )
        self._pushes = Counter(
            "chatapp_pushes",
            "Pushes by how they ended: taken, read meanwhile, gone, refused, failed, or dropped for want of room.",
            ["end"],
            registry=self._registry,
        )
        self._loop_lag = Gauge(
            "chatapp_loop_lag_seconds",
            "How late the event loop woke a task that slept for a second, the last time.",
            registry=self._registry,
        )

    def ended(self, end: str, count: int = 1) -> None:
        self._ends.labels(end).inc(count)

    def commit_failed(self, kind: str) -> None:
        self._commit_failures.labels(kind).inc()

    def looked_for_tail(self, *, found: bool) -> None:
        self._shared_tails.labels("yes" if found else "no").inc()

    def pushed(self, end: str, count: int = 1) -> None:
        self._pushes.labels(end).inc(count)

    def loop_was_late(self, seconds: float) -> None:
        self._loop_lag.set(seconds)

    def gauge(self, name: str, what: str, read: Callable[[], float]) -> None:
        """Something whose owner knows its size: read when somebody asks."""
        Gauge(f"chatapp_{name}", what, registry=self._registry).set_function(read)

    def value(self, name: str, **labels: str) -> float:
        """One figure by its full name, 0 when nothing was counted yet."""
        return self._registry.get_sample_value(name, labels) or 0.0

    def text(self) -> bytes:
        return generate_latest(self._registry)
