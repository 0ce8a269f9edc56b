"""The message box: which key sends, and input methods."""

from playwright.async_api import Page, expect

from tests.browser.actions import bodies, shown
from tests.browser.input_method import CTRL, input_method
from tests.browser.meeting import Meet
from tests.support.chromium import Person


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


async def test_enter_sends_and_shift_enter_begins_a_line_unless_ann_chose_ctrl_enter(
    meet: Meet,
) -> None:
    ann, _room = await meet.alone()
    await expect(ann.page.locator(".hint")).to_have_text(
        "Enter sends, Shift Enter starts a new line"
    )
    assert await typed(ann.page, "one", "Shift+Enter", "two") == "one\ntwo"
    assert await typed(ann.page, "Enter") == ""
    assert await typed(ann.page, "three", "Control+Enter") == ""
    await shown(ann.page, "one\ntwo", "three")
    await chooses(ann, "enter-breaks")
    await expect(ann.page.locator(".hint")).to_have_text(
        "Ctrl Enter sends, Enter starts a new line"
    )
    assert await typed(ann.page, "4", "Enter", "5", "Shift+Enter", "6") == "4\n5\n6"
    assert await typed(ann.page, "Control+Enter") == ""
    assert await typed(ann.page, "seven", "Meta+Enter") == ""
    await shown(ann.page, "one\ntwo", "three", "4\n5\n6", "seven")
    await chooses(ann, "enter-sends")
    assert await typed(ann.page, "eight", "Enter") == ""
    await shown(ann.page, "one\ntwo", "three", "4\n5\n6", "seven", "eight")


async def test_enter_that_ends_a_word_of_an_input_method_sends_nothing(meet: Meet) -> None:
    ann, _room = await meet.alone()
    box = ann.page.locator("#composer")
    await box.evaluate(
        """(box) => box.addEventListener("keydown", (event) => { box.dataset.composing = event.isComposing; })"""
    )
    words = await input_method(ann.page)
    for modifiers, count in ((0, 1), (CTRL, 2)):
        await box.focus()
        await words.begin("にほん")
        await words.press_enter(modifiers)
        await expect(box).to_have_attribute("data-composing", "true")
        await words.end("日本")
        # Safari has ended the word already when it tells of the key: only 229 says whose it was
        assert await box.evaluate(
            """(box) => box.dispatchEvent(new KeyboardEvent("keydown",
              { key: "Enter", keyCode: 229, bubbles: true, cancelable: true }))"""
        )
        await expect(bodies(ann.page)).to_have_count(count - 1)
        await expect(box).to_have_value("日本")
        await box.press("Enter")
        await shown(ann.page, *["日本"] * count)


async def test_pasted_lines_stay_lines(meet: Meet) -> None:
    ann, _room = await meet.alone()
    await ann.page.evaluate(
        """() => document.addEventListener("copy", (event) => {
          event.clipboardData.setData("text/plain", "one\\r\\n\\r\\n  two\\nthree");
          event.preventDefault();
        })"""
    )
    box = ann.page.locator("#composer")
    await box.press("Control+c")
    await box.press("Control+v")
    await expect(box).to_have_value("one\n\n  two\nthree")
    await expect(bodies(ann.page)).to_have_count(0)
    await box.press("Enter")
    await shown(ann.page, "one\n\n two\nthree")
