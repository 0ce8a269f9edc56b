"""chatapp on a machine whose clock is wrong: `python -m tests.faults.wrong_clock` serves as usual, but believes that it
is `HOURS` later than it is. Durations are as they are everywhere: no clock that is set changes them."""

import os
import sys
import time

COMMAND = (sys.executable, "-m", "tests.faults.wrong_clock")

_right = time.time


def _wrong() -> float:
    return _right() + float(os.environ["HOURS"]) * 3600


if __name__ == "__main__":
    time.time = _wrong  # before anybody takes it from there

    from chatapp.__main__ import main

    sys.exit(main())
