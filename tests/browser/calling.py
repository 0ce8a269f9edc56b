"""What people do in a call, and what really reaches them: decoded pictures and sound, as the browser counts them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page, expect

from tests.browser.actions import comes, join, open_room
from tests.browser.meeting import Meet
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person
from tests.support.fixtures import Arrive
from tests.support.wire import Wire

# Remembers the page's connections, so that their statistics can be asked for. Changes nothing about them.
REMEMBER = """
window.links = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.links.push(this); }
};
"""

# Pictures as small as they come: nobody looks at them, and a large one costs a machine much to encode and to draw.
SMALL = """
for (const name of ["getUserMedia", "getDisplayMedia"]) {
  const ask = MediaDevices.prototype[name];
  MediaDevices.prototype[name] = function ({ video, ...rest }) {
    const small = { width: { ideal: 320 }, height: { ideal: 180 } };
    return ask.call(this, { ...rest, ...(video && { video: { ...video, ...small } }) });
  };
}
"""

# Of each line over which something comes: kind, pictures decoded, energy of the sound.
COUNT = """async () => {
  const found = {};
  let number = 0;
  for (const link of window.links) {
    number += 1;
    if (link.connectionState !== "connected") continue;
    for (const report of (await link.getStats()).values()) {
      if (report.type !== "inbound-rtp") continue;
      const what = report.kind === "video" ? report.framesDecoded : report.totalAudioEnergy;
      if (what > 0) found[`${report.kind} ${number} ${report.mid}`] = what;
    }
  }
  return found;
}"""

PATIENCE = 20.0
SILENCE = 1e-4  # of energy, which a muted microphone may still bring


async def calls(who: Person, room: str, *, small: bool = True) -> Page:
    """The page of the room's call, in a tab of its own; not yet in the call."""
    page = await who.context.new_page()
    await page.add_init_script(REMEMBER)
    if small:
        await page.add_init_script(SMALL)
    await page.goto(f"{room}/call")
    return page


async def comes_in(page: Page) -> None:
    join_it = page.get_by_role("button", name="Join the call")
    await expect(join_it).to_be_enabled(timeout=PATIENCE * 1000)  # by the last scripts to come
    await join_it.click()
    await expect(page.locator("main.call")).to_have_attribute("data-part", "on")


async def in_call(who: Person, room: str, *, small: bool = True) -> Page:
    page = await calls(who, room, small=small)
    await comes_in(page)
    return page


async def met(meet: Meet) -> tuple[list[Person], list[Page], str]:
    """Ann and Ben in the call of their room."""
    ann, ben, room = await meet()
    return [ann, ben], [await in_call(who, room) for who in (ann, ben)], room


async def gathered(
    person: Arrive,
    *places: ChatServer | Wire,
    names: tuple[str, ...] = ("Ann", "Ben", "Cat"),
    small: bool = True,
) -> tuple[list[Person], list[Page], str]:
    """One person at each place, in one room and its call. Returns the room's path last."""
    people: list[Person] = []
    room = ""
    for name, place in zip(names, places, strict=False):
        who = await person(name, place)
        await comes(who)
        if room:
            await join(who, room)
        else:
            room = await open_room(who, "Lab")
        people.append(who)
    pages = [await in_call(who, room, small=small) for who in people]
    return people, pages, room


@asynccontextmanager
async def crashed(who: Person, page: Page) -> AsyncIterator[None]:
    """The tab, without a word to anybody."""
    line = await who.context.new_cdp_session(page)
    crashing = asyncio.ensure_future(line.send("Page.crash"))  # which is never answered
    yield
    crashing.cancel()


def others(page: Page) -> Any:
    """The tiles of the other people."""
    return page.locator('.tile:not([data-tile="me"]):not([data-tile^="screen-"]):not(.preview)')


async def reaches(page: Page, *, pictures: int, sounds: int) -> None:
    """So many pictures go on, and so many sounds, all of them again and again."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                before = await page.evaluate(COUNT)
                await asyncio.sleep(0.4)
                after = await page.evaluate(COUNT)
                grown = [name for name in after if after[name] > before.get(name, 0) + SILENCE]
                found = [
                    sum(name.startswith(kind) for name in grown) for kind in ("video", "audio")
                ]
                if found == [pictures, sounds]:
                    return
    except TimeoutError:
        raise AssertionError(f"{pictures} pictures and {sounds} sounds, not {after}") from None
