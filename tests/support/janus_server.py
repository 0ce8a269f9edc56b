"""A real Janus on a free port: its API over a WebSocket, the plugin videoroom, and nothing else."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from chatapp.realtime.janus import Janus, JanusRefused, Said
from tests.support import run_folder
from tests.support.process import Process, environment

SECRET = "janus-opens-to-whoever-says-this"

CONFIG = {
    "janus.jcfg": """
general: {{
  api_secret = "{secret}"
  hide_dependencies = true
  debug_level = 3
  debug_timestamps = true
}}
nat: {{ ice_ignore_list = "vmnet" }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
loggers: {{ disable = "libjanus_jsonlog.so" }}
""",
    "janus.transport.websockets.jcfg": """
general: {{ json = "compact", ws = true, ws_port = {port}, ws_ip = "127.0.0.1", wss = false }}
admin: {{ admin_ws = false, admin_wss = false }}
""",
    "janus.plugin.videoroom.jcfg": "general: {{ }}\n",
}


def _disabled(names: str) -> str:
    return ",".join(f"libjanus_{name}.so" for name in names.split())


class JanusServer(Process):
    def __init__(self, folder: Path, secret: str = SECRET) -> None:
        program = shutil.which("janus")
        assert program, "Janus is missing: run 'make test', which installs it"
        self.port = run_folder.free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self.settings = {"JANUS_URL": self.url, "JANUS_SECRET": secret}
        values = {
            "secret": secret,
            "port": str(self.port),
            "plugins": _disabled(
                "audiobridge duktape echotest lua nosip recordplay sip streaming textroom "
                "videocall voicemail"
            ),
            "transports": _disabled("http mqtt nanomsg pfunix rabbitmq"),
        }
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in CONFIG.items():
            (folder / name).write_text(content.format(**values))
        argv = [program, f"--configs-folder={folder}", f"--config={folder / 'janus.jcfg'}"]
        super().__init__(argv, folder, environment=environment(), ready=self._answers)

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
