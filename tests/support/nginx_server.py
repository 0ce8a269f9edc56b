"""A real nginx on a free port, with all its files in a scratch folder."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support import run_folder
from tests.support.process import Process, environment

# The plainest proxy there is. A test of deploy/'s own configuration passes that instead.
PROXY = """
    location / {
        proxy_pass http://chatapp;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_read_timeout 60s;
    }
"""

AROUND = """
%(user)s
daemon off;
worker_processes 1;
pid %(folder)s/pid;
error_log stderr warn;
events { worker_connections 2048; }
http {
    access_log off;
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    upstream chatapp { %(upstreams)s }
    server {
        listen 127.0.0.1:%(port)s;
        %(server)s
    }
}
"""


def program() -> str:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert found, "nginx is missing: run 'make test', which installs it"
    return found


class NginxServer(Process):
    """`upstreams` are host:port or http:// addresses; `server` is the body of the server block."""

    def __init__(self, folder: Path, *, upstreams: Sequence[str], server: str = PROXY) -> None:
        self.port = run_folder.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "nginx.conf"
        self.configure(upstreams=upstreams, server=server)
        argv = [program(), "-p", str(folder), "-e", "stderr", "-c", str(self._file)]
        super().__init__(argv, folder, environment=environment(), ready=self._answers)

    def configure(self, *, upstreams: Sequence[str], server: str = PROXY) -> None:
        """Takes effect at the start, or with `reload`."""
        values = {
            "folder": self._file.parent,
            "port": self.port,
            "server": server,
            "upstreams": " ".join(f"server {up.removeprefix('http://')};" for up in upstreams),
            "user": "user root;" if os.geteuid() == 0 else "",
        }
        self._file.write_text(AROUND % values)

    def reload(self) -> None:
        checked = subprocess.run([*self.argv, "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        self.signal(signal.SIGHUP)

    def _answers(self) -> bool:
        with socket.socket() as line:
            line.settimeout(1)
            return line.connect_ex(("127.0.0.1", self.port)) == 0
