"""chatapp with one weak moment: `python -m tests.faults.dies_before_publish` serves as usual, and is gone as after
`kill -9` between the COMMIT of a message that holds `LAST_WORDS` and the first word of it to anybody."""

import os
import signal
import sys

from chatapp.__main__ import main
from chatapp.domain.commands import Committed
from chatapp.realtime.fanout import Fanout

COMMAND = (sys.executable, "-m", "tests.faults.dies_before_publish")
LAST_WORDS = "last words"

_publish = Fanout.publish


def _publish_or_die(self: Fanout, committed: Committed) -> None:
    if any(LAST_WORDS in message.body for message in committed.messages):
        os.kill(os.getpid(), signal.SIGKILL)
    _publish(self, committed)


if __name__ == "__main__":
    Fanout.publish = _publish_or_die  # type: ignore[method-assign]
    sys.exit(main())
