"""The server under load: on CPU 0 with its database, the generator on CPU 1, and what both use."""

import asyncio
import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from benchmarks import people
from benchmarks.people import SECRET, People
from tests.support import run_folder
from tests.support.chat_server import ChatServer
from tests.support.postgres_server import PostgresServer

SERVER_CPU: Final = 0
GENERATOR_CPU: Final = 1
LIMIT_FACTOR: Final = (
    "1000000"  # of rates; caps such as a person's share of the queue stay as they are
)
NOISE: Final = 0.1  # of a CPU used by others: a trial that fails then is tried again
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def pinned(cpu: int) -> Iterator[None]:
    """Children started in here stay on that CPU."""
    before = os.sched_getaffinity(0)
    if cpu in before or cpu < (os.cpu_count() or 1):
        os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Site:
    """A database with everybody in it, and fresh servers on copies of it. `kind`: sqlite or postgresql."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.server: ChatServer | None = None
        self._more: list[ChatServer] = []
        self.postgres: PostgresServer | None = None
        self._count = 0
        folder.mkdir(parents=True)
        if kind == "postgresql":
            self.postgres = PostgresServer(folder / "postgres", durable=True)
            self.postgres.create()
            with pinned(SERVER_CPU):
                self.postgres.start()
            self.postgres.create_database("seed")
        self._seed = folder / "seed"
        self.people: People = asyncio.run(people.fill(self._url("seed"), self._seed))

    def _url(self, name: str) -> str:
        if self.postgres is not None:
            return self.postgres.url(name)
        return f"sqlite:///{self.folder / name / 'chatapp.db'}"

    def start(self, cpus: str = str(SERVER_CPU), **settings: str) -> ChatServer:
        """A server of its own database, as it was after filling."""
        self._count += 1
        name = f"copy{self._count}"
        if self.postgres is not None:
            self.postgres.create_database(name, "seed")
        else:
            shutil.copytree(self._seed, self.folder / name)
        self.server = self._serve(f"server{self._count}", cpus, settings)
        return self.server

    def another(self, cpus: str = str(SERVER_CPU), **settings: str) -> ChatServer:
        """One more on the database of the last that was started."""
        number = len(self._more) + 2
        self._more.append(self._serve(f"server{self._count}-{number}", cpus, settings))
        return self._more[-1]

    def _serve(self, folder: str, cpus: str, settings: dict[str, str]) -> ChatServer:
        server = ChatServer(
            self.folder / folder,
            ("taskset", "-c", cpus, sys.executable, "-m", "chatapp"),
            DATABASE_URL=self._url(f"copy{self._count}"),
            SECRET_KEY=SECRET,
            LIMIT_FACTOR=LIMIT_FACTOR,
            PASSWORD_COST="12",
            **settings,
        )
        server.start()
        return server

    def stop(self) -> None:
        for server in filter(None, (self.server, *self._more)):
            # SIGKILL: its data is thrown away, and ten thousand goodbyes take their time.
            if server.running:
                server.kill()
        self.server = None
        self._more.clear()
        if self.postgres is None:
            shutil.rmtree(self.folder / f"copy{self._count}", ignore_errors=True)
        else:
            self.postgres.drop_database(f"copy{self._count}")

    def close(self) -> None:
        if self.server is not None:
            self.stop()
        if self.postgres is not None:
            self.postgres.close()

    def pids(self) -> list[int]:
        """The server, and PostgreSQL with its children."""
        assert self.server is not None
        found = [self.server.pid]
        if self.postgres is not None:
            found += [self.postgres.pid, *run_folder.children(self.postgres.pid)]
        return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, 0 when it is gone."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


def resident_kb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1024


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def busy_seconds() -> float:
    """CPU time of the whole machine so far, for telling how much others used."""
    fields = [int(each) for each in Path("/proc/stat").read_text().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / _TICKS


class Others:
    """How much CPU everybody else uses: a shared machine's noise. 1 is one CPU."""

    def __init__(self, pids: list[int]) -> None:
        self._pids = pids
        self._mark()

    def _used(self) -> float:
        return busy_seconds() - time.process_time() - sum(map(cpu_seconds, self._pids))

    def _mark(self) -> None:
        self._at, self._before = time.perf_counter(), self._used()

    def share(self) -> float:
        """Since the last time this was asked."""
        at, before = self._at, self._before
        self._mark()
        return max(0.0, (self._before - before) / max(0.01, self._at - at))

    def wait_quiet(self, idle: Callable[[], None], patience: float = 20.0) -> None:
        """Until they used little for a while, or patience ends. `idle` fills the time."""
        until = time.perf_counter() + patience
        self._mark()
        while time.perf_counter() < until:
            idle()
            if self.share() < NOISE:
                return
