"""Links to a message in a browser: in view and marked, for members, for who joins, and for who signs in first."""

import re

from playwright.async_api import Page, expect

from tests.browser.actions import post_many, send_form, sign_in
from tests.browser.meeting import Meet
from tests.browser.reading import at_rest, scroll_up
from tests.browser.test_reactions import message
from tests.support.chromium import Person
from tests.support.past import say_long_ago

SOME = 140


async def is_pointed_at(page: Page, text: str) -> None:
    await expect(message(page, text)).to_be_in_viewport()
    await expect(message(page, text)).to_have_class(re.compile("is-target"))


async def a_link(meet: Meet, ann: Person, room: str, text: str) -> str:
    """To one of many messages of Ann's."""
    say_long_ago(meet.database_url, room, [f"m{number}" for number in range(SOME)])
    await ann.goto(room)
    seq = int(await message(ann.page, f"m{SOME - 1}").get_attribute("data-seq") or 0)
    wanted = seq - (SOME - 1 - int(text[1:]))
    return f"{room}?around={wanted}#m-{wanted}"


async def all_numbers(page: Page) -> list[int]:
    found: list[int] = await page.evaluate(
        "[...document.querySelectorAll('.timeline [data-seq]')].map((row) => Number(row.dataset.seq))"
    )
    return found


async def test_it_opens_in_view_and_reads_on_both_ways_without_gaps(meet: Meet) -> None:
    ann, room = await meet.alone()
    link = await a_link(meet, ann, room, "m70")
    await ann.goto(link)
    await is_pointed_at(ann.page, "m70")
    await scroll_up(ann.page)
    await expect(message(ann.page, "m20")).to_have_count(1)
    await at_rest(ann.page)
    for _ in range(8):
        await ann.page.evaluate("document.querySelector('.timeline').scrollTop = 0")
        await at_rest(ann.page)
        if await message(ann.page, f"m{SOME - 1}").count():
            break
    await expect(message(ann.page, f"m{SOME - 1}")).to_have_count(1)
    found = await all_numbers(ann.page)
    assert found == list(range(found[0], found[-1] + 1)), "no gap, no row twice, in order"
    assert len(found) > 100
    await post_many(ann, room, ["the newest"])
    await expect(message(ann.page, "the newest")).to_have_count(1)


async def test_the_link_of_a_message_that_is_here_points_at_it_and_loads_nothing(
    meet: Meet,
) -> None:
    ann, room = await meet.alone()
    await a_link(meet, ann, room, "m1")
    await ann.page.evaluate("window.same = true")
    row = message(ann.page, f"m{SOME - 20}")
    seq = await row.get_attribute("data-seq")
    await row.scroll_into_view_if_needed()
    await row.hover()
    await row.locator("a.msg-time").click()
    await is_pointed_at(ann.page, f"m{SOME - 20}")
    await expect(ann.page).to_have_url(f"{ann.url}{room}?around={seq}#m-{seq}")
    assert await ann.page.evaluate("window.same === true")
    await ann.page.reload()
    await is_pointed_at(ann.page, f"m{SOME - 20}")


async def test_who_is_no_member_joins_and_who_is_signed_out_signs_in_and_both_are_there(
    meet: Meet,
) -> None:
    ann, ben, room = await meet()
    await send_form(ben, f"{room}/leave")
    link = await a_link(meet, ann, room, "m70")
    await ben.goto(link)
    await ben.page.get_by_role("button", name="Join this room").click()
    await is_pointed_at(ben.page, "m70")
    await ann.goto("about:blank")  # a page that is still there would miss it
    await ann.context.clear_cookies()
    await ann.goto(link)
    await sign_in(ann)
    await is_pointed_at(ann.page, "m70")
