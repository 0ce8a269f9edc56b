"""People without a socket, in a process of their own: page loads, sign-ins, and a probe of the event loop.

    python -m benchmarks.visitors PORT SECONDS ROOM COOKIE

Open loop: `PAGES` room pages, `SIGN_INS` sign-ins and `PROBES` GET /up a second, each kind by threads with kept
connections. Prints one JSON object: quantiles of each in milliseconds, counted from when it was due.
"""

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks.loops import times
from benchmarks.people import PASSWORD, email
from benchmarks.people import SIGN_INS as ACCOUNTS

PAGES: Final = 10.0  # a second
SIGN_INS: Final = 1.0
PROBES: Final = 50.0
Ask = Callable[[http.client.HTTPConnection, int], int]


class Kind:
    """One kind of request: `ask` sends the n-th and returns its status, which must be `wanted`."""

    def __init__(self, name: str, rate: float, wanted: int, threads: int, ask: Ask) -> None:
        self.name, self.rate, self.wanted, self.threads, self.ask = name, rate, wanted, threads, ask
        self.waits: list[float] = []
        self.failed = 0
        self._next = 0
        self._lock = threading.Lock()

    def work(self, port: int, started: float, until: float) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with self._lock:
                number, self._next = self._next, self._next + 1
            due = started + number / self.rate
            if due >= until:
                line.close()
                return
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                status = self.ask(line, number)
            except (OSError, http.client.HTTPException):
                line.close()
                status = 0
            self.waits.append(time.perf_counter() - due)
            self.failed += status != self.wanted


def read(line: http.client.HTTPConnection) -> int:
    answer = line.getresponse()
    answer.read()
    return answer.status


def kinds(port: int, room: str, cookie: str) -> list[Kind]:
    def page(line: http.client.HTTPConnection, _: int) -> int:
        line.request("GET", f"/rooms/{room}", headers={"Cookie": cookie})
        return read(line)

    def probe(line: http.client.HTTPConnection, _: int) -> int:
        line.request("GET", "/up")
        return read(line)

    def sign_in(line: http.client.HTTPConnection, number: int) -> int:
        form = urlencode({"email": email(number % ACCOUNTS), "password": PASSWORD})
        headers = {
            "Origin": f"http://127.0.0.1:{port}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        line.request("POST", "/sign-in", form, headers)
        return read(line)

    return [
        Kind("page", PAGES, 200, 4, page),
        Kind("sign_in", SIGN_INS, 303, 4, sign_in),
        Kind("up", PROBES, 200, 4, probe),
    ]


def visit(port: int, seconds: float, room: str, cookie: str) -> dict[str, Any]:
    started = time.perf_counter() + 0.1
    everything = kinds(port, room, cookie)
    threads = [
        threading.Thread(target=kind.work, args=(port, started, started + seconds))
        for kind in everything
        for _ in range(kind.threads)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found: dict[str, Any] = {}
    for kind in everything:
        found |= times(kind.name, kind.waits)
        found[f"{kind.name}_count"] = len(kind.waits)
        found[f"{kind.name}_failed"] = kind.failed
    return found


if __name__ == "__main__":
    print(json.dumps(visit(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4])))
