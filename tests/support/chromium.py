"""A real Chromium, and people who use it: a person is a browser context with ears.

What the browser complains about (console, exceptions, refused content, failed loads, answers of
5xx) fails the test at its end, unless the test said `ann.allow('pattern')`.
"""

import os
import re
import shlex
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--renderer-process-limit=1",  # the tabs of a person share one: making it costs a third of opening a page
    # A camera and a microphone that move and beep, a screen to share, and nobody who has to be asked.
    "--use-fake-device-for-media-stream=fps=5",
    "--use-fake-ui-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
)
# Blocked content is reported by an event even where the console would stay silent.
LISTEN_FOR_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', event => console.error(
    'CSP: ' + event.violatedDirective + ' blocked ' + (event.blockedURI || 'inline')));
"""


def program() -> str | None:
    """CHROMIUM, else an installed one, else None: Playwright's own. The first is the same browser without its own
    windows, which cost a test more than the page does."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@asynccontextmanager
async def browser(*arguments: str, within: Sequence[str] = ()) -> AsyncIterator[Browser]:
    """`arguments`: besides `ARGUMENTS`; the last of a kind counts. `within`: what leads into another network."""
    async with async_playwright() as playwright, AsyncExitStack() as things:
        executable = program()
        if within:
            folder = Path(things.enter_context(TemporaryDirectory()))
            command = shlex.join([*within, executable or playwright.chromium.executable_path])
            executable = str(folder / "chromium")
            Path(executable).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
            Path(executable).chmod(0o755)
        chromium = await playwright.chromium.launch(
            executable_path=executable,
            args=[*ARGUMENTS, *arguments],
            chromium_sandbox=os.geteuid() != 0 and not within,
            headless=True,
        )
        yield chromium
        await chromium.close()


class Person:
    """`page` is the first tab; `tab()` opens another. `problems` is what the browser said."""

    def __init__(self, name: str, context: BrowserContext, url: str) -> None:
        self.name = name
        self.context = context
        self.url = url
        self.problems: list[str] = []
        self._allowed: list[str] = []

    @property
    def page(self) -> Page:
        return self.context.pages[0]

    async def tab(self, path: str | None = None) -> Page:
        page = await self.context.new_page()
        if path is not None:
            await page.goto(path)
        return page

    async def goto(self, path: str) -> None:
        await self.page.goto(path)

    def allow(self, pattern: str) -> None:
        """Complaints that match this are part of the test."""
        self._allowed.append(pattern)

    def unexpected(self) -> list[str]:
        return [
            f"{self.name}: {problem}"
            for problem in self.problems
            if not any(re.search(allowed, problem) for allowed in self._allowed)
        ]

    def listen(self) -> None:
        """To the console alone: Chromium says there what failed to load, and why. To hear of each request as well would
        cost a test more than the page does."""

        def said(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning", "assert"}:
                where = message.location.get("url", "")
                self.problems.append(f"console {message.type}: {message.text} {where}".rstrip())

        self.context.on("console", said)
        self.context.on("weberror", lambda error: self.problems.append(f"exception: {error.error}"))

    async def refresh(self) -> None:
        """As somebody who has just arrived: one empty page, no routes, nothing kept but accounts' and files' caches."""
        fresh = await self.context.new_page()
        for page in self.context.pages:
            if page is not fresh:
                await page.close()
        await self.context.set_offline(False)
        await self.context.unroute_all()
        await self.context.clear_cookies()
        line = await self.context.new_cdp_session(fresh)
        kinds = "local_storage,indexeddb"
        await line.send("Storage.clearDataForOrigin", {"origin": self.url, "storageTypes": kinds})
        await line.detach()
        self.problems.clear()
        self._allowed.clear()

    async def screenshot(self, folder: Path, test: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        stem = re.sub(r"[^\w-]+", "-", f"{test}-{self.name}").strip("-")[-120:]
        for number, page in enumerate(self.context.pages):
            await page.screenshot(path=folder / f"{stem}-{number}.png")


async def arrive(chromium: Browser, name: str, url: str, **options: Any) -> Person:
    """Another person, with cookies and storage of their own. Options are Playwright's, and two
    short ones: scripts=False, dark=True."""
    scripts = options.pop("scripts", True)
    if options.pop("dark", False):
        options["color_scheme"] = "dark"
    options.setdefault("timezone_id", "UTC")
    options.setdefault("locale", "en-GB")
    context = await chromium.new_context(base_url=url, java_script_enabled=scripts, **options)
    context.set_default_timeout(10_000)
    person = Person(name, context, url)
    person.listen()
    if scripts:
        await context.add_init_script(LISTEN_FOR_VIOLATIONS)
    await context.new_page()
    return person
