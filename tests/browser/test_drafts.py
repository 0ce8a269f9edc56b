"""Words that are written and not sent: saved within a second, on every device, gone once sent, never overwritten."""

import asyncio
import re

from markupsafe import escape
from playwright.async_api import Locator, Page, expect

from tests.browser.actions import (
    ENDED,
    LOST,
    PASSWORD,
    address,
    bodies,
    comes,
    join,
    open_room,
    say,
    send_form,
    shown,
    two_in_a_room,
)
from tests.browser.meeting import Meet
from tests.faults.replicas import two_replicas
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve
from tests.support.redis_server import RedisServer
from tests.support.wire import wire

PATIENCE = 30_000
KEPT = """() => Object.keys(localStorage).filter((name) => name.startsWith("chatapp:draft:"))"""


def box(page: Page) -> Locator:
    return page.locator("#composer")


def pencil(page: Page, room: str) -> Locator:
    return page.locator(f'.side-row[href="{room}"] [data-draft-mark]')


async def stored(who: Person, room: str, text: str) -> None:
    """The page as the server draws it has this text in the box."""
    async with asyncio.timeout(PATIENCE / 1000):
        while (
            f">\n{escape(text)}</textarea>"
            not in await (await who.context.request.get(who.url + room)).text()
        ):
            await asyncio.sleep(0.05)


async def nothing_kept(page: Page) -> None:
    """The device has heard that all is at the server."""
    async with asyncio.timeout(PATIENCE / 1000):
        while await page.evaluate(KEPT):
            await asyncio.sleep(0.05)


async def signs_in(person: Arrive, who: Person, where: ChatServer | str, room: str) -> Person:
    """The same person on another device, in the room."""
    other = await person(who.name, where)
    await send_form(other, "/sign-in", email=address(who), password=PASSWORD)
    await other.goto(room)
    await expect(box(other.page)).to_be_visible()
    return other


async def test_a_draft_is_on_the_other_device_within_a_second_and_marked_in_the_list(
    serve: Serve, person: Arrive, redis: RedisServer, postgresql_url: str
) -> None:
    first, second = await two_replicas(serve, postgresql_url, redis.url)
    ann = await person("Ann", first)
    await comes(ann)
    den = await send_form(ann, "/rooms", name="Den")
    lab = await open_room(ann, "Lab")
    phone = await signs_in(person, ann, second, lab)
    other = await ann.context.new_page()
    await other.goto(den)
    await box(ann.page).press_sequentially("Earl Grey at")
    await expect(box(phone.page)).to_have_value("Earl Grey at", timeout=PATIENCE)
    await expect(pencil(other, lab)).to_have_text(", draft")
    await expect(pencil(other, lab)).to_be_visible()
    await expect(pencil(ann.page, lab)).to_be_hidden()  # it stands in the box
    await box(phone.page).press_sequentially(" four?")
    await expect(box(ann.page)).to_have_value("Earl Grey at four?", timeout=PATIENCE)
    await box(phone.page).press("Enter")
    await shown(ann.page, "Earl Grey at four?")
    for page in (ann.page, phone.page):
        await expect(box(page)).to_have_value("", timeout=PATIENCE)
    await expect(pencil(other, lab)).to_have_count(0)
    await ann.page.reload()
    await expect(box(ann.page)).to_have_value("")
    assert await ann.page.evaluate(KEPT) == []


async def test_a_draft_stays_through_a_reload_another_room_and_another_session(
    meet: Meet, person: Arrive
) -> None:
    ann, lab = await meet.alone()
    den = await send_form(ann, "/rooms", name="Den")
    await ann.page.reload()
    text = "  first line\n\n    indented "
    await box(ann.page).fill(text)
    await ann.page.locator(f'.side-row[href="{den}"]').click()  # before it could be saved
    await expect(ann.page).to_have_url(ann.url + den)
    await expect(pencil(ann.page, lab)).to_be_visible()
    await stored(ann, lab, text)
    await nothing_kept(ann.page)
    await ann.goto(lab)
    await expect(box(ann.page)).to_have_value(text)
    phone = await signs_in(person, ann, ann.url, lab)
    await expect(box(phone.page)).to_have_value(text)
    await expect(box(phone.page)).to_be_editable()


async def test_what_is_being_typed_is_never_replaced(meet: Meet, person: Arrive) -> None:
    """And what was written elsewhere at the same time is not lost either."""
    ann, lab = await meet.alone()
    phone = await signs_in(person, ann, ann.url, lab)
    typing = "while the other device has its say these words stay as they are typed"
    await box(ann.page).press_sequentially("while ")
    await box(phone.page).fill("from the phone")
    for word in typing.split(" ")[1:]:
        await box(ann.page).press_sequentially(word + " ", delay=25)
    assert typing in await box(ann.page).input_value()
    for page in (ann.page, phone.page):
        await expect(box(page)).to_have_value(re.compile(f"{typing}"), timeout=PATIENCE)
        await expect(box(page)).to_have_value(re.compile("from the phone"), timeout=PATIENCE)
    text = await box(phone.page).input_value()
    await expect(box(ann.page)).to_have_value(text, timeout=PATIENCE)
    await stored(ann, lab, text)


