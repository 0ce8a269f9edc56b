"""The message box: which key sends, and input methods."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.actions import bodies, comes, open_room, shown
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve


async def ann_in_lab(serve: Serve, person: Arrive, **options: object) -> Person:
    ann = await person("Ann", await serve(), **options)
    await comes(ann)
    await open_room(ann, "Lab")
    return ann


async def chooses(ann: Person, name: str) -> None:
    room = ann.page.url
    await ann.goto("/settings")
    await ann.page.locator(f"label[for={name}]").click()
    await ann.page.get_by_role("button", name="Save writing").click()
    await expect(ann.page.get_by_text("Your choice of keys is saved.")).to_be_visible()
    await ann.page.goto(room)


async def typed(page: Page, *keys: str) -> str:
    box = page.locator("#composer")
    for key in keys:
        await (box.press(key) if "Enter" in key else box.press_sequentially(key))
    return await box.input_value()


async def test_enter_sends_and_shift_enter_begins_a_line(serve: Serve, person: Arrive) -> None:
    ann = await ann_in_lab(serve, person)
    await expect(ann.page.locator(".hint")).to_have_text(
        "Enter sends, Shift Enter starts a new line"
    )
    assert await typed(ann.page, "one", "Shift+Enter", "two") == "one\ntwo"
    assert await typed(ann.page, "Enter") == ""
    assert await typed(ann.page, "three", "Control+Enter") == ""
    await shown(ann.page, "one\ntwo", "three")


async def test_whoever_chose_ctrl_enter_sends_by_that_alone(serve: Serve, person: Arrive) -> None:
    ann = await ann_in_lab(serve, person)
    await chooses(ann, "enter-breaks")
    await expect(ann.page.locator(".hint")).to_have_text(
        "Ctrl Enter sends, Enter starts a new line"
    )
    assert await typed(ann.page, "one", "Enter", "two", "Shift+Enter", "3") == "one\ntwo\n3"
    assert await typed(ann.page, "Control+Enter") == ""
    assert await typed(ann.page, "four", "Meta+Enter") == ""
    await shown(ann.page, "one\ntwo\n3", "four")
    await chooses(ann, "enter-sends")
    assert await typed(ann.page, "five", "Enter") == ""
    await shown(ann.page, "one\ntwo\n3", "four", "five")


async def test_on_a_touch_screen_enter_begins_a_line(serve: Serve, person: Arrive) -> None:
    ann = await ann_in_lab(serve, person, has_touch=True, is_mobile=True)
    assert await typed(ann.page, "one", "Enter", "two") == "one\ntwo"
    await ann.page.get_by_role("button", name="Send").tap()
    await shown(ann.page, "one\ntwo")


@pytest.mark.parametrize("modifiers", [0, 2], ids=["Enter", "Ctrl Enter"])
async def test_enter_that_ends_a_word_of_an_input_method_sends_nothing(
    serve: Serve, person: Arrive, modifiers: int
) -> None:
    ann = await ann_in_lab(serve, person)
    box = ann.page.locator("#composer")
    await box.evaluate(
        """(box) => box.addEventListener("keydown", (event) => { box.dataset.composing = event.isComposing; })"""
    )
    await box.focus()
    keys = await ann.context.new_cdp_session(ann.page)
    await keys.send(
        "Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3}
    )
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": modifiers}
    await keys.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    await expect(box).to_have_attribute("data-composing", "true")
    await keys.send("Input.insertText", {"text": "日本"})
    # Safari has ended the word already when it tells of the key: only 229 says whose it was
    assert await box.evaluate(
        """(box) => box.dispatchEvent(new KeyboardEvent("keydown",
          { key: "Enter", keyCode: 229, bubbles: true, cancelable: true }))"""
    )
    await expect(bodies(ann.page)).to_have_count(0)
    await expect(box).to_have_value("日本")
    await box.press("Enter")
    await shown(ann.page, "日本")


async def test_pasted_lines_stay_lines(serve: Serve, person: Arrive) -> None:
    ann = await ann_in_lab(serve, person)
    await ann.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await ann.page.evaluate("() => navigator.clipboard.writeText('one\\r\\n\\r\\n  two\\nthree')")
    box = ann.page.locator("#composer")
    await box.press("Control+v")
    await expect(box).to_have_value("one\n\n  two\nthree")
    await expect(bodies(ann.page)).to_have_count(0)
    await box.press("Enter")
    await shown(ann.page, "one\n\n two\nthree")
