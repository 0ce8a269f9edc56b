"""Logs as JSON lines on standard output: time, level, logger, text, request id and a few named facts.

Never in a log: bodies, cookies, tokens, query strings, emails, SQL arguments. What may be said besides the
text is listed in `FACTS`; everything else is dropped here, whoever logs it.
"""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

request_id: ContextVar[str] = ContextVar("request_id", default="")

FACTS: Final = frozenset(
    {"method", "path", "status", "ms", "bytes", "code", "room", "user", "count", "port", "close"}
)
_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__)


class JsonLines(logging.Formatter):
    """One record, one line. Exceptions are written with their type and place, without their text:
    a driver's error text holds the values it choked on."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "text": record.getMessage(),
        }
        if known := request_id.get():
            line["request"] = known
        line.update(
            (name, value)
            for name, value in record.__dict__.items()
            if name in FACTS and name not in _STANDARD
        )
        if record.exc_info and record.exc_info[1]:
            line["error"] = _places(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def _places(error: BaseException) -> list[str]:
    """The chain of exceptions, each as its type and the file, line and function it came from."""
    lines: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(lines) < 40:
        lines.append(type(cause).__qualname__)
        trace = cause.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            lines.append(f"  {code.co_filename}:{trace.tb_lineno} {code.co_qualname}")
            trace = trace.tb_next
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return lines


def set_up(level: str) -> None:
    """Sends every logger of the process through `JsonLines`. `databases` logs arguments at DEBUG: kept shut."""
    out = logging.StreamHandler(sys.stdout)
    out.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "alembic"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # its lines hold query strings; ours do not
    # At INFO it writes two lines for each socket, one with path and query: thousands when all come back at once.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.getLevelName(level)))
    for name in ("databases", "aiosqlite", "asyncio", "sqlalchemy", "alembic", "websockets"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
