"""Writing with formatting, in a real browser under our content security policy, which reports everything it blocks."""

from uuid import uuid4

from playwright.async_api import Page, expect

from tests.browser.actions import comes, join, open_room, say, send_form, shown
from tests.browser.meeting import Meet
from tests.routes.test_markup import CORPUS
from tests.support.fixtures import Arrive, Serve

HOSTILE = [
    *CORPUS,
    "**[x](javascript:alert(1))** `<img src=x onerror=alert(1)>`",
    "```<svg/onload=alert(1)> \"onclick='alert(1)'\n<script>alert(1)</script>\n```",
    "|<img src=x onerror=alert(1)>|[a](data:text/html,x)|\n|-|-|\n|`</td><script>`|<hx-x onclick=alert(1)>|",
    '[<b hx-get="/sign-out" hx-trigger="load">](https://x.example/"><script>alert(1)</script>)',
    "> <div hx-get='/sign-out' hx-trigger='load'>\n\n- <p id=content hx-swap-oob=true>",
    "\u202e *abc* \u2066\n\n**" + "e" + "\u0301" * 50 + "**",
]


async def test_hostile_text_does_nothing_in_a_browser(serve: Serve, person: Arrive) -> None:
    """SECURITY 1 to 9: whatever the policy would have to block fails the test (Person.problems)."""
    server = await serve()
    ann = await person("Ann", server)
    await comes(ann)
    name = "<hx-x onclick=alert(1)><b>"
    room = await open_room(ann, name, "'\"><svg onload=alert(1)>")
    ben = await person("Ben", server)
    await send_form(
        ben,
        "/sign-up",
        name="<img src=x onerror=alert(1)>",
        email="b@x.example",
        password="correct horse",
    )
    await join(ben, room)
    asked: list[str] = []
    ben.page.on("request", lambda request: asked.append(request.url))
    for text in HOSTILE:
        await send_form(ann, f"{room}/messages", body=text, key=_key())
    await say(ben.page, "the *last* one")
    await expect(ben.page.locator(".msg-body em", has_text="last").last).to_be_visible()
    for page in (ben.page, ann.page):
        await _is_harmless(page)
    await ben.goto(room)
    await _is_harmless(ben.page)
    assert not [url for url in asked if "sign-out" in url or "evil" in url or url.endswith("/x")]
    await expect(ben.page.get_by_role("heading", level=1)).to_have_text(name)


async def _is_harmless(page: Page) -> None:
    wrong = await page.evaluate(
        """() => [...document.querySelectorAll('.msg-body *')].filter(element =>
            !['P','EM','STRONG','S','CODE','A','UL','OL','LI','BLOCKQUOTE','PRE','SPAN','TABLE','THEAD','TBODY','TR',
              'TH','TD','DIV','FIGURE','FIGCAPTION','BUTTON','svg','use'].includes(element.tagName)
            || [...element.attributes].some(({ name, value }) => /^(on|hx-|data-hx|id$|style)/.test(name)
               || name === 'href' && !/^(https?:|mailto:|[/])/.test(value))).map(element => element.outerHTML)"""
    )
    assert wrong == []


def _key() -> str:
    return str(uuid4())


