"""A real server that speaks S3, on a free port, with one bucket; it keeps everything in memory."""

import contextlib
import sys
from pathlib import Path

import httpx

from tests.support import run_folder
from tests.support.process import Process, environment

BUCKET = "files"


class ObjectServer(Process):
    def __init__(self, folder: Path) -> None:
        self.port = run_folder.free_port()
        self.url = f"http://key:secret@127.0.0.1:{self.port}/{BUCKET}"
        program = Path(sys.executable).with_name("moto_server")
        argv = [sys.executable, str(program), "-H", "127.0.0.1", "-p", str(self.port)]
        super().__init__(
            argv, folder, environment=environment(), ready=self._answers, patience=60.0
        )

    def _answers(self) -> bool:
        """Makes the bucket as soon as somebody is there."""
        scope = "Credential=key/20260101/us-east-1/s3/aws4_request"
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.put(
                f"http://127.0.0.1:{self.port}/{BUCKET}",
                headers={"Authorization": f"AWS4-HMAC-SHA256 {scope}"},
            )
            return answer.status_code == 200
        return False
