"""A real Redis on a free port, which keeps nothing. Cheap (about 20 ms), so each test has its own:
channels are shared by a whole server, and a test may kill it."""

import contextlib
import shutil
import socket
from pathlib import Path

from tests.support import run_folder
from tests.support.process import Process, environment


class RedisServer(Process):
    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        assert program, "Redis is missing: run 'make test', which installs it"
        self.port = run_folder.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(folder),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "loglevel": "warning",
        }
        argv = [part for name, value in options.items() for part in (f"--{name}", value)]
        super().__init__([program, *argv], folder, environment=environment(), ready=self._answers)

    def _answers(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), 1) as line,
        ):
            line.sendall(b"PING\r\n")
            return line.recv(7) == b"+PONG\r\n"
        return False
