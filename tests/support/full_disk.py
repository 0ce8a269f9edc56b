"""A disk of a few megabytes, to be filled to the last page: a tmpfs, which only root may mount."""

import contextlib
import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

# Unmounts when its input ends: because `unmount` closes it, or because the test's process is gone, however it ended.
KEEPER = """
$1 mount -t tmpfs -o "$2" small-disk "$3" || exit 1
echo mounted
read -r _
$1 umount "$3" 2>&1 || $1 umount -l "$3"
"""
NEEDED = (
    "This test mounts a small tmpfs. Run it as root with the right to mount (in a container that "
    "is CAP_SYS_ADMIN), or as somebody whom sudo lets 'mount' and 'umount' without a password."
)


class SmallDisk:
    """Mounted over the empty folder it is given, until `unmount`."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        command = "" if os.geteuid() == 0 else "sudo -n"
        options = f"size={megabytes}m,mode=0755,uid={os.geteuid()},gid={os.getegid()}"
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "keeper", command, options, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        assert self._keeper.stdout is not None
        said = self._keeper.stdout.readline()
        if said != "mounted\n":
            rest, _ = self._keeper.communicate()
            raise AssertionError(f"{NEEDED} The attempt said: {said}{rest}")

    def unmount(self) -> None:
        """Also when somebody still uses it: then it is gone with the last who does."""
        said, _ = self._keeper.communicate()
        assert self._keeper.returncode == 0, f"{self.folder} is still mounted: {said}"

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """Not a page is free for the time of the block: what others give back is taken at once."""
        over = threading.Event()

        def keep() -> None:
            while not over.wait(0.05):
                self._fill()

        self._fill()
        keeping = threading.Thread(target=keep)
        keeping.start()
        try:
            yield
        finally:
            over.set()
            keeping.join()
            self._ballast.unlink()

    def _fill(self) -> None:
        file = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            for size in (1024 * 1024, 4096):
                _write_while_it_fits(file, bytes(size))
        finally:
            os.close(file)


def _write_while_it_fits(file: int, block: bytes) -> None:
    try:
        while True:
            os.write(file, block)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
