"""A real Janus that runs the very files of deploy/janus; only ports, addresses and folders are other ones."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from chatapp.realtime.janus import Janus, JanusRefused, Said
from tests.support import run_folder
from tests.support.process import Process, environment

FOLDER = run_folder.ROOT / "deploy" / "janus"
SECRET = "janus-opens-to-whoever-says-this"


def own_address() -> str:
    """Of this machine, as others see it: Janus does not use the loopback. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.connect(("192.0.2.1", 9))
        return str(line.getsockname()[0])


class JanusServer(Process):
    def __init__(self, folder: Path) -> None:
        assert shutil.which("janus"), "Janus is missing: run 'make test', which installs it"
        self.port = run_folder.free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self.settings = {"JANUS_URL": self.url, "JANUS_SECRET": SECRET}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "janus_secret").write_text(SECRET + "\n")
        places = {
            "/etc/chatapp": str(folder),
            "/run/secrets": str(folder),
            "/tmp": str(folder),
            "8188": str(self.port),
            'rtp_port_range = "49400-49599"': "",  # several at a time
        }
        for file in [*FOLDER.glob("*.jcfg"), FOLDER / "start.sh"]:
            text = file.read_text()
            for old, new in places.items():
                text = text.replace(old, new)
            (folder / file.name).write_text(text)
        given = environment(
            JANUS_API_IP="127.0.0.1", JANUS_MEDIA_IP=own_address(), JANUS_PUBLIC_IP=own_address()
        )
        argv = ["/bin/sh", str(folder / "start.sh")]
        # There it may leave its core, which is large, when whoever runs the tests ends them.
        super().__init__(argv, folder, environment=given, cwd=folder, ready=self._answers)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    async def people(self, room: int) -> list[str] | None:
        """Whose tabs are in a room, by token; None: there is no such room."""
        async with speaking(self.url) as ours:
            while not ours.is_there:
                await asyncio.sleep(0.02)
            handle = await ours.attach(ignore)
            try:
                said = await handle.ask({"request": "listparticipants", "room": room})
            except JanusRefused:
                return None
            return sorted(one["display"] for one in said.content["participants"])

    async def comes_to(self, room: int, people: list[str] | None) -> None:
        """Waits until it is so."""
        async with asyncio.timeout(20):
            while await self.people(room) != people:
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def speaking(url: str, secret: str = SECRET) -> AsyncIterator[Janus]:
    """A door that is opened; it may take a while, or never happen."""
    made = Janus(url, secret)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def ignore(_said: Said | None) -> None:
    """Nothing matters."""
