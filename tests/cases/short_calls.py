"""chatapp in whose calls a place lapses after `LEASE` seconds, and a broken line counts for `GRACE`:
`python -m tests.cases.short_calls` serves as usual otherwise."""

import os
import sys

from chatapp.domain import calls as rules
from chatapp.realtime import calls

COMMAND = (sys.executable, "-m", "tests.cases.short_calls")

if __name__ == "__main__":
    rules.LEASE_MS = int(os.environ["LEASE"]) * 1000  # type: ignore[misc]
    calls.PUT_OFF_SECONDS = rules.LEASE_MS / 3000  # type: ignore[misc]
    calls.GRACE_SECONDS = float(os.environ["GRACE"])  # type: ignore[misc]

    from chatapp.__main__ import main

    sys.exit(main())
