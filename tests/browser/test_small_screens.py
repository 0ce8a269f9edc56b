"""A phone, a narrow window, large print, and texts made to break a page."""

from typing import Literal

from playwright.async_api import Page, expect

from tests.browser.actions import bodies, comes, open_room, post_many, send_form, shown
from tests.browser.meeting import Meet
from tests.support.fixtures import Arrive, Serve

NASTY = [
    "W" * 2000,
    "https://x.example/" + "a" * 1500,
    ("e" + "\u0301" * 50 + "\u0323" * 50) * 15,
    "\u202eabc",
    "שלום (42) ann!",
    "\n".join("l" * 300),
    "👨‍👩‍👧‍👦" * 100,
    "a b " * 900,
]

TOWERS = 2  # of marks, in the list

WINDOWS: list[tuple[int, Literal["light", "dark"]]] = [
    (320, "light"),
    (390, "dark"),
    (1280, "light"),
]
OVERFLOW = "() => document.scrollingElement.scrollWidth - window.innerWidth"


async def test_nothing_is_wider_than_the_window_or_higher_than_its_row(meet: Meet) -> None:
    ann, ben, room = await meet("R" * 80, "T" * 250)
    await send_form(ben, "/settings/profile", name="W" * 64, hue="3")
    await post_many(ann, room, NASTY)
    await post_many(ben, room, NASTY)
    await expect(bodies(ben.page)).to_have_count(2 * len(NASTY))
    ben.allow("404|403")
    page = ben.page
    paths = [room, "/rooms", "/rooms?q=" + "q" * 90, "/settings", "/rooms/new", f"{room}/members"]
    for path in (*paths, "/nothing-here", f"{room}/settings", room):
        await page.set_viewport_size({"width": 320, "height": 700})
        await ben.goto(path)
        for width, colours in WINDOWS:
            await page.set_viewport_size({"width": width, "height": 700})
            await page.emulate_media(color_scheme=colours)
            assert await page.evaluate(OVERFLOW) <= 0, (path, width)
            if path == room:
                await expect(page.get_by_role("button", name="Send")).to_be_in_viewport()
                await expect(page.locator("#composer")).to_be_in_viewport()
    clipped = (
        await bodies(page)
        .nth(TOWERS)
        .evaluate("(body) => getComputedStyle(body).overflowY || getComputedStyle(body).overflow")
    )
    assert clipped in {"clip", "hidden"}


async def test_on_a_phone_rooms_and_members_are_drawers(serve: Serve, person: Arrive) -> None:
    server = await serve()
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    ann = await person("Ann", server, **phone)
    await comes(ann)
    await open_room(ann, "Tea")
    page = ann.page
    await expect(page.locator("#rooms")).to_be_hidden()
    await page.get_by_role("button", name="Show rooms").tap()
    await expect(page.get_by_role("link", name="Tea")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#rooms")).to_be_hidden()
    await page.get_by_role("button", name="Show members").tap()
    await expect(page.locator("#details")).to_contain_text("Ann (you)")
    await page.get_by_role("button", name="Close members").tap()
    # on glass, Enter breaks the line and the button sends
    await page.locator("#composer").fill("two")
    await page.locator("#composer").press("Enter")
    await page.keyboard.type("lines")
    await page.get_by_role("button", name="Send").tap()
    await shown(page, "two\nlines")


async def test_everything_can_be_done_with_the_keyboard(meet: Meet) -> None:
    ann, _room = await meet.alone("Keys")
    page = ann.page
    await page.goto(page.url)
    await page.keyboard.press("Tab")
    assert await focused(page) == "Skip to the message box"
    await page.keyboard.press("Enter")
    await page.locator("#composer").focus()
    await page.keyboard.type("typed")
    await page.keyboard.press("Enter")
    await expect(bodies(page)).to_have_text(["typed"])
    await expect(page.locator(".is-pending")).to_have_count(0)
    await page.locator(".timeline").focus()
    await page.keyboard.press("ArrowUp")
    assert await page.evaluate("() => document.activeElement.matches('.msg')")
    await page.keyboard.press("Escape")
    assert await page.evaluate("() => document.activeElement.id") == "composer"


async def focused(page: Page) -> str:
    text: str = await page.evaluate("() => document.activeElement.textContent.trim()")
    return text


async def test_nothing_moves_for_whom_wants_stillness_every_control_has_a_name_and_every_page_one_heading(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann = await person("Ann", server, reduced_motion="reduce")
    await ann.goto("/")
    moving = await ann.page.evaluate(
        "() => document.getAnimations().filter((each) => each.playState === 'running').length"
    )
    assert moving == 0
    for path in ("/welcome", "/sign-in", "/sign-up", "/forgot"):
        await ann.goto(path)
        await check_names(ann.page)
    await comes(ann)
    await check_names(ann.page)
    room = await open_room(ann, "Tea")
    rooms = (room, f"{room}/settings", f"{room}/members", "/rooms", "/rooms/new")
    for path in (*rooms, "/settings", "/admin", "/admin/people/1", "/invitations"):
        await ann.goto(path)
        await check_names(ann.page)


async def check_names(page: Page) -> None:
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll('button, a[href], input:not([type=hidden]), textarea, select')]
          .filter((each) => each.checkVisibility())
          .filter((each) => !(each.textContent.trim() || each.getAttribute('aria-label')
            || each.labels?.length || each.getAttribute('aria-labelledby') || each.ariaHidden === 'true'))
          .map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert nameless == [], page.url
    headings = await page.evaluate(
        "() => [...document.querySelectorAll('h1')].filter((each) => each.checkVisibility()).length"
    )
    assert headings == 1, page.url
    doubled = await page.evaluate(
        """() => { const ids = [...document.querySelectorAll('[id]')].map((each) => each.id);
          return ids.filter((id, at) => ids.indexOf(id) !== at); }"""
    )
    assert doubled == [], page.url
