"""A real coturn that runs the very files of deploy/turn; only ports, addresses and folders are other ones."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.support import run_folder
from tests.support.process import Process, environment

FOLDER = run_folder.ROOT / "deploy" / "turn"
SECRET = "0123456789abcdef0123456789abcdef"
PUBLIC = "192.0.1.7"  # as the server is known outside; nothing here ever sends there


class TurnServer(Process):
    """Listens, and relays, on one address of this machine, or of the network that `within` leads into.
    `other`: pieces of turnserver.conf and what stands in their place."""

    def __init__(
        self,
        folder: Path,
        *,
        own: str = "127.0.0.1",
        within: Sequence[str] = (),
        other: dict[str, str] | None = None,
    ) -> None:
        assert shutil.which("turnserver"), "coturn is missing: run 'make test', which installs it"
        folder.mkdir(parents=True, exist_ok=True)
        # a network of its own has its own ports, all free
        self.port = 3478 if within else run_folder.free_port()
        self.address = (own, self.port)
        (folder / "turn_secret").write_text(SECRET + "\n")
        given = (FOLDER / "turnserver.conf").read_text()
        changes = {
            "listening-port=3478": f"listening-port={self.port}",
            "=/tmp/": f"={folder}/",
            **(other or {}),
        }
        (folder / "shipped.conf").write_text(_changed(given, changes))
        places = {
            "/etc/chatapp/turnserver.conf": f"{folder}/shipped.conf",
            "/run/secrets/": f"{folder}/",
            "/tmp/": f"{folder}/",
        }
        script = (FOLDER / "start.sh").read_text()
        (folder / "start.sh").write_text(_changed(script, places))
        super().__init__(
            [*within, "/bin/sh", str(folder / "start.sh")],
            folder,
            environment=environment(TURN_OWN_IP=own, TURN_PUBLIC_IP=PUBLIC),
            ready=self._listens,
        )

    def _listens(self) -> bool:
        return "auth thread" in self.log_text()


def _changed(text: str, changes: dict[str, str]) -> str:
    """All at once: what is put in may look like what is to be replaced."""
    for old in changes:
        assert old in text, f"{old!r} is not in the file"
    return re.sub("|".join(map(re.escape, changes)), lambda found: changes[found[0]], text)
