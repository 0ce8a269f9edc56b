"""A call between two people whose networks know no way to each other, one of which lets out TCP alone: all of it goes
through coturn."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests.browser.actions import fill_in_room, sign_up
from tests.browser.calling import in_call, others, reaches
from tests.support import run_folder
from tests.support.chat_server import COMMAND, ChatServer
from tests.support.chromium import Person, arrive, browser
from tests.support.islands import SERVER, Islands, Network
from tests.support.process import Process
from tests.support.turn_server import SECRET, TurnServer

STRAIT = str(run_folder.ROOT / "tests/support/strait.py")
# Where this side of each connection's chosen way begins, and how one comes there. (How the other side's was found
# differs: its first packet may be here before word of it is.)
WAYS = """async () => {
  const found = [];
  for (const link of window.links) {
    const stats = await link.getStats();
    for (const { type, selectedCandidatePairId } of stats.values()) {
      if (type !== "transport" || !selectedCandidatePairId) continue;
      const end = stats.get(stats.get(selectedCandidatePairId).localCandidateId);
      found.push(`${end.candidateType} ${end.relayProtocol}`);
    }
  }
  return found;
}"""


class SeaServer(ChatServer):
    """chatapp in the network that both islands reach."""

    def __init__(self, folder: Path, within: Sequence[str], **settings: str) -> None:
        self._within = within
        names = {"HOST": "0.0.0.0", "ALLOWED_HOSTS": "127.0.0.1"}
        super().__init__(folder, [*within, *COMMAND], **names, **settings)

    def is_ready(self) -> bool:
        ask = [*self._within, sys.executable, str(run_folder.ROOT / "deploy/ask.py"), "/ready"]
        settings = {**os.environ, "PORT": str(self.port)}
        return subprocess.run(ask, env=settings, capture_output=True, check=False).returncode == 0


async def somebody(name: str, island: Network, server: SeaServer, stay: AsyncExitStack) -> Person:
    """With a browser on an island, and an account."""
    strait = Process(
        [*island.within, sys.executable, STRAIT, str(server.port), SERVER],
        server.folder / name,
        ready=lambda: "open" in strait.log_text(),
    )
    stay.callback(strait.close)
    await asyncio.to_thread(strait.start)
    chromium = await stay.enter_async_context(browser(within=island.within))
    who = await arrive(chromium, name, server.url)
    await sign_up(who)
    return who


@pytest.mark.browser
async def test_two_people_with_no_way_to_each_other_meet_through_coturn(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with AsyncExitStack() as stay:
        sea, islands = stay.enter_context(Islands(2))
        assert [each.reaches(SERVER) for each in islands] == [True, True]
        assert not islands[0].reaches("10.77.2.2")
        assert not islands[1].reaches("10.77.1.2")
        islands[1].does("ip", "rule", "add", "ipproto", "udp", "prohibit")

        turn = TurnServer(tmp_path / "turn", own=SERVER, within=sea.within)
        url = f"turn:{SERVER}:{turn.port}"
        settings = {"TURN_URLS": f"{url},{url}?transport=tcp", "TURN_SECRET": SECRET}
        server = SeaServer(tmp_path / "sea", sea.within, DATABASE_URL=sqlite_url, **settings)
        for process in (turn, server):
            stay.callback(process.close)
            await asyncio.to_thread(process.start)

        ann, bob = [
            await somebody(name, island, server, stay)
            for name, island in zip(("Ann", "Bob"), islands, strict=True)
        ]
        room = urlsplit(await fill_in_room(ann, "Lab", "")).path
        await bob.page.evaluate("path => fetch(path, { method: 'POST' })", f"{room}/join")
        pages = [await in_call(who, room) for who in (ann, bob)]
        for page, ways in zip(pages, (["relay udp", "relay tcp"], ["relay tcp"]), strict=True):
            await expect(others(page)).to_have_count(1)
            await reaches(page, pictures=1, sounds=1)
            (way,) = await page.evaluate(WAYS)
            assert way in ways  # who has both may take either
        assert ann.unexpected() + bob.unexpected() == []
        assert server.errors() == []
