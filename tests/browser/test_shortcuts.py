"""Going anywhere by keyboard: the quick switcher, and keys that work on every page."""

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.actions import LOST, comes, join, open_room, post_many, say, send_form
from tests.browser.input_method import input_method
from tests.browser.meeting import Meet
from tests.browser.test_unread import unread
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve
from tests.support.wire import wire


def switcher(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Jump to a room, a person or a page")


def field(page: Page) -> Locator:
    return switcher(page).get_by_role("combobox")


def options(page: Page) -> Locator:
    return switcher(page).get_by_role("option")


async def chosen(page: Page, words: str) -> None:
    """One option is chosen, and the field says which."""
    option = switcher(page).locator('[role=option][aria-selected="true"]')
    await expect(option).to_have_count(1)
    await expect(option).to_contain_text(words)
    identity = await option.get_attribute("id")
    assert identity
    await expect(field(page)).to_have_attribute("aria-activedescendant", identity)


async def ann_and_her_rooms(ann: Person, alpha: str) -> tuple[Person, dict[str, str]]:
    """Ann looks at Beta."""
    rooms = {name: await send_form(ann, "/rooms", name=name) for name in ("Beta", "Gamma", "Delta")}
    await ann.goto(rooms["Beta"])
    await expect(ann.page.locator("#composer")).to_be_visible()
    return ann, {"Alpha": alpha, **rooms}


async def is_at(page: Page, path: str) -> None:
    await expect(page).to_have_url(re.compile(f"{re.escape(path)}$"))


async def test_ann_goes_to_a_room_by_a_few_letters_or_all_however_fast_she_types_them(
    meet: Meet,
) -> None:
    ann, rooms = await ann_and_her_rooms(*await meet.alone("Alpha"))
    page = ann.page
    await page.locator("#composer").press("Control+k")
    await expect(field(page)).to_be_focused()
    await expect(options(page).nth(3)).to_contain_text("Beta")  # she is there already
    await field(page).press_sequentially("gm")
    await chosen(page, "Gamma")
    await field(page).press("Enter")
    await is_at(page, rooms["Gamma"])
    await expect(page.locator("html[data-line=live]")).to_be_attached()
    await page.keyboard.press("Control+k")
    await field(page).press_sequentially("a")
    await chosen(page, "Alpha")
    await field(page).press("ArrowDown")
    await chosen(page, "Delta")  # the newest of equals
    for key in ("ArrowUp", "ArrowUp"):
        await field(page).press(key)
    await expect(options(page).last).to_have_attribute("aria-selected", "true")
    await field(page).press("Escape")
    await expect(switcher(page)).to_be_hidden()
    await is_at(page, rooms["Gamma"])
    await page.keyboard.press("Control+k")
    await expect(options(page).first).to_be_visible()
    await page.keyboard.type("delta")
    await page.keyboard.press("Enter")  # before anything was found
    await is_at(page, rooms["Delta"])


async def test_the_focus_comes_back_and_the_keys_close_what_they_opened(meet: Meet) -> None:
    ann, _rooms = await ann_and_her_rooms(*await meet.alone("Alpha"))
    page = ann.page
    await page.locator("#composer").press_sequentially("half a thought?/")
    for close in ("Control+k", "Escape"):
        await page.keyboard.press("Control+k")
        await expect(switcher(page)).to_be_visible()
        await page.keyboard.press(close)
        await expect(switcher(page)).to_be_hidden()
        await expect(page.locator("#composer")).to_be_focused()
    await expect(page.locator("#composer")).to_have_value("half a thought?/")
    await expect(page.locator("#shortcuts")).to_be_hidden()


async def test_people_and_pages_are_reached_as_well(meet: Meet) -> None:
    ann, _ben, alpha = await meet("Alpha")
    await ann_and_her_rooms(ann, alpha)
    page = ann.page
    await page.keyboard.press("Control+k")
    await field(page).press_sequentially("@be")
    await chosen(page, "member of Alpha")
    await expect(options(page)).to_have_count(1)
    await field(page).press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ben")
    await expect(page.get_by_text("Nobody else reads what you say here.")).to_be_visible()
    await expect(page.locator("html.js")).to_be_attached()  # keys mean something from here on
    await page.keyboard.press("Control+k")
    await field(page).press_sequentially("new room")
    await field(page).press("Enter")
    await expect(page.get_by_role("dialog", name="New room")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await field(page).press_sequentially("keyb")
    await field(page).press("Enter")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await field(page).press_sequentially("sign out")
    await chosen(page, "Sign out")
    await field(page).press("Enter")
    await is_at(page, "/sign-in")


async def test_an_input_method_may_use_its_keys_in_the_switcher(meet: Meet) -> None:
    ann, rooms = await ann_and_her_rooms(*await meet.alone("Alpha"))
    tea = await send_form(ann, "/rooms", name="お茶")
    page = ann.page
    await page.keyboard.press("Control+k")
    await expect(options(page).first).to_be_visible()
    words = await input_method(page)
    await words.begin("おちゃ")
    await words.press_enter()
    await words.end("お茶")
    await chosen(page, "お茶")
    await is_at(page, rooms["Beta"])
    await field(page).press("Enter")
    await is_at(page, tea)


async def test_by_touch_it_opens_from_the_list_of_rooms(serve: Serve, person: Arrive) -> None:
    ann = await person(
        "Ann",
        await serve(),
        has_touch=True,
        is_mobile=True,
        viewport={"width": 320, "height": 640},
    )
    await comes(ann)
    lab = await open_room(ann, "Lab")
    await open_room(ann, "Den")
    page = ann.page
    for _ in range(2):
        await page.get_by_role("button", name="Show rooms").tap()
        await page.get_by_role("link", name="Jump to").tap()
        await expect(field(page)).to_be_focused()
        await switcher(page).get_by_role("button", name="Close").tap()
        await expect(switcher(page)).to_be_hidden()
    await page.get_by_role("button", name="Show rooms").tap()
    await page.get_by_role("link", name="Jump to").tap()
    await options(page).filter(has_text="Lab").tap()
    await is_at(page, lab)


async def test_without_a_line_the_switcher_says_so(serve: Serve, person: Arrive) -> None:
    server = await serve()
    async with wire(server.port) as line:
        ann = await person("Ann", line)
        ann.allow(LOST)
        await comes(ann)
        await open_room(ann, "Lab")
        await ann.page.keyboard.press("Control+k")
        await expect(options(ann.page).first).to_be_visible()
        line.cut()
        await field(ann.page).press_sequentially("la")
        await expect(switcher(ann.page)).to_contain_text("Nothing can be looked up without")
        line.mend()
        await field(ann.page).press_sequentially("b")
        await chosen(ann.page, "Lab")


async def test_alt_and_arrows_go_through_the_list_of_rooms(meet: Meet) -> None:
    ann, rooms = await ann_and_her_rooms(*await meet.alone("Alpha"))
    page = ann.page
    await page.locator("#composer").focus()
    for key, name in (
        ("Alt+ArrowDown", "Delta"),
        ("Alt+ArrowDown", "Gamma"),
        ("Alt+ArrowDown", "Alpha"),
        ("Alt+ArrowUp", "Gamma"),
    ):
        await page.keyboard.press(key)
        await is_at(page, rooms[name])
        await expect(page.locator("html[data-line=live]")).to_be_attached()


async def test_with_shift_they_go_to_what_is_unread_and_escape_reads_it(meet: Meet) -> None:
    ann, ben, alpha = await meet("Alpha")
    _, rooms = await ann_and_her_rooms(ann, alpha)
    await join(ben, rooms["Gamma"])
    page = ann.page
    await page.keyboard.press("Alt+Shift+ArrowDown")  # nothing is unread
    await post_many(ben, rooms["Gamma"], [f"m{number}" for number in range(60)])
    await expect(page.locator(f'.side-row[href="{rooms["Gamma"]}"]')).to_have_class(
        re.compile("is-unread")
    )
    await page.keyboard.press("Alt+Shift+ArrowUp")
    await is_at(page, rooms["Gamma"])
    await expect(page.locator(".new-line")).to_be_visible()
    badge = page.locator(f'.side-row[href="{rooms["Gamma"]}"] [data-badge="unread"]')
    await expect(badge).to_be_visible()  # most is below the window
    await page.locator("#composer").press("Escape")
    await unread(page, rooms["Gamma"], 0)
    await page.reload()
    await unread(page, rooms["Gamma"], 0)


async def test_a_question_mark_lists_all_keys_but_not_while_somebody_writes(meet: Meet) -> None:
    ann, _rooms = await ann_and_her_rooms(*await meet.alone("Alpha"))
    page = ann.page
    listed = page.get_by_role("dialog", name="Keyboard shortcuts")
    await page.locator("#composer").press_sequentially("why? and/or")
    await expect(page.locator("#composer")).to_have_value("why? and/or")
    await expect(listed).to_be_hidden()
    await page.locator(".timeline").focus()
    await page.keyboard.press("?")
    await expect(listed).to_be_visible()
    await expect(listed).to_contain_text("Jump to a room, a person or a page")
    await page.keyboard.press("Alt+ArrowDown")  # what is open has the keys first
    await page.keyboard.press("Control+k")
    await expect(switcher(page)).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(listed).to_be_hidden()
    await ann.goto("/settings")
    await page.get_by_role("link", name="All keyboard shortcuts").click()
    await expect(listed).to_be_visible()


async def test_letters_that_are_written_with_altgr_are_letters(meet: Meet) -> None:
    ann, rooms = await ann_and_her_rooms(*await meet.alone("Alpha"))
    taken = await ann.page.evaluate(
        """() => {
          const press = (key, more) => {
            const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
            return !document.querySelector("#composer").dispatchEvent(event);
          };
          return {
            altgr: press("k", { ctrlKey: true, altKey: true, modifierAltGraph: true }),
            composing: press("k", { ctrlKey: true, isComposing: true }),
            input_method: press("k", { ctrlKey: true, keyCode: 229 }),
            question: press("?", { shiftKey: true }),
            other_letters: press("л", { ctrlKey: true, code: "KeyK" }),
          };
        }"""
    )
    assert taken == {
        "altgr": False,
        "composing": False,
        "input_method": False,
        "question": False,
        "other_letters": True,
    }
    await expect(switcher(ann.page)).to_be_visible()
    await ann.page.keyboard.press("Escape")
    await say(ann.page, "still here")
    await is_at(ann.page, rooms["Beta"])


async def test_without_scripts_the_link_leads_to_a_page_that_does_the_same(
    serve: Serve, person: Arrive
) -> None:
    ann = await person("Ann", await serve(), scripts=False)
    await comes(ann)
    lab = await open_room(ann, "Lab")
    await ann.page.get_by_role("link", name="Jump to").click()
    await ann.page.get_by_role("searchbox").fill("la")
    await ann.page.get_by_role("button", name="Find").click()
    await ann.page.locator("main").get_by_role("link", name="Lab").click()
    await is_at(ann.page, lab)
    await ann.goto("/shortcuts")
    await expect(ann.page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
