"""chatapp whose leases lapse after `LEASE` seconds: `python -m tests.cases.short_leases` serves as usual."""

import os
import sys

from chatapp.realtime import redis_leases

COMMAND = (sys.executable, "-m", "tests.cases.short_leases")

if __name__ == "__main__":
    redis_leases.LEASE_SECONDS = float(os.environ["LEASE"])  # type: ignore[misc]

    from chatapp.__main__ import main

    sys.exit(main())
