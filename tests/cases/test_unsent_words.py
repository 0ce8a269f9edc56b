"""DEL-02 and CON-02: answers that are lost, lines that are down, texts that are too long. Every word comes once."""

import asyncio

from playwright.async_api import Page, expect

from tests.browser.actions import LOST, bodies, comes, open_room, say, two_in_a_room
from tests.cases.conftest import Call
from tests.support.fixtures import Arrive, Serve
from tests.support.swamp import swamp
from tests.support.wire import wire

PATIENCE = 30_000
# What an earlier page may have left on the device: words that were not sent.
LEAVE_BEHIND = """([body, age]) => {
  const user = document.body.dataset.me, key = crypto.randomUUID();
  const room = document.querySelector('main.room').dataset.room;
  localStorage.setItem(`chatapp:outbox:${user}:${key}`,
    JSON.stringify({key, user, room, body, at: Date.now() - age}));
}"""


async def all_sent(page: Page, *texts: str) -> None:
    """Exactly these, each stored; waits as long as a new line may take."""
    await expect(bodies(page)).to_have_text(list(texts), timeout=PATIENCE)
    await expect(page.locator(".is-pending, .is-failed")).to_have_count(0, timeout=PATIENCE)


# -- lost answers, impatient fingers ----------------------------------------------------


async def test_a_message_whose_answer_is_lost_shows_once(serve: Serve, person: Arrive) -> None:
    """DEL-02 (a): the server stored it, the line broke before the answer, the browser sends it again by itself."""
    server = await serve()
    async with swamp(server.port) as line:
        ann, ben, room = await two_in_a_room(person, line, server)
        ann.allow(LOST)
        for count in (1, 2):
            line.eats = b'{"type":"ack"'
            await say(ann.page, "pay 5")
            for page in (ann.page, ben.page):
                await all_sent(page, *["pay 5"] * count)
            assert line.eats == b"", "the answer was lost indeed"
        await ann.page.reload()
        await all_sent(ann.page, "pay 5", "pay 5")
        await ann.goto(room)


async def test_a_double_click_or_enter_sends_once(serve: Serve, person: Arrive) -> None:
    """DEL-02 (b)"""
    server = await serve()
    ann = await person("Ann", server)
    await comes(ann)
    await open_room(ann, "Lab")
    await ann.page.locator("#composer").fill("clicked")
    await ann.page.get_by_role("button", name="Send").dblclick()
    await ann.page.locator("#composer").fill("clicked at once")
    await ann.page.evaluate(
        "() => { const send = document.querySelector('.send-button'); send.click(); send.click(); }"
    )
    await ann.page.locator("#composer").fill("entered at once")
    await ann.page.evaluate(
        """() => { const box = document.querySelector('#composer');
        for (const _ of [1, 2]) box.dispatchEvent(new KeyboardEvent('keydown',
          {key: 'Enter', bubbles: true, cancelable: true})); }"""
    )
    await all_sent(ann.page, "clicked", "clicked at once", "entered at once")
    await ann.page.reload()
    await all_sent(ann.page, "clicked", "clicked at once", "entered at once")


# -- no line ------------------------------------------------------------------------------


async def test_what_ann_sends_without_a_line_survives_a_reload_and_goes_out_once(
    serve: Serve, person: Arrive
) -> None:
    """CON-02 (a) and (e): offline, reloaded while offline, sent once; and what is sent while the line comes back."""
    server = await serve()
    async with wire(server.port) as line:
        ann, ben, room = await two_in_a_room(person, line, server)
        ann.allow(LOST)
        await ann.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        line.cut()
        await say(ann.page, "keep me")
        await expect(ann.page.locator(".send-state")).to_contain_text(
            "Waiting for the connection", timeout=PATIENCE
        )
        await ann.page.locator("#composer").fill("half a thought")
        await asyncio.sleep(0.5)  # drafts are kept a moment after the last key
        await ann.page.reload()
        await expect(ann.page.get_by_role("heading", name="You are offline")).to_be_visible()
        await expect(bodies(ben.page)).to_have_text([])
        line.mend()
        await ann.page.get_by_role("link", name="Try again").click()
        for page in (ann.page, ben.page):
            await all_sent(page, "keep me")
        await expect(ann.page.locator("#composer")).to_have_value("half a thought")
        await expect(ann.page).to_have_url(f"{ann.url}{room}")
        line.cut()
        await expect(ann.page.locator(".banner")).to_be_visible(timeout=PATIENCE)
        await say(ann.page, "late1")
        line.mend()
        await say(ann.page, "late2")
        for page in (ann.page, ben.page):
            await all_sent(page, "keep me", "late1", "late2")


