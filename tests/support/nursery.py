"""Servers born warm: one process imports chatapp once and forks each server of a worker's tests.

`python -m chatapp` spends nearly all of its start on imports, about 0.8 s of a processor, and the
suite starts hundreds. A fork needs a tenth of that and runs the same `__main__` from its first line.
Nothing is shared but imported modules, and what was compiled or packed for somebody who looked around once: no thread,
loop, socket or setting exists before the fork.
Whoever wants a process that began with nothing marks the test `fresh_process`.
"""

import asyncio
import contextlib
import gc
import json
import logging
import os
import re
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import chatapp
from tests.support import warm

# What the interpreter or the C library reads before Python's first line: a fork comes too late.
EARLY = ("PYTHON", "LD_", "MALLOC_", "COVERAGE_")
# What `python -m chatapp` has imported by the time it is ready.
MODULES = (
    "aiosqlite",
    "asyncpg",
    "chatapp.app",
    "chatapp.server",
    "redis.asyncio",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)


# -- in the worker ------------------------------------------------------------


class Born:
    """As much of `subprocess.Popen` as a test's process needs: the nursery is the parent."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self._line = line
        self._code: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float) -> int:
        with self._lock:
            if self._code is None:
                if not select.select([self._line], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired("chatapp", timeout)
                said = self._line.recv(8, socket.MSG_WAITALL)
                assert said, "the nursery is gone"
                self._line.close()
                self._code = int(said, 16)
            return self._code


_making = threading.Lock()


class Nursery:
    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._line, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.nursery", str(theirs.fileno())],
                cwd=folder,
                env=dict(environment),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        process.returncode = 0  # it ends by itself when the line is cut: nobody waits for it
        self.pid = process.pid

    def bear(self, environment: Mapping[str, str], log: Path) -> Born:
        near, far = socket.socketpair()
        with far, self._lock:
            order = {"environment": dict(environment), "log": str(log)}
            text = json.dumps(order).encode() + b"\n"
            sent = socket.send_fds(self._line, [text], [far.fileno()])
            self._line.sendall(text[sent:])
            # The answer comes before the next order may be sent.
            said = near.recv(8, socket.MSG_WAITALL)
        assert said, "the nursery bore nothing"
        return Born(int(said, 16), near)

    def close(self) -> None:
        self._line.close()


def can_bear(environment: Mapping[str, str]) -> bool:
    """Only Linux and the like can; on macOS a fork of a process that used its frameworks dies."""
    early = (name for name in environment if name.startswith(EARLY))
    return sys.platform != "darwin" and set(early) <= {"PYTHONUNBUFFERED"}


_kept: list[Nursery] = []


def shared(environment: Mapping[str, str], folder: Path) -> Nursery:
    """This worker's."""
    with _making:
        if not _kept:
            _kept.append(Nursery(environment, folder))
        return _kept[0]


def close() -> None:
    while _kept:
        _kept.pop().close()


# -- in the nursery -----------------------------------------------------------


def _order(line: socket.socket) -> tuple[dict[str, Any], socket.socket] | None:
    data, fds, _, _ = socket.recv_fds(line, 65536, 1)
    if not data:
        return None  # the worker has ended
    while not data.endswith(b"\n"):
        data += line.recv(65536)
    return json.loads(data), socket.socket(fileno=fds[0])


def _tell_ends(waiting: dict[int, socket.socket]) -> None:
    while waiting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with waiting.pop(pid) as parent, contextlib.suppress(OSError):
            parent.sendall(b"%+08x" % os.waitstatus_to_exitcode(status))


def _until_born(line: socket.socket) -> dict[str, Any] | None:
    """Serves the worker; returns its order in each child, and None where the worker has ended."""
    waiting: dict[int, socket.socket] = {}
    hears, rings = socket.socketpair()
    rings.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # only handled signals ring
    signal.set_wakeup_fd(rings.fileno(), warn_on_full_buffer=False)
    while True:
        ready = select.select([line, hears], [], [])[0]
        if hears in ready:
            hears.recv(4096)
            _tell_ends(waiting)
        if line not in ready:
            continue
        received = _order(line)
        if received is None:
            return None
        order, parent = received
        pid = os.fork()
        if pid:
            waiting[pid] = parent
            continue
        os.setsid()
        parent.sendall(b"%08x" % os.getpid())  # now it can be killed as the leader of a group
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for mine in (line, hears, rings, parent, *waiting.values()):
            mine.close()
        return order


async def _look_around(folder: Path) -> None:
    from chatapp.app import create_app
    from chatapp.settings import Settings
    from chatapp.static_files import STATIC
    from tests.routes.people import somebody
    from tests.support.asgi import Site, lifespan

    settings = Settings.from_env({"DATA_DIR": str(folder)})
    app = create_app(settings, password_cost=4)
    async with lifespan(app) as state:
        site = Site(app, state, settings)
        ann, bob = await somebody(site, "Ann"), await somebody(site, "Bob")
        room = await ann.opens("Lab", "What we found out")
        await bob.joins(room)
        await bob.says(room, "Hello, *Ann*")
        for path in ("/", "/sidebar", "/rooms", "/settings", "/service-worker.js"):
            await ann.get(path)
        page = await ann.get(f"/rooms/{room}")
        version = re.search(r"/static/\w+", page.text)
        assert version, "a page names its files"
        for file in STATIC.glob("[jc]s*/**/*.[jc]s*"):
            await ann.get(f"{version[0]}/{file.relative_to(STATIC)}")
        await site.close()


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1]))
    for module in MODULES:
        import_module(module)
    warm.share()
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_look_around(Path(folder)))
    logging.disable(logging.NOTSET)
    del chatapp.app  # the module: each child builds the application of that name
    assert threading.active_count() == 1, "a fork would lose what other threads hold"
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page it looks at
    order = _until_born(line)
    if order is None:
        return
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    del sys.argv[1:]
    runpy.run_module("chatapp", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
