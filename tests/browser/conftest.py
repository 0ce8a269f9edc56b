"""Ann, Ben and their room; and the browser's modules, one by one, in a real browser but without the app."""

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.browser.meeting import Meet, Meeting, leaves_something
from tests.support import chromium
from tests.support.chromium import Person
from tests.support.fixtures import FAILED, SCREENS

STATIC = Path(__file__).parents[2] / "chatapp" / "static"

Run = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session")
async def meeting(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Meeting]:
    kept = Meeting(browser, tmp_path_factory.mktemp("meeting"))
    yield kept
    await kept.close()


@pytest.fixture
async def meet(request: pytest.FixtureRequest, meeting: Meeting) -> AsyncIterator[Meet]:
    """Ann, Ben and a room of theirs, for whoever needs nobody and nothing else."""
    yield meeting
    has_failed = request.node.stash.get(FAILED, False)
    if has_failed:
        await meeting.screenshots(SCREENS, request.node.nodeid)
    is_whole = not has_failed and not leaves_something(request.function)
    if wrong := await meeting.end(is_whole=is_whole):
        pytest.fail("\n".join(["the browser or the server complained:", *wrong]), pytrace=False)


class _Files(SimpleHTTPRequestHandler):
    """The static folder, and one empty page to import from."""

    def do_GET(self) -> None:
        if self.path in {"/", "/favicon.ico"}:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"<!doctype html><html lang=en><title>modules</title>")
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture(scope="session")
def files() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(STATIC))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
async def readers() -> AsyncIterator[dict[str, Person]]:
    """By time zone, with a page that is loaded again for each question: modules begin anew with it."""
    people: dict[str, Person] = {}
    yield people
    for somebody in people.values():
        await somebody.context.close()


@pytest.fixture
async def run(browser: Browser, readers: dict[str, Person], files: str) -> AsyncIterator[Run]:
    """await run('log', 'body using `m`', zone) gives what the body returns."""

    async def evaluate(module: str, body: str, zone: str = "UTC") -> Any:
        if zone not in readers:
            readers[zone] = await chromium.arrive(browser, "Ann", files, timezone_id=zone)
        await readers[zone].goto("/")
        return await readers[zone].page.evaluate(
            f"async () => {{ const m = await import('/js/{module}.js'); {body} }}"
        )

    yield evaluate
    problems = [problem for somebody in readers.values() for problem in somebody.unexpected()]
    for somebody in readers.values():
        somebody.problems.clear()
    if problems:
        pytest.fail("the browser complained:\n" + "\n".join(problems), pytrace=False)


Check = Callable[..., Awaitable[None]]


@pytest.fixture
def check(run: Run) -> Check:
    """await check('limits', {'m.judge("")': …}, zone): each of these words gives this."""

    async def compare(module: str, expected: dict[str, Any], zone: str = "UTC") -> None:
        values = await run(module, f"return [{', '.join(expected)}];", zone)
        assert dict(zip(expected, values, strict=True)) == expected

    return compare
