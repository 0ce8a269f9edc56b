"""A phone, a narrow window, large print, and texts made to break a page."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.actions import bodies, comes, join, open_room, post_many, send_form
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

OVERFLOW = "() => document.scrollingElement.scrollWidth - window.innerWidth"


@pytest.mark.parametrize(("width", "dark"), [(320, False), (390, True), (1280, False)])
async def test_nothing_is_wider_than_the_window(
    serve: Serve, person: Arrive, width: int, dark: bool
) -> None:
    server = await serve(LIMIT_FACTOR="100")
    ann = await person("Ann", server)
    wanda = await person("W" * 60, server, viewport={"width": width, "height": 700}, dark=dark)
    await comes(ann)
    room = await open_room(ann, "R" * 80, "T" * 250)
    wanda.name = "Wanda"
    await comes(wanda)
    await send_form(wanda, "/settings/profile", name="W" * 64, hue="3")
    await join(wanda, room)
    await post_many(ann, room, NASTY)
    await post_many(wanda, room, NASTY)
    await expect(bodies(wanda.page)).to_have_count(2 * len(NASTY))
    paths = [room, "/rooms", "/rooms?q=" + "q" * 90, "/settings", "/rooms/new", f"{room}/members"]
    for path in paths:
        await wanda.goto(path)
        assert await wanda.page.evaluate(OVERFLOW) <= 0, path
    wanda.allow("404|403")
    for path in ("/nothing-here", f"{room}/settings"):
        await wanda.goto(path)
        assert await wanda.page.evaluate(OVERFLOW) <= 0, path
    await wanda.goto(room)
    await expect(wanda.page.get_by_role("button", name="Send")).to_be_in_viewport()
    await expect(wanda.page.locator("#composer")).to_be_in_viewport()


async def test_towers_of_marks_stay_in_their_own_row(serve: Serve, person: Arrive) -> None:
    server = await serve()
    ann = await person("Ann", server)
    await comes(ann)
    room = await open_room(ann, "Marks")
    await post_many(ann, room, [NASTY[2]])
    clipped = await ann.page.locator(".msg-body").first.evaluate(
        "(body) => getComputedStyle(body).overflowY || getComputedStyle(body).overflow"
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
    await expect(bodies(page)).to_have_text(["two\nlines"])


async def test_everything_can_be_done_with_the_keyboard(serve: Serve, person: Arrive) -> None:
    server = await serve()
    ann = await person("Ann", server)
    await comes(ann)
    await open_room(ann, "Keys")
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


async def test_a_picture_of_a_moving_mind_respects_those_who_want_stillness(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann = await person("Ann", server, reduced_motion="reduce")
    await ann.goto("/")
    moving = await ann.page.evaluate(
        "() => document.getAnimations().filter((each) => each.playState === 'running').length"
    )
    assert moving == 0


async def test_every_control_has_a_name_and_every_page_one_heading(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann = await person("Ann", server)
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
