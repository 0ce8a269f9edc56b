"""What people do to messages that are there, in a browser."""

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.actions import bodies
from tests.support.chromium import Person

GONE = "This message was deleted."


def row(page: Page, text: str) -> Locator:
    return page.locator(".timeline .msg", has_text=text)


def edit_box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Edit the message")


async def from_the_menu(page: Page, text: str, what: str) -> None:
    """By the pointer, and then by the key: a message that comes meanwhile moves what would be clicked."""
    await row(page, text).hover()
    await row(page, text).get_by_role("button", name="More actions").press("Enter")
    await page.locator("#msg-menu").get_by_role("button", name=what, exact=True).press("Enter")


async def goes_to(page: Page, name: str, key: str = "Tab") -> None:
    """By keyboard, to the button of this name."""
    button = page.get_by_role("button", name=name, exact=True)
    await expect(button).to_be_visible()
    while not await button.evaluate("each => each === document.activeElement"):
        await page.keyboard.press(key)


async def begins_to_edit(page: Page, text: str) -> Locator:
    await from_the_menu(page, text, "Edit")
    await expect(edit_box(page)).to_be_focused()
    return edit_box(page)


async def edits(page: Page, text: str, new: str) -> None:
    box = await begins_to_edit(page, text)
    await box.fill(new)
    await box.press("Enter")
    await expect(edit_box(page)).to_have_count(0)


async def reads(page: Page, *texts: str) -> None:
    """These messages are shown. One that ends with ' *' is marked as edited."""
    shown = [
        re.compile("^" + re.escape(text.removesuffix(" *")) + r"\s*\(edited \d\d:\d\d\)$")
        if text.endswith(" *")
        else text
        for text in texts
    ]
    await expect(bodies(page)).to_have_text(shown)


async def over_http(who: Person, path: str, **fields: str) -> int:
    """What another window of the same person does. Returns the status."""
    answer = await who.context.request.post(
        path, form=dict(fields), headers={"Origin": who.url}, max_redirects=0
    )
    return answer.status
