"""Linters that came with the development packages, beside the Python that runs the tests."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.run_folder import ROOT


def check(program: str, *words: str | Path) -> None:
    """Fails with all that the program says."""
    found = shutil.which(program, path=Path(sys.executable).parent)
    assert found, f"{program} is missing: run 'make dev'"
    done = subprocess.run(
        [found, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
