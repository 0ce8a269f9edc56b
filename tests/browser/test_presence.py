"""Who is here and who writes, on the page."""

import json

from playwright.async_api import Locator, Page, expect

from tests.browser.actions import say, send_form, shown
from tests.browser.conftest import Run
from tests.browser.meeting import Meet


def group(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


async def is_drawn_afresh_the_same(page: Page) -> None:
    """The snapshot rule, for the eye."""

    async def people() -> list[str]:
        return [
            " ".join(text.split())
            for text in await page.locator(".people-group:not([hidden])").all_text_contents()
        ]

    before = await people()
    await page.reload()
    assert await people() == before


async def test_people_come_and_go_and_everybody_sees_it(meet: Meet) -> None:
    ann, ben, _room = await meet()
    page = ann.page
    await expect(group(page, "Here now, 2").locator(".person")).to_have_count(2)
    await expect(page.locator("#details .avatar[data-presence=online]")).to_have_count(2)
    await expect(page.locator(".side-me .avatar")).to_have_attribute("data-presence", "online")
    await is_drawn_afresh_the_same(page)
    await ben.page.evaluate(
        "Object.defineProperty(document, 'hidden', { value: true });"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    await expect(group(page, "Away, 1")).to_contain_text("Ben", timeout=12_000)
    await is_drawn_afresh_the_same(page)
    await ben.page.close()
    await expect(group(page, "Not here, 1")).to_contain_text("Ben", timeout=12_000)
    await expect(group(page, "Here now, 1")).to_contain_text("Ann (you), here now")
    await is_drawn_afresh_the_same(page)
    dot = """(avatar) => {
      document.documentElement.dataset.line = "offline";
      return getComputedStyle(avatar, "::after").display;
    }"""
    assert await page.locator("#details .avatar").first.evaluate(dot) == "none"


async def test_who_is_invisible_is_not_here_for_others(meet: Meet) -> None:
    ann, ben, _room = await meet()
    await expect(group(ann.page, "Here now, 2")).to_be_visible()
    settings = await ben.context.new_page()
    await settings.goto(f"{ben.url}/settings")
    await settings.get_by_label("Invisible").check()
    await settings.get_by_role("button", name="Save presence").click()
    await expect(settings.locator(".side-me")).to_contain_text("Invisible")
    await expect(group(ann.page, "Not here, 1")).to_contain_text("Ben")
    await expect(group(ann.page, "Here now, 1")).to_be_visible()
    await ben.page.locator("#composer").press_sequentially("unseen", delay=30)
    await say(ben.page, "but heard")
    await shown(ann.page, "but heard")
    await expect(ann.page.locator("[data-names]")).to_have_text("")
    await send_form(ben, "/settings/presence")
    await expect(group(ann.page, "Here now, 2")).to_be_visible()


async def test_one_sees_others_write_and_never_oneself(meet: Meet) -> None:
    ann, ben, room = await meet()
    await expect(group(ann.page, "Here now, 2")).to_be_visible()
    second = await ben.context.new_page()
    await second.goto(f"{ben.url}{room}")
    line = ann.page.locator(".typing")
    before = await line.bounding_box()
    await ben.page.locator("#composer").press_sequentially("Earl Grey", delay=30)
    await expect(line.locator("[data-names]")).to_have_text("Ben is typing")
    await expect(line.get_by_role("status")).to_have_text("Ben is typing")
    assert await line.bounding_box() == before
    for page in (ben.page, second):
        await expect(page.locator("[data-names]")).to_have_text("")
    await ben.page.locator("#composer").press("Enter")
    await shown(ann.page, "Earl Grey")
    await expect(line.locator("[data-names]")).to_have_text("")
    await ben.page.locator("#composer").press("x")
    await expect(line.locator("[data-names]")).to_have_text("Ben is typing")
    await expect(line.locator("[data-names]")).to_have_text("", timeout=8_000)


async def test_away_is_five_minutes_without_input_or_five_seconds_hidden(run: Run) -> None:
    moments = [
        (1_000, 0, None, "here"),
        (300_000, 0, None, "here"),
        (300_001, 0, None, "away"),
        (10_000, 9_000, 5_000, "here"),
        (10_001, 9_000, 5_000, "away"),
    ]
    seen = [
        {"now": now, "inputAt": input_at, "hiddenAt": hidden_at}
        for now, input_at, hidden_at, _state in moments
    ]
    found = await run("presence", f"return {json.dumps(seen)}.map(m.stateOf);")
    assert found == [state for *_when, state in moments]


async def test_three_are_named_and_more_are_several(run: Run) -> None:
    said = await run(
        "typing",
        """
        const words = { writesOne: "%1 is", writesTwo: "%1 and %2 are", writesThree: "%1, %2 and %3 are",
          writesMany: "Several are" };
        return [0, 1, 3, 4, 9].map((count) => m.sentence(count, words));
        """,
    )
    assert said == [
        [],
        [0, " is"],
        [0, ", ", 1, " and ", 2, " are"],
        ["Several are"],
        ["Several are"],
    ]