async def test_words_of_an_input_method_are_left_alone_until_they_are_whole(
    meet: Meet, person: Arrive
) -> None:
    ann, lab = await meet.alone()
    phone = await signs_in(person, ann, ann.url, lab)
    await box(phone.page).focus()
    keys = await phone.context.new_cdp_session(phone.page)
    await keys.send(
        "Input.imeSetComposition", {"text": "nihon", "selectionStart": 5, "selectionEnd": 5}
    )
    await box(ann.page).fill("from the laptop")
    await stored(ann, lab, "from the laptop")
    await expect(box(phone.page)).to_have_value("nihon")
    await keys.send("Input.insertText", {"text": "日本"})
    await expect(box(phone.page)).to_have_value("日本")
    both = "from the laptop\n\n日本"
    for page in (ann.page, phone.page):
        await expect(box(page)).to_have_value(both, timeout=PATIENCE)


async def test_what_was_written_without_a_line_is_neither_lost_nor_does_it_undo_what_is_newer(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    async with wire(server.port) as line:
        laptop = await person("Ann", line)
        laptop.allow(LOST)
        await comes(laptop)
        lab = await open_room(laptop, "Lab")
        phone = await signs_in(person, laptop, server, lab)
        await box(laptop.page).fill("one")
        await expect(box(phone.page)).to_have_value("one", timeout=PATIENCE)
        line.cut()
        await expect(laptop.page.locator(".banner")).to_be_visible(timeout=PATIENCE)
        await box(laptop.page).fill("one, in the train")
        await box(phone.page).fill("one, on the phone")
        await stored(phone, lab, "one, on the phone")
        line.mend()
        both = "one, on the phone\n\none, in the train"
        await expect(box(laptop.page)).to_have_value(both, timeout=PATIENCE)
        await expect(box(phone.page)).to_have_value(both, timeout=PATIENCE)
        await laptop.page.reload()
        await expect(box(laptop.page)).to_have_value(both)


async def test_what_was_sent_without_a_line_does_not_come_back_as_a_draft(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    async with wire(server.port) as line:
        ann, ben, lab = await two_in_a_room(person, line, server)
        ann.allow(LOST)
        await box(ann.page).fill("half")
        await stored(ben, lab, "")
        await stored(ann, lab, "half")
        line.cut()
        await expect(ann.page.locator(".banner")).to_be_visible(timeout=PATIENCE)
        await say(ann.page, "half and half")
        line.mend()
        await expect(bodies(ben.page)).to_have_text(["half and half"], timeout=PATIENCE)
        await nothing_kept(ann.page)
        await ann.page.reload()
        await shown(ann.page, "half and half")
        await expect(box(ann.page)).to_have_value("")


async def test_a_draft_that_could_not_be_saved_is_told_from_any_page(
    meet: Meet, person: Arrive
) -> None:
    ann, lab = await meet.alone()
    await ann.page.evaluate(
        """() => { const { room } = document.querySelector("main.room").dataset;
        localStorage.setItem(`chatapp:draft:${document.body.dataset.me}:${room}`, "as the version before kept it"); }"""
    )
    await ann.goto("/settings")
    await expect(pencil(ann.page, lab)).to_be_visible()
    await nothing_kept(ann.page)
    phone = await signs_in(person, ann, ann.url, lab)
    await expect(box(phone.page)).to_have_value("as the version before kept it")


async def test_a_page_without_scripts_has_the_draft_and_its_form_ends_it(
    meet: Meet, person: Arrive
) -> None:
    ann, lab = await meet.alone()
    await box(ann.page).fill("\nEarl Grey")
    await stored(ann, lab, "\nEarl Grey")
    plain = await person("Ann", ann.url, scripts=False)
    await send_form(plain, "/sign-in", email=address(ann), password=PASSWORD)
    await plain.goto(lab)
    await expect(box(plain.page)).to_have_value("\nEarl Grey")
    await box(plain.page).fill("Earl Grey at four?")
    await plain.page.get_by_role("button", name="Send").click()
    await shown(plain.page, "Earl Grey at four?")
    await expect(box(plain.page)).to_have_value("")
    await expect(box(ann.page)).to_have_value("", timeout=PATIENCE)


async def test_a_member_who_left_has_no_draft_and_signing_out_leaves_none_on_the_device(
    meet: Meet,
) -> None:
    ann, ben, lab = await meet()
    ben.allow(f"{LOST}|{ENDED}")
    await box(ben.page).fill("before I go")
    await stored(ben, lab, "before I go")
    await send_form(ben, f"{lab}/leave")
    await expect(box(ben.page)).not_to_be_editable()
    await expect(box(ben.page)).to_have_value("before I go")  # to be copied
    # The session that ends below is not the one of the tests to come, and no page may miss that one.
    await ben.goto("about:blank")
    await ben.context.clear_cookies()
    await send_form(ben, "/sign-in", email=address(ben), password=PASSWORD)
    await join(ben, lab)
    await expect(box(ben.page)).to_have_value("")
    await box(ben.page).fill("a secret")
    await ben.page.evaluate("() => document.querySelector('form[data-composer]').remove()")
    await ben.goto("/settings")
    await ben.page.get_by_role("button", name="Sign out here").click()
    await expect(ben.page).to_have_url(re.compile("/sign-in"))
    assert await ben.page.evaluate(KEPT) == []
    assert await box(ann.page).input_value() == ""
