"""chatapp whose leases, and places in calls, lapse after `LEASE` seconds, to which a closed tab or a broken line counts
for `GRACE`, and which asks every line for a sign of life each `ROUND` seconds:
`python -m tests.cases.short_leases` serves as usual otherwise."""

import os
import sys

from chatapp.domain import calls as call_rules
from chatapp.realtime import calls, pulse, redis_leases, tabs

COMMAND = (sys.executable, "-m", "tests.cases.short_leases")

if __name__ == "__main__":
    redis_leases.LEASE_SECONDS = float(os.environ["LEASE"])  # type: ignore[misc]
    call_rules.LEASE_MS = int(float(os.environ["LEASE"]) * 1000)  # type: ignore[misc]
    calls.PUT_OFF_SECONDS = call_rules.LEASE_MS / 3000  # type: ignore[misc]
    tabs.GRACE_SECONDS = float(os.environ["GRACE"])  # type: ignore[misc]
    calls.GRACE_SECONDS = float(os.environ["GRACE"])  # type: ignore[misc]
    pulse.ROUND_SECONDS = int(os.environ.get("ROUND", "15"))  # type: ignore[misc]

    from chatapp.__main__ import main

    sys.exit(main())
