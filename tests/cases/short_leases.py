"""chatapp whose leases lapse after `LEASE` seconds, and to which a closed tab counts for `GRACE`:
`python -m tests.cases.short_leases` serves as usual otherwise."""

import os
import sys

from chatapp.realtime import redis_leases, tabs

COMMAND = (sys.executable, "-m", "tests.cases.short_leases")

if __name__ == "__main__":
    redis_leases.LEASE_SECONDS = float(os.environ["LEASE"])  # type: ignore[misc]
    tabs.GRACE_SECONDS = float(os.environ["GRACE"])  # type: ignore[misc]

    from chatapp.__main__ import main

    sys.exit(main())
