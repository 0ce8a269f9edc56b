"""Inside a process that looks at what strangers made (`helper.py`): little memory, few files, a few seconds of CPU for
each thing. A line of JSON asks, a line of JSON answers."""

import json
import math
import resource
import sys
from collections.abc import Callable
from typing import Any

Asked = dict[str, Any]


def confine(*, memory: int, file: int, files: int) -> None:
    """Bytes of memory and of one file that it writes, and how many files."""
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, file),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def serve(work: Callable[[Asked, Asked], None], nothing: Asked, seconds: int) -> None:
    """`work` puts what it finds into the answer, which begins as `nothing`, and raises what it likes."""
    for line in sys.stdin:
        _give_time(seconds)
        answer = dict(nothing)
        try:
            work(json.loads(line), answer)
        except Exception as error:  # noqa: BLE001  all of it means: nothing more
            answer["error"] = type(error).__name__
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _give_time(seconds: int) -> None:
    """CPU seconds count from the start of the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
