"""Logs: JSON lines that say enough, and nothing that people wrote."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from chatapp import logs
from chatapp.logs import FACTS, JsonLines, request_id

CANARY = "canary-7f3a"


def line(level=logging.INFO, text="it happened", *values, error=None, **facts):
    info = None
    if error is not None:
        info = (type(error), error, error.__traceback__)
    record = logging.getLogger("chatapp.test").makeRecord(
        "chatapp.test", level, __file__, 1, text, values, info, extra=facts
    )
    shown = JsonLines().format(record)
    assert "\n" not in shown
    return json.loads(shown)


def raised(error, cause=None):
    try:
        try:
            if cause is not None:
                raise cause
        finally:
            raise error
    except Exception as caught:  # noqa: BLE001  whatever it was is what we want
        return caught


def test_a_line_says_when_how_bad_who_and_what():
    shown = line(logging.WARNING, "%s went %d times", "it", 3)
    assert shown.pop("at").endswith("+00:00")
    assert shown == {"level": "WARNING", "logger": "chatapp.test", "text": "it went 3 times"}


def test_facts_are_added_and_everything_else_is_dropped():
    shown = line(status=200, ms=12, body=CANARY, email=CANARY, cookie=CANARY, token=CANARY)
    assert (shown["status"], shown["ms"]) == (200, 12)
    assert CANARY not in json.dumps(shown)
    assert not FACTS & {"body", "email", "cookie", "token", "query", "password", "name"}


def test_a_text_with_line_breaks_stays_one_line():
    assert line(text="one\ntwo\u2028three")["text"] == "one\ntwo\u2028three"


def test_an_exception_is_placed_but_not_quoted():
    inner = ValueError(f"DETAIL: Key (email)=({CANARY}) already exists")
    shown = line(logging.ERROR, error=raised(RuntimeError(CANARY), cause=inner))
    assert CANARY not in json.dumps(shown)
    places = shown["error"]
    assert "RuntimeError" in places
    assert "ValueError" in places, "the cause too"
    assert any(place.endswith(" raised") and "test_logs.py:" in place for place in places)


def test_an_endless_chain_of_exceptions_ends():
    error = RuntimeError("0")
    for n in range(100):
        error = raised(RuntimeError(str(n)), cause=error)
    assert len(line(error=error)["error"]) < 50


def test_a_request_is_named():
    token = request_id.set("r-1")
    try:
        assert line()["request"] == "r-1"
    finally:
        request_id.reset(token)
    assert "request" not in line()


def test_values_that_json_does_not_know_are_written_as_text():
    assert line(path=b"/x")["path"] == "b'/x'"


@pytest.fixture
def fresh() -> Iterator[None]:
    """What `set_up` changes, put back."""
    names: tuple[str, ...] = ("uvicorn", "uvicorn.error", "uvicorn.access", "alembic")
    names += ("databases", "aiosqlite", "asyncio", "sqlalchemy", "websockets")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = {n: (logging.getLogger(n).level, logging.getLogger(n).disabled) for n in names}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, (old_level, disabled) in before.items():
        logging.getLogger(name).setLevel(old_level)
        logging.getLogger(name).disabled = disabled


def test_all_loggers_write_json_and_those_that_tell_too_much_are_kept_shut(
    fresh, capsys, monkeypatch
):
    logs.set_up("DEBUG")
    logging.getLogger().handlers[0].setStream(sys.stdout)  # type: ignore[attr-defined]
    logging.getLogger("uvicorn.error").info(
        CANARY
    )  # two lines for each socket, one with its address
    logging.getLogger("uvicorn.error").warning("one")
    logging.getLogger("uvicorn.access").info(CANARY)
    for name in ("databases", "aiosqlite", "sqlalchemy.engine", "asyncio", "websockets.server"):
        logging.getLogger(name).info(CANARY)
    logging.getLogger("chatapp.x").debug("two")
    logging.getLogger("sqlalchemy").warning("three")
    out = capsys.readouterr()
    texts = [json.loads(each)["text"] for each in out.out.splitlines()]
    assert texts == ["one", "two", "three"]
    assert CANARY not in out.err


async def test_nothing_that_people_wrote_is_in_the_log_of_a_server(serve, tmp_path):
    import httpx

    server = await serve(LOG_LEVEL="DEBUG")
    like_a_browser = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(base_url=server.url, headers=like_a_browser) as ann:
        form = {
            "name": f"Ann {CANARY}",
            "email": f"{CANARY}@people.example",
            "password": f"{CANARY} horse battery",
        }
        assert (await ann.post("/sign-up", data=form)).status_code == 303
        cookie = ann.cookies["sid"]
        made = await ann.post("/rooms", data={"name": f"Lab {CANARY}", "topic": CANARY})
        room = made.headers["location"]
        key = "00000000-0000-4000-8000-000000000001"
        await ann.post(f"{room}/messages", data={"body": CANARY, "key": key})
        await ann.post(f"{room}/messages", data={"body": f"{CANARY}\0", "key": key})
        await ann.post("/sign-in", data={**form, "password": f"wrong {CANARY}"})
        assert (await ann.get(f"/rooms?q={CANARY}")).status_code == 200
        assert (await ann.get(f"/nothing?{CANARY}")).status_code == 404
        for path in (
            f"/invite/{CANARY}",
            f"/recover/{CANARY}",
            f"/join/{CANARY}",
        ):  # a link that lets people in
            assert (await ann.get(path)).status_code == 404
    log = server.log_text()
    assert CANARY not in log
    assert cookie not in log
    texts = [entry for entry in server.lines() if "status" in entry]
    assert len(texts) >= 7
    assert all(entry.get("request") for entry in texts)
