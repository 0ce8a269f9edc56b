"""A real nginx that runs the very files of deploy/nginx; only hosts, ports and folders are other ones."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support import run_folder
from tests.support.nginx_server import program
from tests.support.process import Process, environment

FOLDER = run_folder.ROOT / "deploy" / "nginx"
NOBODY = "127.0.0.1:1"  # an address at which nobody ever answers

# What a distribution's nginx has compiled in, for a folder of our own.
COMPILED_IN = """http {
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
"""


def text(name: str) -> str:
    return (FOLDER / name).read_text()


def distrust_seconds() -> int:
    """For how long nginx asks no replica that has failed it: deploy.sh waits longer between two."""
    return max(map(int, re.findall(r"fail_timeout=(\d+)s", text("nginx.conf"))))


def value(name: str, file: str, after: str) -> str:
    """What a shipped file gives a directive in the block that begins with `after`."""
    found = re.search(rf"^ *{name} ([^;]+);", text(file).split(after)[1], re.MULTILINE)
    assert found, f"{name} in {file}"
    return found[1]


class ShippedNginx(Process):
    """In front of some replicas. `other`: pieces of the shipped files, and what stands in their place; each piece
    must be there. With `tls`, the servers of tls.conf.example take the place of the plain one."""

    def __init__(
        self,
        folder: Path,
        replicas: Sequence[str],
        other: dict[str, str] | None = None,
        tls: bool = False,
    ) -> None:
        self.port, self.redirect_port = run_folder.free_port(), run_folder.free_port()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self.host = f"127.0.0.1:{self.port}"
        self.access_log = folder / "access.log"
        if folder.exists():
            shutil.rmtree(folder)
        shutil.copytree(FOLDER, folder)
        hosts = [replica.removeprefix("http://") for replica in replicas]
        sockets = "\n".join(f"server {host} max_fails=0;" for host in hosts[1:])
        second = "\n".join(f"server {host} max_fails=2 fail_timeout=2s;" for host in hosts[1:])
        changes = {
            "http {\n": COMPILED_IN % {"folder": folder},
            "worker_processes auto": "worker_processes 2",  # and not more on a larger machine
            "app-1:8000": hosts[0],
            "server app-2:8000 max_fails=2 fail_timeout=2s;": second or f"server {NOBODY};",
            "server app-2:8000 max_fails=0;": sockets or f"server {NOBODY} max_fails=0;",
            "/etc/nginx/": f"{folder}/",
            "/var/log/nginx/": f"{folder}/",
            **self._listening(tls),
            **(other or {}),
        }
        if tls:
            plain = re.compile(r"^    server \{\n.*?^    \}\n", re.MULTILINE | re.DOTALL)
            shipped, count = plain.subn("    include tls.conf.example;\n", text("nginx.conf"))
            assert count == 1
            (folder / "nginx.conf").write_text(shipped)
            _sign_for_yourself(folder / "tls")
        _change([*folder.glob("*.conf*")], changes)
        main = folder / "nginx.conf"
        user = "user root;\n" if os.geteuid() == 0 else ""
        main.write_text(f"{user}daemon off;\npid {folder}/pid;\n{main.read_text()}")
        argv = [program(), "-p", str(folder), "-e", "stderr", "-c", str(main)]
        super().__init__(argv, folder, environment=environment(), ready=self._answers)

    def _listening(self, tls: bool) -> dict[str, str]:
        if not tls:
            return {"listen 80 ": f"listen {self.host} "}
        return {
            "listen 80 ": f"listen 127.0.0.1:{self.redirect_port} ",
            "listen 443 ": f"listen {self.host} ",
        }

    def check(self) -> subprocess.CompletedProcess[str]:
        """What `nginx -t` says."""
        return subprocess.run([*self.argv, "-t"], capture_output=True, text=True, check=False)

    def visits_so_far(self, **like: str | int) -> list[dict[str, Any]]:
        """The lines of the access log that have these values."""
        visits = map(json.loads, self.access_log.read_text().splitlines())
        return [visit for visit in visits if like.items() <= visit.items()]

    async def visits(self, count: int, **like: str | int) -> list[dict[str, Any]]:
        """The first of them, once there are so many: a line may be written after its answer has come."""
        async with asyncio.timeout(30):
            while len(found := self.visits_so_far(**like)) < count:
                await asyncio.sleep(0.02)
        return found[:count]

    def _answers(self) -> bool:
        with socket.socket() as line:
            line.settimeout(1)
            return line.connect_ex(("127.0.0.1", self.port)) == 0


def _change(files: Sequence[Path], changes: dict[str, str]) -> None:
    texts = {file: file.read_text() for file in files}
    for old, new in changes.items():
        assert any(old in content for content in texts.values()), f"{old!r} is not in the files"
        texts = {file: content.replace(old, new) for file, content in texts.items()}
    for file, content in texts.items():
        file.write_text(content)


def _sign_for_yourself(folder: Path) -> None:
    folder.mkdir()
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:chat.example.org"]
    command += ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run(command, check=True, capture_output=True)