async def test_what_waited_for_hours_is_not_sent_unasked(serve: Serve, person: Arrive) -> None:
    """CON-02: never silently sent hours later"""
    server = await serve()
    ann, ben, _room = await two_in_a_room(person, server, server)
    ann.allow(LOST)
    await ann.page.evaluate(LEAVE_BEHIND, ["from this morning", 3 * 3600_000])
    await ann.page.reload()
    await expect(ann.page.locator(".is-failed")).to_contain_text("from this morning")
    await say(ann.page, "and now?")
    await all_sent(ben.page, "and now?")
    await ann.page.get_by_role("button", name="Try again").click()
    await all_sent(ben.page, "and now?", "from this morning")
    await all_sent(ann.page, "and now?", "from this morning")


# -- too long -----------------------------------------------------------------------------


async def test_a_text_that_is_too_long_stays_in_the_box_with_the_reason(
    serve: Serve, person: Arrive
) -> None:
    """CON-02 (b) one character over the limit, (c) a book, of half a megabyte: two in one line busy Chromium's own
    layout for half a minute"""
    server = await serve()
    ann, ben, _room = await two_in_a_room(person, server, server)
    ann.allow(LOST)
    lines = [0]
    ann.page.on("websocket", lambda _: lines.append(1))
    book = ("a" * 79 + "\n") * 6_000 + "a"
    for text, excess in (("x" * 4001, "1 character"), (book, "476,001 characters")):
        await ann.page.evaluate(
            """(text) => { const box = document.querySelector('#composer'); box.value = text;
            box.dispatchEvent(new InputEvent('input', {bubbles: true, inputType: 'insertFromPaste'})); }""",
            text,
        )
        await ann.page.locator("#composer").press("Enter")
        await expect(ann.page.locator("#composer-state")).to_have_text(
            f"{excess} too many", timeout=PATIENCE
        )
        assert await ann.page.evaluate("() => document.querySelector('#composer').value") == text
    await say(ann.page, "short")
    for page in (ann.page, ben.page):
        await all_sent(page, "short")
    assert lines == [0], "the line was good all the time"


async def test_a_frame_of_two_megabytes_ends_its_own_socket_only(serve: Serve, call: Call) -> None:
    """CON-02 (d)"""
    server = await serve()
    ann = await call("Ann Archer", server)
    room = await ann.opens(server, "Lab")
    async with ann.line(server) as one, ann.line(server) as other:
        for line in (one, other):
            await line.watches(room)
        await one.says(room, "a" * 2_000_000)
        assert await one.ends() == 1009
        assert (await other.answer(await other.says(room, "still here")))["type"] == "ack"
    assert await ann.reads(server, room) == ["still here"]


async def test_a_form_that_breaks_off_in_the_middle_is_no_fault_of_the_server(
    serve: Serve, call: Call
) -> None:
    """CON-02: a line that is cut while words are on their way out. The log holds no error."""
    server = await serve()
    ann = await call("Ann Archer", server)
    room = await ann.opens(server, "Lab")
    _reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        f"POST /rooms/{room}/messages HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Origin: {server.url}\r\nCookie: sid={ann.cookie}\r\nContent-Length: 1000\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\nbody=half+a+sent".encode()
    )
    await writer.drain()
    await asyncio.sleep(0.2)  # it has come as far as it ever will
    writer.transport.abort()
    lines: list[object] = []
    async with asyncio.timeout(PATIENCE / 1000):
        while not lines:
            await asyncio.sleep(0.05)
            lines = [
                line for line in server.lines() if line.get("path") == f"/rooms/{room}/messages"
            ]
    assert await ann.reads(server, room) == []
