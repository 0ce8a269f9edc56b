"""A server program under test: started with its own log file, stopped by its process id."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals
from typing import Protocol

from tests.support import run_folder


class NotStarted(AssertionError):
    """The program ended, or was not ready in time. The message holds its log."""


class Running(Protocol):
    """As much of a subprocess.Popen as is asked for here."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float) -> int: ...


class Process:
    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path = run_folder.ROOT,
        ready: Callable[[], bool],
        patience: float = 20.0,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.argv = list(argv)
        self.folder = folder
        self.environment = environment
        self.cwd = cwd
        self.log = folder / "log"
        self._ready = ready
        self._patience = patience
        self._process: Running | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.argv[0]} was never started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_end(self) -> str:
        return self.log_text()[-4000:]

    def start(self, *, wait: bool = True) -> None:
        assert not self.running, f"{self.argv[0]} is already running"
        self._process = self._spawn()
        run_folder.started(self.pid)
        if wait:
            self.wait_ready()

    def _spawn(self) -> Running:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.argv,
                cwd=self.cwd,
                env=None if self.environment is None else dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        until = time.monotonic() + self._patience
        while not self._ready():
            if not self.running:
                raise NotStarted(f"{self.argv} ended with {self.exit_code}:\n{self.log_end()}")
            if time.monotonic() > until:
                self.kill()
                raise NotStarted(f"{self.argv} was not ready in time:\n{self.log_end()}")
            time.sleep(0.03)

    def signal(self, number: Signals) -> None:
        """To the program alone, not to its children."""
        if self.running:
            os.kill(self.pid, number)

    def wait(self, timeout: float = 20.0) -> int:
        assert self._process is not None
        code = self._process.wait(timeout)
        run_folder.send(self.pid, SIGKILL)  # children it left behind
        run_folder.stopped(self.pid)
        return code

    def stop(self, number: Signals = SIGTERM, timeout: float = 20.0) -> int:
        """Asks nicely, then insists. Returns the exit code."""
        self.signal(number)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        run_folder.send(self.pid, SIGKILL)
        return self.wait()

    def pause(self) -> None:
        """It keeps its connections and answers nothing, until `resume`."""
        run_folder.send(self.pid, SIGSTOP)

    def resume(self) -> None:
        run_folder.send(self.pid, SIGCONT)

    def close(self) -> None:
        if self._process is not None:
            self.resume()
            self.stop(timeout=10.0)


def environment(**extra: str) -> dict[str, str]:
    """Only what a program cannot do without: a developer's own settings stay out of the tests."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "TMPDIR", "PIP_CONFIG_FILE", "SSL_CERT_FILE")
        if name in os.environ
    }
    with contextlib.suppress(KeyError):
        kept["COVERAGE_PROCESS_START"] = os.environ["COVERAGE_PROCESS_START"]
    return {**kept, "PYTHONUNBUFFERED": "1", **extra}
