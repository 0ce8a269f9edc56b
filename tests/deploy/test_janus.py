"""deploy/janus on a real Janus: every other test of large calls runs these files too."""

import os
import re
import subprocess
from pathlib import Path

from tests.deploy.linters import check
from tests.support.janus_server import FOLDER, SECRET, JanusServer


def test_it_starts_with_what_it_needs_alone_and_the_secret_is_in_nobodys_sight(janus: JanusServer):
    said = janus.log_text()
    assert "[ERR]" not in said
    assert "Problem" not in said
    libraries = Path(f"/proc/{janus.pid}/maps").read_text()
    assert set(re.findall(r"libjanus_(\w+)\.so", libraries)) == {"videoroom", "websockets"}
    assert SECRET not in said
    assert SECRET not in Path(f"/proc/{janus.pid}/cmdline").read_text()
    assert (janus.folder / "secret.jcfg").stat().st_mode & 0o077 == 0


def test_without_a_public_address_it_says_what_is_missing():
    done = subprocess.run(
        ["/bin/sh", str(FOLDER / "start.sh")],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "CHATAPP_JANUS_IP" in done.stderr


def test_hadolint_finds_nothing_in_its_dockerfile():
    check("hadolint", "deploy/janus/Dockerfile")
