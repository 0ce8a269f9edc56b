"""Somebody who has just cloned the project types the README's command and sees a page."""

import http.client
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import run_folder
from tests.support.process import Process, environment

ROOT = run_folder.ROOT
SECONDS = 240  # on a slow line; a minute is usual, and ten seconds with a warm cache of packages


def copy_of_the_project(folder: Path) -> Path:
    """What a clone would hold once everything here is committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def command() -> str:
    """The first command of the README that starts chatapp."""
    found = re.search(r"^(?:\$ )?(make run\b[^#\n]*)", (ROOT / "README.md").read_text(), re.M)
    assert found, "the README does not say how to start chatapp"
    return found.group(1).strip()


class FreshRun(Process):
    def __init__(self, folder: Path, clone: Path, port: int) -> None:
        self.port = port
        # pip's settings and cache are the machine's, like Python and make.
        machine = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        super().__init__(
            ["/bin/sh", "-c", f"cd {shlex.quote(str(clone))} && exec {command()}"],
            folder,
            environment=environment(PORT=str(port), **machine),
            ready=self._shows_a_page,
            patience=SECONDS,
        )

    def _shows_a_page(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/welcome")
            answer = connection.getresponse()
            return answer.status == 200 and b"<html" in answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@pytest.mark.early
@pytest.mark.timeout(SECONDS + 60)
def test_one_command_after_cloning_shows_the_first_page(
    tmp_path: Path, stack: list[Process], record_property: Callable[[str, object], None]
) -> None:
    clone = copy_of_the_project(tmp_path / "clone")
    port = run_folder.free_port()
    run = FreshRun(tmp_path / "run", clone, port)
    stack.append(run)

    started = time.monotonic()
    run.start()
    cold = time.monotonic() - started
    assert re.search(rf"http://(localhost|127\.0\.0\.1):{port}\b", run.log_text()), (
        "it does not say where it is"
    )
    secret = next(file for file in (clone / "data").iterdir() if "key" in file.name)
    assert secret.stat().st_mode & 0o077 == 0, "others can read the key"
    key = secret.read_bytes()
    stop(run)

    started = time.monotonic()
    run.start()
    warm = time.monotonic() - started
    assert secret.read_bytes() == key
    stop(run)
    record_property("cold_seconds", round(cold, 1))
    record_property("warm_seconds", round(warm, 1))
    assert warm < 10, "a second start takes a few seconds"
    assert "Traceback" not in run.log_text()


def stop(run: Process) -> None:
    """As Ctrl-C does: everything in the terminal's foreground hears it."""
    run_folder.send(run.pid, signal.SIGINT)
    run.wait(20)
