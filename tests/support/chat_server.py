"""The real thing: `python -m chatapp` in a process of its own, on a free port."""

import asyncio
import http.client
import json
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from tests.support import nursery, run_folder
from tests.support.process import Process, Running, environment

COMMAND = (sys.executable, "-m", "chatapp")


class ChatServer(Process):
    """A server whose log, at the end of the test, may hold no error it was not allowed to."""

    # Set for each test (fixtures.py), and never by benchmarks: whether it may be forked from a
    # process that has imported chatapp already.
    warm: ClassVar[bool] = False

    def __init__(self, folder: Path, command: Sequence[str] = COMMAND, **settings: str) -> None:
        self.port = int(settings.get("PORT") or run_folder.free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket_url = f"ws://127.0.0.1:{self.port}/ws"
        self._allowed: list[str] = []
        given = {"HOST": "127.0.0.1", "PORT": str(self.port), "DATA_DIR": str(folder / "data")}
        given["PASSWORD_COST"] = "10"  # thousands sign up in tests
        super().__init__(
            command, folder, environment=environment(**{**given, **settings}), ready=self.is_ready
        )

    def _spawn(self) -> Running:
        given = self.environment
        if not self.warm or self.argv != list(COMMAND) or given is None:
            return super()._spawn()
        if not nursery.can_bear(given):
            return super()._spawn()
        return nursery.shared(environment(), run_folder.ROOT).bear(given, self.log)

    def is_ready(self) -> bool:
        return self.status("/ready") == 200

    def status(self, path: str) -> int | None:
        """None when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    async def restart(self, number: signal.Signals = signal.SIGTERM) -> None:
        """On the same port with the same data."""
        await asyncio.to_thread(self.stop, number)
        await asyncio.to_thread(self.start)

    # -- the log --------------------------------------------------------------

    def allow(self, pattern: str) -> None:
        """Errors in the log that match this are part of the test."""
        self._allowed.append(pattern)

    def lines(self) -> list[dict[str, Any]]:
        """The log's JSON lines; what is not JSON comes as {'text': …}."""
        return [_parsed(line) for line in self.log_text().splitlines() if line.strip()]

    def errors(self) -> list[str]:
        return [
            line
            for line in self.log_text().splitlines()
            if _is_error(line) and not any(re.search(allowed, line) for allowed in self._allowed)
        ]


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"text": line}


def _is_error(line: str) -> bool:
    level = str(_parsed(line).get("level", "")).upper()
    return level in {"ERROR", "CRITICAL"} or "Traceback (most recent call last)" in line
