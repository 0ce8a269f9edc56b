"""One scratch folder per test run, shared by all workers, and the list of what runs in it.

The controller makes it, and stops and removes what is left when the run ends. If the controller is
killed without a chance to do so, a watchdog (a few lines of shell) does it a second later.
"""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "CHATAPP_TEST_RUN"
MEMORY = Path("/dev/shm")
ENOUGH = 4 * 2**30  # a container often has 64 MB there

WATCHDOG = """
while kill -0 "$1" && [ -d "$2" ]; do sleep 1; done
for file in "$2"/workers/*; do kill -s TERM "${file##*/}"; done
for sign in QUIT KILL; do
    for file in "$2"/pids/*; do kill -s $sign -- "-${file##*/}"; done
    sleep 1
done
rm -rf "$2"
"""


def memory() -> Path | None:
    """Where files are kept in memory, if there is room. No test cuts the power, and what a killed process has written
    is there all the same: only waiting for a disk is saved."""
    try:
        there = os.statvfs(MEMORY)
    except OSError:
        return None
    roomy = there.f_bavail * there.f_frsize >= ENOUGH
    return MEMORY if roomy and os.access(MEMORY, os.W_OK) else None


def may_run_programs(folder: Path) -> bool:
    """A test makes a whole environment; Docker's memory folder allows no program in it."""
    return not os.statvfs(folder).f_flag & os.ST_NOEXEC


def make(within: Path | None = None) -> Path:
    """Called once, in the controller; workers inherit the variable."""
    folder = Path(tempfile.mkdtemp(prefix="chatapp-tests-", dir=within))
    folder.chmod(0o755)  # PostgreSQL looks in as another user
    (folder / "pids").mkdir()
    (folder / "workers").mkdir()
    os.environ[VARIABLE] = str(folder)
    subprocess.Popen(
        ["/bin/sh", "-c", WATCHDOG, "watchdog", str(os.getpid()), str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ).returncode = 0  # it ends by itself: nobody waits for it
    return folder


def join() -> None:
    """Called once in each worker."""
    (path() / "workers" / str(os.getpid())).touch()


def path() -> Path:
    return Path(os.environ[VARIABLE])


def remove(folder: Path) -> None:
    pids = [int(file.name) for file in (folder / "pids").iterdir()]
    for pid in pids:
        send(pid, signal.SIGQUIT)
    until = time.monotonic() + 5
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.02)
    for pid in pids:
        send(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def started(pid: int) -> None:
    (path() / "pids" / str(pid)).touch()


def stopped(pid: int) -> None:
    (path() / "pids" / str(pid)).unlink(missing_ok=True)


def send(pid: int, number: signal.Signals) -> None:
    """To the whole group: each server is started as the leader of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def alive(pid: int) -> bool:
    """Whether it still runs; one that has ended and waits to be collected does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return _stat(pid)[:1] != ["Z"]


def children(pid: int) -> list[int]:
    """Only Linux tells."""
    everybody = (int(folder.name) for folder in Path("/proc").glob("[0-9]*"))
    return [other for other in everybody if _stat(other)[1:2] == [str(pid)]]


def _stat(pid: int) -> list[str]:
    """State, parent and so on: what follows the program's name, which may hold anything."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


@contextlib.contextmanager
def locked(name: str) -> Iterator[Path]:
    """What one worker does for all: the folder is yours while nobody else is in here."""
    folder = path() / name
    folder.mkdir(exist_ok=True)
    with (path() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield folder


def free_port() -> int:
    """A port outside the range that outgoing connections take, from a stretch of this worker's own.

    (Binding port 0 and closing it again hands the same port to two workers now and then.)
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12
    while True:
        port = 20_000 + worker * 1_000 + random.randrange(1_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
