"""Networks of their own: islands that reach one server in the sea between them, and never each other.

Nothing of it has a name, so two runs do not meet. A network lives as long as the process that was started in it, which
ends with this one: it reads from a pipe that nobody writes to.
"""

import subprocess
from types import TracebackType
from typing import Final

SERVER: Final = "10.77.0.1"  # an address of the sea's own, which every island has a route to
AS_ROOT: Final = ("unshare", "--net")
AS_ANYBODY: Final = ("unshare", "--user", "--map-root-user", "--net")
REFUSED: Final = """This test makes networks of its own, and this machine refuses: %s
Run it as root, or let everybody make them: sysctl kernel.unprivileged_userns_clone=1 (Debian) or
kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)."""


class Network:
    """`within` before a command makes it run there."""

    def __init__(self, *start: str, user: bool) -> None:
        self._holder = subprocess.Popen(
            [*start, "sh", "-c", "echo there; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._holder.stdout
        self.is_there = self._holder.stdout.readline() == b"there\n"
        self.pid = self._holder.pid
        as_who = ("--user", "--preserve-credentials") if user else ()
        self.within = ("nsenter", f"--target={self.pid}", *as_who, "--net")

    def does(self, *command: str) -> str:
        done = subprocess.run([*self.within, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def reaches(self, address: str) -> bool:
        """Whether there is a route to an address."""
        ask = [*self.within, "ip", "route", "get", address]
        return subprocess.run(ask, capture_output=True, check=False).returncode == 0

    def sink(self) -> str:
        """Ends it. Returns what its process complained about."""
        _, complaint = self._holder.communicate()
        return complaint.decode().strip()


class Islands:
    """`with Islands(2) as (sea, islands):` The `n`-th island has the address 10.77.n.2."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._networks: list[Network] = []

    def __enter__(self) -> tuple[Network, list[Network]]:
        try:
            sea, user = self._sea()
            sea.does("ip", "link", "set", "lo", "up")
            sea.does("ip", "address", "add", f"{SERVER}/32", "dev", "lo")
            islands = [self._island(sea, number, user) for number in range(1, self._count + 1)]
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return sea, islands

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for network in self._networks:
            network.sink()

    def _sea(self) -> tuple[Network, bool]:
        for start in (AS_ROOT, AS_ANYBODY):
            user = start is AS_ANYBODY
            sea = Network(*start, user=user)
            if sea.is_there:
                self._networks.append(sea)
                return sea, user
            complaint = sea.sink()
        raise AssertionError(REFUSED % complaint)

    def _island(self, sea: Network, number: int, user: bool) -> Network:
        island = Network(*sea.within, "unshare", "--net", user=user)
        self._networks.append(island)
        assert island.is_there, REFUSED % "no second network"
        here, there = f"10.77.{number}.2", f"10.77.{number}.1"
        ends = ("type", "veth", "peer", "name", "sea", "netns", str(island.pid))
        sea.does("ip", "link", "add", f"island{number}", *ends)
        sea.does("ip", "address", "add", f"{there}/30", "dev", f"island{number}")
        sea.does("ip", "link", "set", f"island{number}", "up")
        for end in ("lo", "sea"):
            island.does("ip", "link", "set", end, "up")
        island.does("ip", "address", "add", f"{here}/30", "dev", "sea")
        island.does("ip", "route", "add", f"{SERVER}/32", "via", there)
        return island
