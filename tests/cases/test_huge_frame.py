"""CON-02 (d): words that fit into no frame, in a browser. They cost one line at most, once, and are not lost."""

import asyncio

from playwright.async_api import Page, WebSocket, WebSocketRoute, expect

from tests.browser.actions import bodies, say
from tests.cases.conftest import House, Open

PATIENCE = 30_000
TOO_LARGE = "Not sent. This message is too large to send."
HUGE = "a" * 70_000  # a frame may have 64 KiB
# Words that wait on the device to be sent, as an older version of the page may have left them.
WAITING = """([body]) => {
  const user = document.body.dataset.me, key = crypto.randomUUID();
  const room = document.querySelector('main.room').dataset.room;
  localStorage.setItem(`chatapp:outbox:${user}:${key}`,
    JSON.stringify({key, user, room, body, at: Date.now()}));
}"""


class Lines:
    """What a tab's lines have carried since this was made."""

    def __init__(self, page: Page) -> None:
        self.opened = 0
        self.huge = 0
        page.on("websocket", self._open)

    def _open(self, line: WebSocket) -> None:
        self.opened += 1
        line.on("framesent", self._sent)

    def _sent(self, frame: str | bytes) -> None:
        self.huge += len(frame) > 65536


async def test_words_too_many_for_a_frame_stay_with_their_writer_and_cost_no_line(
    house: House, open_room: Open
) -> None:
    """The server would end the line, and a browser that is still sending hardly ever learns why (1006, not 1009). So
    it does not even try."""
    room = await house.room()
    ann = await open_room(house.ann, house.server, room)
    tabs = [ann.page, await ann.tab()]
    lines = [Lines(tab) for tab in tabs]
    for tab in tabs:
        await tab.goto(f"/rooms/{room}")
        await expect(tab.locator("#composer")).to_be_visible()
    await ann.page.evaluate(WAITING, [HUGE])
    await ann.page.locator("#composer").fill("half a thought")
    await ann.page.reload()
    failed = ann.page.locator(".is-failed")
    await expect(failed).to_contain_text(TOO_LARGE, timeout=PATIENCE)
    assert await failed.locator(".msg-body").text_content() == HUGE
    await expect(ann.page.locator("#composer")).to_have_value("half a thought")
    await ann.page.locator("#composer").press("Enter")
    await say(tabs[1], "here as well")
    there = bodies(ann.page).filter(has_text="here as well")
    await expect(there).to_have_count(1, timeout=PATIENCE)
    await expect(ann.page.locator(".is-pending")).to_have_count(0, timeout=PATIENCE)
    assert await house.ben.reads(house.server, room) == ["half a thought", "here as well"]
    assert [each.huge for each in lines] == [0, 0]
    assert [each.opened for each in lines] == [2, 1], "one for each time that a page was loaded"


async def test_a_frame_that_ended_its_line_with_1009_is_not_sent_again(
    house: House, open_room: Open
) -> None:
    """Something on the way takes less than the server does. One new line is enough for everything else, whichever of
    her tabs sends."""
    room = await house.room()
    ann = await open_room(house.ann, house.server, room)
    sent: list[str] = []
    back = asyncio.Event()

    def watches() -> int:
        return sum('"watch"' in frame for frame in sent)

    def refuse_long_ones(line: WebSocketRoute) -> None:
        there = line.connect_to_server()

        async def pass_on(frame: str | bytes) -> None:
            sent.append(str(frame))
            if watches() == 3:
                back.set()
            if "too much" in str(frame):
                await line.close(code=1009)
            else:
                there.send(frame)

        line.on_message(pass_on)

    await ann.context.route_web_socket("**/ws", refuse_long_ones)
    other = await ann.tab()
    lines = [Lines(tab) for tab in (ann.page, other)]
    for tab in (ann.page, other):
        await tab.goto(f"/rooms/{room}")
        await expect(tab.locator("#composer")).to_be_visible()
    await say(ann.page, "too much for somebody on the way")
    await ann.page.locator("#composer").fill("half a thought")
    failed = ann.page.locator(".is-failed")
    await expect(failed).to_contain_text(TOO_LARGE, timeout=PATIENCE)
    await expect(ann.page.locator("#composer")).to_have_value("half a thought")
    await ann.page.locator("#composer").press("Enter")
    await expect(bodies(other).filter(has_text="half a thought")).to_have_count(1, timeout=PATIENCE)
    await expect(ann.page.locator(".is-pending")).to_have_count(0, timeout=PATIENCE)
    await expect(failed).to_contain_text("too much for somebody on the way")
    await asyncio.wait_for(back.wait(), 30)
    await say(ann.page, "life goes on")
    await expect(ann.page.locator(".is-pending")).to_have_count(0, timeout=PATIENCE)
    assert await house.ben.reads(house.server, room) == ["half a thought", "life goes on"]
    assert sum("too much" in frame for frame in sent) == 1
    assert watches() == 3, "a line for each tab, and one after it"
    assert sum(each.opened for each in lines) == 3
