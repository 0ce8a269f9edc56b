"""chatapp with one weak moment: `python -m tests.faults.dies_before_publish` serves as usual, and is gone as after
`kill -9` between the COMMIT of a message that holds `LAST_WORDS` and the first word of it to anybody."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from chatapp.__main__ import main
from chatapp.domain.commands import Committed
from chatapp.domain.posts import Outcome
from chatapp.realtime.fanout import Fanout
from chatapp.realtime.writer import Writer

COMMAND = (sys.executable, "-m", "tests.faults.dies_before_publish")
LAST_WORDS = "last words"

_answer = Writer._answer
_publish = Fanout.publish
_unanswered: list[tuple[Writer, Sequence[Any], Sequence[Outcome]]] = []


def _answer_later(writer: Writer, batch: Sequence[Any], outcomes: Sequence[Outcome]) -> None:
    """An answer is on its way at once, so it must wait until it is known whether anybody lives to give it."""
    _unanswered.append((writer, batch, outcomes))


def _publish_or_die(self: Fanout, committed: Committed) -> None:
    if any(LAST_WORDS in message.body for message in committed.messages):
        os.kill(os.getpid(), signal.SIGKILL)
    while _unanswered:
        _answer(*_unanswered.pop(0))
    _publish(self, committed)


if __name__ == "__main__":
    Writer._answer = _answer_later  # type: ignore[method-assign, assignment]
    Fanout.publish = _publish_or_die  # type: ignore[method-assign]
    sys.exit(main())
