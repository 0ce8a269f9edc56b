"""Sending files as people do: picked, pasted, dropped; over lines that break; and looking at them."""

from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.actions import LOST, bodies, comes, open_room
from tests.browser.meeting import Meet
from tests.support import pictures
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve

BRING = """([kind, names]) => {
  const data = new DataTransfer();
  for (const name of names) data.items.add(new File(["x".repeat(100)], name));
  const place = document.querySelector(kind === "paste" ? "#composer" : ".timeline");
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
  return place.dispatchEvent(event);
}"""


@pytest.fixture
async def ann(meet: Meet) -> Person:
    ann, _room = await meet.alone()
    await ann.page.locator("#composer").focus()
    return ann


def items(page: Page) -> Locator:
    return page.locator(".attachments .attachment")


async def picks(page: Page, *files: Path | dict[str, object]) -> None:
    await page.locator("#attach").set_input_files(list(files))  # type: ignore[arg-type]


def a_file(name: str, content: bytes = b"hello") -> dict[str, object]:
    return {"name": name, "mimeType": "", "buffer": content}


async def test_files_are_picked_pasted_and_dropped_and_go_with_the_words(meet: Meet) -> None:
    ann, ben, _room = await meet()
    page = ann.page
    await page.locator("#composer").focus()
    await picks(page, a_file("photo.jpg", pictures.photo()), a_file("notes.txt", b"line one\n"))
    assert await page.evaluate(BRING, ["paste", ["pasted.bin"]]) is False
    await page.evaluate(BRING, ["dragenter", ["x"]])
    await expect(page.locator(".is-dropping")).to_be_visible()
    assert await page.evaluate(BRING, ["drop", ["dropped.bin"]]) is False
    await expect(items(page)).to_have_count(4)
    await expect(page.locator(".is-dropping")).to_have_count(0)
    await page.get_by_role("button", name="Remove pasted.bin").click()
    await page.locator("#composer").press_sequentially("look")
    await page.keyboard.press("Enter")
    for reader in (page, ben.page):
        await expect(reader.locator(".msg .msg-body", has_text="look")).to_be_visible()
        await expect(reader.get_by_role("img", name="photo.jpg")).to_have_js_property(
            "naturalWidth", 20
        )
        await expect(reader.locator(".file-card")).to_have_count(2)
    await expect(items(page)).to_have_count(0)


async def test_what_cannot_be_sent_is_said_before_and_the_rest_goes(
    serve: Serve, person: Arrive
) -> None:
    ann = await person("Ann", await serve(UPLOAD_MB="1"))
    await comes(ann)
    await open_room(ann, "Lab")
    await ann.page.locator("#composer").focus()
    page = ann.page
    await picks(page, a_file("big.bin", bytes(2**20 + 1)), a_file("empty"), a_file("good.txt"))
    big = items(page).filter(has_text="big.bin")
    await expect(big).to_contain_text("At most 1 MB.")
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer-state")).to_contain_text("remove it")
    await expect(bodies(page)).to_have_count(0)
    await page.get_by_role("button", name="Remove big.bin").click()
    await expect(page.get_by_role("button", name="Remove good.txt")).to_be_visible()
    await page.locator("#composer").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".msg .file-card")).to_have_count(2)


async def test_a_file_waits_for_a_lost_line_and_its_message_waits_for_the_file(
    ann: Person,
) -> None:
    ann.allow(LOST)
    page = ann.page
    await picks(page, a_file("warm.txt"))
    await page.get_by_role("button", name="Remove warm.txt").click()
    await ann.context.set_offline(True)
    await picks(page, a_file("patient.txt"))
    await expect(items(page)).to_contain_text("Waiting for the connection")
    await page.locator("#composer").press_sequentially("later")
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer-state")).to_contain_text("as soon as")
    await expect(page.locator("#composer")).to_have_value("later")
    await ann.context.set_offline(False)
    await expect(page.locator(".msg .file-card")).to_contain_text("patient.txt")
    await expect(page.locator("#composer")).to_have_value("")


async def test_files_that_have_come_are_still_there_after_a_reload(ann: Person) -> None:
    page = ann.page
    await picks(page, a_file("kept.txt"), a_file("not.txt"))
    await expect(page.locator("#composer-state")).to_have_text(
        "2 files are here. They go with your message."
    )
    await page.get_by_role("button", name="Remove not.txt").click()
    await page.reload()
    await expect(items(page)).to_have_text("kept.txt5\u00a0bytes")
    await page.locator("#composer").press("Enter")
    await expect(page.locator(".msg .file-card")).to_contain_text("kept.txt")
    await page.reload()
    await expect(page.locator(".msg .file-card")).to_contain_text("kept.txt")
    await expect(items(page)).to_have_count(0)


async def test_pictures_open_in_large_and_texts_in_the_page(ann: Person) -> None:
    page = ann.page
    await picks(
        page, a_file("one.png", pictures.photo("PNG")), a_file("two.gif", pictures.animation())
    )
    await picks(page, a_file("code.py", b"def hello():\n    return 1\n"))
    await expect(items(page)).to_have_count(3)
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="one.png").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("img", name="one.png")).to_be_visible()
    await expect(dialog).to_contain_text("1 of 2")
    await page.keyboard.press("ArrowRight")
    await expect(dialog.get_by_role("img", name="two.gif")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Next picture")).to_be_disabled()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_role("link", name="two.gif")).to_be_focused()
    await page.get_by_role("link", name="Show code.py").press("Enter")
    await expect(dialog.locator("pre")).to_have_text("def hello():\n    return 1\n")


async def test_a_file_goes_into_a_thread(ann: Person) -> None:
    page = ann.page
    await page.locator("#composer").fill("the first")
    await page.keyboard.press("Enter")
    row = page.locator(".msg:not([data-seq=''])", has_text="the first")
    await page.goto(f"{page.url}/threads/{await row.get_attribute('data-seq')}")
    pane = page.locator("#thread")
    await pane.locator("#reply").focus()
    await pane.locator("#attach-reply").set_input_files(a_file("in it.txt"))  # type: ignore[arg-type]
    await expect(pane.locator(".attachment")).to_contain_text("bytes")
    await pane.locator("#reply").press("Enter")
    await expect(pane.locator("[data-replies] .file-card")).to_contain_text("in it.txt")
    await expect(page.locator("main .attachment")).to_have_count(0)
