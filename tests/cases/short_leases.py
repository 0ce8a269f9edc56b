"""chatapp whose leases lapse after `LEASE` seconds, to which a closed tab counts for `GRACE`, and which asks every line
for a sign of life each `ROUND` seconds:
`python -m tests.cases.short_leases` serves as usual otherwise."""

import os
import sys

from chatapp.realtime import calls, pulse, redis_leases, tabs

COMMAND = (sys.executable, "-m", "tests.cases.short_leases")

if __name__ == "__main__":
    redis_leases.LEASE_SECONDS = float(os.environ["LEASE"])  # type: ignore[misc]
    tabs.GRACE_SECONDS = float(os.environ["GRACE"])  # type: ignore[misc]
    calls.GRACE_SECONDS = float(os.environ["GRACE"])  # type: ignore[misc]
    pulse.ROUND_SECONDS = int(os.environ.get("ROUND", "15"))  # type: ignore[misc]

    from chatapp.__main__ import main

    sys.exit(main())
