"""The fixtures that every test may ask for. What they hand out lies beside this file.

One event loop serves a worker's whole session, so that browser, servers and tests never meet on
different ones; a test that leaves a task of chatapp's behind fails.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from playwright.async_api import Browser

from tests.support import chromium, databases, postgres_server, run_folder, warm
from tests.support.asgi import Site, lifespan
from tests.support.chat_server import ChatServer
from tests.support.janus_server import JanusServer
from tests.support.nginx_server import PROXY, NginxServer
from tests.support.postgres_server import PostgresServer
from tests.support.process import Process
from tests.support.redis_server import RedisServer

SCREENS = run_folder.ROOT / ".cache/screens"
OURS = f"{run_folder.ROOT}/chatapp/"
FAILED = pytest.StashKey[bool]()


Doomed = list[Callable[[], None]]


class MakeSite(Protocol):
    def __call__(
        self, clock: Any = None, password_cost: int = 4, **settings: str
    ) -> Awaitable[Site]: ...


class Serve(Protocol):
    def __call__(self, **settings: str) -> Awaitable[ChatServer]: ...


class Arrive(Protocol):
    def __call__(self, name: str, where: Any, **options: Any) -> Awaitable[chromium.Person]: ...


@pytest.fixture(scope="session", autouse=True)
def _what_is_compiled_is_kept() -> None:
    warm.share()


# -- databases ----------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> PostgresServer:
    """The run's PostgreSQL, shared by all tests: never stop it. See `own_postgres`."""
    return postgres_server.shared()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own, which syncs to disk and may be stopped, paused and killed."""
    server = PostgresServer(run_folder.path() / databases.new_name(), durable=True)
    server.create()
    server.start()
    yield server
    server.close()


@pytest.fixture
def doomed() -> Iterator[Doomed]:
    """What is thrown away after everything that uses it has stopped, in whatever order a test
    asked for them."""
    work: Doomed = []
    yield work
    for throw_away in work:
        throw_away()


@pytest.fixture
def postgresql_url(postgres: PostgresServer, doomed: Doomed) -> str:
    name, url = databases.postgresql(postgres)
    doomed.append(lambda: postgres.drop_database(name))
    return url


@pytest.fixture
def empty_postgresql_url(postgres: PostgresServer, doomed: Doomed) -> str:
    """Without any table: for tests of the migrations."""
    name = databases.new_name()
    postgres.create_database(name)
    doomed.append(lambda: postgres.drop_database(name))
    return postgres.url(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return databases.sqlite(tmp_path / "sqlite")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A test that asks for this runs twice, each time with a fresh, migrated database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


# -- other servers ------------------------------------------------------------


@pytest.fixture
def stack(doomed: Doomed) -> Iterator[list[Process]]:
    """What was started, to be stopped in reverse order, before any database goes."""
    started: list[Process] = []
    yield started
    for process in reversed(started):
        process.close()


@pytest.fixture
def redis(tmp_path: Path, stack: list[Process]) -> RedisServer:
    """A Redis of the test's own: stop, kill, pause and start it at will."""
    server = RedisServer(tmp_path / "redis")
    stack.append(server)
    server.start()
    return server


@pytest.fixture
def janus(tmp_path: Path, stack: list[Process]) -> JanusServer:
    """A Janus of the test's own."""
    server = JanusServer(tmp_path / "janus")
    stack.append(server)
    server.start()
    return server


@pytest.fixture
def nginx(tmp_path: Path, stack: list[Process]) -> Callable[..., NginxServer]:
    """nginx([server.url, …]) puts one in front of them; its second argument is a server block."""
    numbers = itertools.count(1)

    def start(upstreams: list[str], server: str = PROXY) -> NginxServer:
        folder = tmp_path / f"nginx-{next(numbers)}"
        started = NginxServer(folder, upstreams=upstreams, server=server)
        stack.append(started)
        started.start()
        return started

    return start


@pytest.fixture
def serve(request: pytest.FixtureRequest, tmp_path: Path, stack: list[Process]) -> Iterator[Serve]:
    """await serve(DATABASE_URL=…, …) starts a real chatapp, by default on a SQLite of its own."""
    servers: list[ChatServer] = []

    async def start(**settings: str) -> ChatServer:
        server = ChatServer(tmp_path / f"chatapp-{len(servers) + 1}", **settings)
        servers.append(server)
        stack.append(server)
        await asyncio.to_thread(server.start)
        return server

    yield start
    for server in servers:
        server.close()
    failed = request.node.stash.get(FAILED, False)
    if not failed and request.node.get_closest_marker("expects_errors") is None:
        errors = [error for server in servers for error in server.errors()]
        if errors:
            logs = "\n\n".join(server.log_end() for server in servers)
            pytest.fail(f"errors in the server's log: {errors}\n\n{logs}", pytrace=False)


# -- chatapp in this process --------------------------------------------------


@pytest.fixture
async def make_site(tmp_path: Path, doomed: Doomed) -> AsyncIterator[MakeSite]:
    """await make_site(DATABASE_URL=…, …) starts chatapp in this process, with cheap passwords.
    A clock=… is handed to it."""
    from chatapp.app import create_app
    from chatapp.settings import Settings

    numbers = itertools.count(1)
    async with AsyncExitStack() as running:

        async def start(clock: Any = None, password_cost: int = 4, **given: str) -> Site:
            folder = tmp_path / f"site-{next(numbers)}"
            settings = Settings.from_env({"DATA_DIR": str(folder), **given})
            app = create_app(settings, clock=clock, password_cost=password_cost)
            site = Site(app, await running.enter_async_context(lifespan(app)), settings)
            running.push_async_callback(site.close)
            return site

        yield start


@pytest.fixture
async def site(make_site: MakeSite, database_url: str) -> Site:
    """chatapp in this process, once on each database."""
    return await make_site(DATABASE_URL=database_url)


@pytest.fixture
def client(site: Site) -> httpx.AsyncClient:
    """Somebody who has just arrived at `site`. More people: site.client()."""
    return site.client()


# -- browsers -----------------------------------------------------------------


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium.browser() as running:
        yield running


@pytest.fixture
async def person(request: pytest.FixtureRequest, browser: Browser) -> AsyncIterator[Arrive]:
    """await person('Ann', server) is somebody with a browser of their own."""
    people: list[chromium.Person] = []

    async def arrive(name: str, where: Any, **options: Any) -> chromium.Person:
        url = where if isinstance(where, str) else where.url
        people.append(await chromium.arrive(browser, name, url, **options))
        return people[-1]

    yield arrive
    problems = [problem for somebody in people for problem in somebody.unexpected()]
    if problems or request.node.stash.get(FAILED, False):
        for somebody in people:
            await somebody.screenshot(SCREENS, request.node.nodeid)
    for somebody in people:
        await somebody.context.close()
    if problems:
        pytest.fail("the browser complained:\n" + "\n".join(problems), pytrace=False)


# -- order --------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fixtures learn whether their test failed."""
    report = yield
    if report.failed or report.when == "setup":  # which is also where a second try begins
        item.stash[FAILED] = report.failed
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    ChatServer.warm = not any(item.get_closest_marker(name) for name in ("fresh_process", "faults"))


@pytest.fixture(autouse=True)
async def _no_task_left_behind() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    for _ in range(10):
        left = [task for task in asyncio.all_tasks() - before if _is_ours(task)]
        if not left:
            return
        await asyncio.sleep(0.01)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    pytest.fail(f"tasks were left behind: {left}", pytrace=False)


def _is_ours(task: "asyncio.Task[Any]") -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and code.co_filename.startswith(OURS)
