"""A real PostgreSQL on a free port in a scratch folder, run as an unprivileged user."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg

from tests.support import run_folder

# Every plain test's database is thrown away, so nothing there waits for the disk.
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_buffers = 64MB
autovacuum = off
log_min_messages = warning
log_line_prefix = '%m [%p] %d '
"""
CARELESS = "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n"


def programs() -> Path:
    """The newest installed version's folder of programs."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[4])
    )
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    assert initdb, "PostgreSQL is missing: run 'make test', which installs it"
    return Path(initdb).resolve().parent


def in_thread(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs a coroutine on a loop of its own, wherever we are."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class PostgresServer:
    """`start`, `stop`, `kill`, `pause` and `resume` block: call them with asyncio.to_thread where
    the loop must go on."""

    def __init__(self, folder: Path, *, port: int | None = None, durable: bool = False) -> None:
        self.folder = folder
        self.port = port or run_folder.free_port()
        self.durable = durable

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        return int((self.folder / "data/postmaster.pid").read_text().split()[0])

    def log_text(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            user = pwd.getpwnam(self._user())
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._run(
            "initdb",
            f"--pgdata={self.folder}/data",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",  # the strictest: whoever relies on the server's lower() is found out
            "--no-sync",
            "--no-instructions",
        )
        lines = CONFIGURATION + f"port = {self.port}\n" + ("" if self.durable else CARELESS)
        with (self.folder / "data/postgresql.conf").open("a") as file:
            file.write(lines)

    def start(self) -> None:
        self._run("pg_ctl", "--wait", f"--log={self.folder}/log", "start")
        run_folder.started(self.pid)

    def stop(self, mode: str = "fast") -> None:
        """'fast' cuts everybody off, 'immediate' does so without writing anything down."""
        pid = self.pid
        self._run("pg_ctl", "--wait", f"--mode={mode}", "stop")
        run_folder.stopped(pid)

    def kill(self) -> None:
        """As a power cut would: no process of it is left, nothing is tidied up."""
        pid = self.pid
        victims = (pid, *run_folder.children(pid))
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        until = time.monotonic() + 20
        while any(map(run_folder.alive, victims)):  # a busy machine takes its time to end them
            assert time.monotonic() < until, f"PostgreSQL {pid} survived being killed"
            time.sleep(0.005)
        run_folder.stopped(pid)
        (self.folder / "data/postmaster.pid").unlink(missing_ok=True)

    def pause(self) -> None:
        """Nobody dies, nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for pid in (self.pid, *run_folder.children(self.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def close(self) -> None:
        if (self.folder / "data/postmaster.pid").exists():
            self.stop("immediate")

    # -- databases ------------------------------------------------------------

    def create_database(self, name: str, template: str = "template0") -> None:
        # Copying files takes half the time of writing all of it to the log, which is the default
        # since version 15 (and copying is all that older ones can do).
        async def run(connection: asyncpg.Connection) -> None:
            strategy = "STRATEGY file_copy" if connection.get_server_version().major >= 15 else ""
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {strategy}')

        self._connected(run)

    def drop_database(self, name: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, *statements: str, database: str = "postgres") -> None:
        async def run(connection: asyncpg.Connection) -> None:
            for statement in statements:
                await connection.execute(statement)

        self._connected(run, database)

    def _connected(
        self,
        work: Callable[[asyncpg.Connection], Coroutine[Any, Any, None]],
        database: str = "postgres",
    ) -> None:
        async def run() -> None:
            address = self.url(database).replace("+asyncpg", "")
            connection = await asyncpg.connect(address, timeout=10)
            try:
                await work(connection)
            finally:
                await connection.close()

        in_thread(run())

    # -------------------------------------------------------------------------

    def _user(self) -> str:
        try:
            return pwd.getpwnam("postgres").pw_name
        except KeyError:
            return "nobody"

    def _run(self, program: str, *arguments: str) -> None:
        identity: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = pwd.getpwnam(self._user())
            identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        output = self.folder / f"{program}.out"
        with output.open("wb") as file:
            code = subprocess.run(
                [programs() / program, *arguments],
                env={"PATH": os.environ["PATH"], "LC_ALL": "C", "PGDATA": f"{self.folder}/data"},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=file,  # not a pipe: the server would inherit it and keep it open
                stderr=subprocess.STDOUT,
                check=False,
                **identity,
            ).returncode
        assert code == 0, f"{program} failed:\n{output.read_text()}"


def shared() -> PostgresServer:
    """The run's server: the first worker that wants it starts it, the controller stops it."""
    with run_folder.locked("postgres") as folder:
        port_file = folder / "port"
        if port_file.exists():
            return PostgresServer(folder / "server", port=int(port_file.read_text()))
        folder.chmod(0o755)
        server = PostgresServer(folder / "server")
        server.create()
        server.start()
        port_file.write_text(str(server.port))
        return server
