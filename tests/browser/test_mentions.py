"""Naming somebody: the message box offers members, and whoever is named sees it."""

import re

import httpx
from playwright.async_api import Locator, Page, expect

from tests.browser.actions import PASSWORD, bodies, comes, join, open_room, say, shown
from tests.browser.meeting import Meet
from tests.support.chat_server import ChatServer
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve


async def people(
    person: Arrive, server: ChatServer, **options: object
) -> tuple[Person, Person, str]:
    """Ann, whose room it is, and Ben; Bella and Carla are in it and have no page open."""
    ann = await person("Ann", server, **options)
    await comes(ann)
    room = await open_room(ann, "Lab")
    ben = await person("Ben", server)
    await comes(ben)
    await join(ben, room)
    for name in ("Bella Brandt", "Carla"):
        async with httpx.AsyncClient(base_url=server.url, headers={"Origin": server.url}) as who:
            email = f"{name.split()[0].lower()}@people.example"
            form = {"name": name, "email": email, "password": PASSWORD}
            for path, fields in (("/sign-up", form), (f"{room}/join", {})):
                assert (await who.post(path, data=fields)).status_code == 303
    return ann, ben, room


def options(page: Page) -> Locator:
    return page.locator("#mention-menu [role=option]")


async def offered(page: Page, *names: str) -> None:
    await expect(options(page)).to_have_text([re.compile(rf"{name}$") for name in names])


async def active(page: Page, name: str) -> None:
    """The one that Enter chooses, as a screen reader hears it."""
    chosen = page.locator("#mention-menu [role=option][aria-selected=true]")
    await expect(chosen).to_have_text(re.compile(rf"{name}$"))
    box = page.locator("#composer")
    await expect(box).to_have_attribute("aria-expanded", "true")
    await expect(box).to_have_attribute("role", "combobox")
    assert await chosen.get_attribute("id") == await box.get_attribute("aria-activedescendant")


async def test_a_name_is_completed_by_keyboard_and_marked_for_whom_it_names(
    serve: Serve, person: Arrive
) -> None:
    ann, ben, _room = await people(person, await serve())
    box = ann.page.locator("#composer")
    await say(ben.page, "hello")
    await shown(ann.page, "hello")
    await box.focus()
    await ann.page.keyboard.type("hi @b")
    await offered(ann.page, "Ben", "Bella Brandt")  # who spoke last comes first
    await active(ann.page, "Ben")
    await ann.page.keyboard.press("ArrowDown")
    await active(ann.page, "Bella Brandt")
    await ann.page.keyboard.press("ArrowDown")
    await active(ann.page, "Ben")
    await ann.page.keyboard.press("ArrowUp")
    await ann.page.keyboard.press("Tab")
    await expect(box).to_have_value("hi @Bella Brandt ")
    await expect(box).to_be_focused()
    await expect(box).not_to_have_attribute("aria-expanded", "true")
    await ann.page.keyboard.type("and @be")
    await active(ann.page, "Ben")
    await ann.page.keyboard.press("Enter")  # chooses, and sends nothing
    await expect(box).to_have_value("hi @Bella Brandt and @Ben ")
    await ann.page.keyboard.type("@car")
    await offered(ann.page, "Carla")
    await ann.page.keyboard.press("Escape")
    await expect(options(ann.page)).to_have_count(0)
    await ann.page.keyboard.type("l")
    await ann.page.keyboard.press("Enter")
    await shown(ben.page, "hello", "hi @Bella Brandt and @Ben @carl")
    for page, classes in ((ann.page, "mention"), (ben.page, "mention me")):
        row = page.locator(".msg", has_text="hi @Bella")
        await expect(row.locator(".mention").nth(1)).to_have_class(classes)
        await expect(row.locator(".mention")).to_have_count(2)
    await expect(ben.page.locator(".msg.is-mention")).to_have_count(1)
    await expect(ann.page.locator(".msg.is-mention")).to_have_count(0)
    await ben.page.reload()
    await expect(ben.page.locator(".msg.is-mention .mention.me")).to_have_text("@Ben")


async def test_a_name_is_completed_by_mouse_at_320_pixels_and_an_input_method_is_left_alone(
    serve: Serve, person: Arrive
) -> None:
    ann, _ben, _room = await people(person, await serve(), viewport={"width": 320, "height": 568})
    page = ann.page
    box = page.locator("#composer")
    await box.focus()
    await page.keyboard.type("@be")
    await offered(page, "Bella Brandt", "Ben")
    menu = page.locator("#mention-menu")
    edges = await menu.bounding_box()
    assert edges is not None
    assert edges["x"] >= 0
    assert edges["x"] + edges["width"] <= 320
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    for key in ({"isComposing": True}, {"keyCode": 229}):
        await box.dispatch_event("keydown", {"key": "Enter", "bubbles": True, **key})
    await expect(box).to_have_value("@be")
    await offered(page, "Bella Brandt", "Ben")
    await options(page).nth(0).click()
    await expect(box).to_have_value("@Bella Brandt ")
    await expect(box).to_be_focused()
    await expect(bodies(page)).to_have_count(0)
    session = await ann.context.new_cdp_session(page)
    await session.send(
        "Input.imeSetComposition", {"text": "@か", "selectionStart": 2, "selectionEnd": 2}
    )
    await expect(options(page)).to_have_count(0)
    await session.send("Input.insertText", {"text": "@か"})
    await page.keyboard.press("Escape")
    for text in ("a@b", "x @", "@\n"):
        await box.fill(text)
    await expect(menu).to_be_hidden()


async def test_unread_mentions_lead_to_the_message_and_are_cleared_by_keyboard(
    meet: Meet,
) -> None:
    ann, ben, room = await meet()
    await ben.goto("/rooms")
    for text in ("@Ben one", "@Ben two", "@Ben three"):
        await say(ann.page, text)
    await shown(ann.page, "@Ben one", "@Ben two", "@Ben three")
    await ben.goto("/mentions")
    rows = ben.page.locator(".inbox").first.locator("li")
    await expect(rows.locator(".inbox-text")).to_have_text(["@Ben three", "@Ben two", "@Ben one"])
    clear = ben.page.get_by_role("button", name="Clear what Ann wrote in Lab")
    await clear.nth(0).focus()
    await ben.page.keyboard.press("Enter")
    await expect(rows).to_have_count(2)
    await expect(clear.nth(0)).to_be_focused()
    await rows.nth(1).get_by_role("link").click()
    await expect(ben.page).to_have_url(re.compile(rf"{room}\?around=\d+#m-\d+$"))
    await expect(ben.page.locator(".msg:target .msg-body")).to_have_text("@Ben one")