async def test_a_formatted_message_looks_the_same_live_and_on_a_fresh_page_and_its_code_is_copied(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann = await person("Ann", server, permissions=["clipboard-read", "clipboard-write"])
    await comes(ann)
    room = await open_room(ann, "Lab")
    code = "if a < b:\n    go()"
    await ann.page.locator("#composer").fill(
        f"**Plan** for @Ann:\n- one `a`\n- :tea:\n\n> quote\n\n```py\n{code}\n```\n|a|b|\n|-|-|\n|1|2|"
    )
    await ann.page.keyboard.press("Enter")
    await expect(ann.page.locator(".msg-body strong")).to_have_text("Plan")
    await expect(ann.page.locator(".msg.is-pending")).to_have_count(0)
    live = await ann.page.locator(".msg .msg-body").inner_html()
    await ann.goto(room)
    assert await ann.page.locator(".msg .msg-body").inner_html() == live
    assert "data-copy" in live
    await ann.page.get_by_role("button", name="Copy the code").click()
    await expect(ann.page.get_by_role("button", name="Copied")).to_be_visible()
    assert await ann.page.evaluate("() => navigator.clipboard.readText()") == code


async def test_nothing_formatted_is_wider_than_the_window(meet: Meet) -> None:
    """UNI-06"""
    ann, room = await meet.alone()
    for body in (
        "**" + "W" * 2000 + "**",
        "*see* https://x.example/" + "a" * 1500,
        "```\n" + "x" * 500 + "\n```",
        "|" + "column|" * 40 + "\n" + "|-" * 40 + "|\n" + "|value" * 40 + "|",
        "> " * 9 + "deep",
        "\n".join("  " * n + "- deep" for n in range(9)),
        "*a*\n" + "b\n" * 300,
    ):
        await send_form(ann, f"{room}/messages", body=body, key=_key())
    for width in (320, 1280):
        await ann.page.set_viewport_size({"width": width, "height": 700})
        await ann.goto(room)
        await expect(ann.page.locator(".msg")).to_have_count(7)
        assert await ann.page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth")
        assert await ann.page.evaluate(
            """() => [...document.querySelectorAll('.msg')].every(row =>
              row.getBoundingClientRect().right <= row.closest('.timeline').getBoundingClientRect().right)"""
        )
        await expect(ann.page.get_by_role("button", name="Send")).to_be_in_viewport()


async def test_an_emoji_is_completed_by_its_code(meet: Meet) -> None:
    ann, _room = await meet.alone()
    box, keys = ann.page.locator("#composer"), ann.page.keyboard
    options = ann.page.locator("#mention-menu [role=option]")
    await box.focus()
    await keys.type("hi :t")
    await keys.type("ea")
    await expect(options.first).to_have_text("🍵:tea:")
    await expect(ann.page.get_by_role("listbox", name="Emoji")).to_be_visible()
    await keys.press("Enter")
    await expect(box).to_have_value("hi 🍵 ")
    await keys.type("at 10:30 :te")
    await expect(options.first).to_be_visible()
    await keys.press("Escape")
    await expect(options).to_have_count(0)
    await keys.press("Enter")
    await shown(ann.page, "hi 🍵 at 10:30 :te")


async def test_the_picker_is_used_by_keyboard_and_remembers(meet: Meet) -> None:
    ann, room = await meet.alone()
    page, keys = ann.page, ann.page.keyboard
    box, picker = page.locator("#composer"), page.get_by_role("dialog", name="Emoji")
    await box.fill("ok ")
    button = page.get_by_role("button", name="Emoji", exact=True)
    await button.focus()
    await keys.press("Enter")
    field = picker.get_by_role("searchbox")
    await expect(field).to_be_focused()
    await keys.type("thumbs")
    await expect(picker.get_by_role("button").first).to_have_text("👍")
    await keys.press("ArrowDown")
    await expect(picker.get_by_role("button", name="thumbs up")).to_be_focused()
    await keys.press("ArrowRight")
    await expect(picker.get_by_role("button", name="thumbs down")).to_be_focused()
    await keys.press("ArrowUp")
    await expect(field).to_be_focused()
    await picker.get_by_role("radio", name="Medium", exact=True).check()
    await expect(picker.get_by_role("button", name="thumbs up")).to_have_text("👍🏽")
    await field.focus()
    await keys.press("Enter")
    await expect(picker).to_be_hidden()
    await expect(box).to_be_focused()
    await expect(box).to_have_value("ok 👍🏽")
    await button.click()
    await expect(
        picker.get_by_role("region", name="Lately used").get_by_role("button")
    ).to_have_text(["👍🏽"])
    await field.fill("no such thing")
    await expect(picker.get_by_text("No emoji is called that.")).to_be_visible()
    await keys.press("Escape")
    await expect(picker).to_be_hidden()
    await expect(button).to_be_focused()
    await ann.goto(room)
    await button.click()
    await expect(
        picker.get_by_role("region", name="Lately used").get_by_role("button")
    ).to_have_text(["👍🏽"])


async def test_the_preview_follows_what_is_typed_until_it_is_sent_and_the_help_says_what_can_be(
    meet: Meet,
) -> None:
    ann, _room = await meet.alone()
    page, keys = ann.page, ann.page.keyboard
    box, preview = page.locator("#composer"), page.get_by_role("region", name="Preview")
    await box.focus()
    await keys.type("*one*")
    await keys.press("Control+Alt+KeyP")
    await expect(preview.locator("em")).to_have_text("one")
    await expect(box).to_be_focused()
    await keys.type(" **two**")
    await expect(preview.locator("strong")).to_have_text("two")
    await keys.press("Enter")
    await expect(page.locator(".msg strong")).to_have_text("two")
    await expect(preview).to_be_hidden()  # there is nothing to show
    toggle = page.get_by_role("button", name="Preview", exact=True)
    await expect(toggle).to_have_attribute("aria-pressed", "true")
    await toggle.click()
    await expect(toggle).to_have_attribute("aria-pressed", "false")
    await keys.type("*three*")
    await expect(preview).to_be_hidden()
    assert await page.locator(".msg").count() == 1
    await ann.page.get_by_role("button", name="How to format").click()
    help_ = ann.page.get_by_role("dialog", name="How to format")
    await expect(help_.locator("strong")).to_have_text("strong")
    await ann.page.keyboard.press("Escape")
    await expect(help_).to_be_hidden()
