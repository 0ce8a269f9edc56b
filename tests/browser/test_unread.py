"""What is new to somebody: told in every window, gone once read, and found again."""

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.actions import join, post_many, say, send_form, shown, two_in_a_room
from tests.browser.meeting import Meet
from tests.faults.replicas import two_replicas
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve
from tests.support.redis_server import RedisServer

SOME = 60  # more than a page


def badge(page: Page, room: str, kind: str = "unread") -> Locator:
    return page.locator(f'.side-row[href="{room}"] [data-badge="{kind}"]')


async def unread(page: Page, room: str, count: int) -> None:
    """So many are unread in a room, as the list and the title say."""
    if count:
        await expect(badge(page, room)).to_have_text(re.compile(rf"^{count}\b"))
        await expect(page).to_have_title(re.compile(rf"^\({count}\) "))
    else:
        await expect(badge(page, room)).to_have_count(0)
        await expect(page).not_to_have_title(re.compile(r"^\("))


async def with_den(ann: Person, ben: Person, lab: str) -> tuple[Person, Person, str, str]:
    """Another room of theirs besides the Lab, at which Ben looks."""
    den = await send_form(ann, "/rooms", name="Den")
    await join(ben, den)
    await unread(ben.page, lab, 0)
    return ann, ben, lab, den


async def test_reading_in_one_tab_clears_the_mark_in_all(
    serve: Serve, person: Arrive, redis: RedisServer, postgresql_url: str
) -> None:
    """UNR-01, with the other tab at another process."""
    first, second = await two_replicas(serve, postgresql_url, redis.url)
    ann, ben, lab, den = await with_den(*await two_in_a_room(person, first, first))
    other = await ben.context.new_page()
    await other.goto(second.url + den)
    for text in ("one", "two", "three"):
        await say(ann.page, text)
    for page in (ben.page, other):
        await unread(page, lab, 3)
    await ben.page.bring_to_front()
    await ben.page.locator(f'.side-row[href="{lab}"]').click()
    await shown(ben.page, "one", "two", "three")
    for page in (ben.page, other):
        await unread(page, lab, 0)
    await ben.page.reload()
    await unread(ben.page, lab, 0)


async def test_what_was_missed_is_below_a_line_and_opens_there(meet: Meet) -> None:
    ann, ben, lab, _den = await with_den(*await meet())
    await post_many(ann, lab, [f"m{number}" for number in range(SOME)])
    await unread(ben.page, lab, SOME)
    await ben.goto(lab)
    await expect(ben.page.locator(".new-line")).to_contain_text(f"{SOME} new since")
    first = ben.page.locator(".msg", has_text=re.compile(r"m0$"))
    await expect(first).to_be_in_viewport()
    assert await ben.page.locator(".new-line + .msg .msg-body").inner_text() == "m0"
    left = badge(ben.page, lab)
    await expect(left).not_to_have_text(re.compile(rf"^{SOME}\b"))  # what is in view has been read
    await expect(left).to_have_count(1)
    await ben.page.locator(".timeline").press("End")
    await expect(ben.page.locator(".msg", has_text=f"m{SOME - 1}")).to_be_in_viewport()
    await unread(ben.page, lab, 0)
    await say(ben.page, "caught up")
    await expect(ben.page.locator(".new-line")).to_have_count(0)


async def test_marking_as_unread_lasts_and_can_be_undone(meet: Meet) -> None:
    ann, ben, lab, den = await with_den(*await meet())
    await post_many(ann, lab, ["one", "two", "three"])
    await ben.goto(lab)
    await unread(ben.page, lab, 0)
    second = ben.page.locator(".msg", has_text="two")
    await second.hover()
    await ben.page.get_by_role("button", name="Mark unread from here").click()
    await unread(ben.page, lab, 2)
    await expect(ben.page.locator(".new-line + .msg .msg-body")).to_have_text("two")
    await ben.page.get_by_role("button", name="Undo").click()
    await unread(ben.page, lab, 0)
    await second.focus()
    await ben.page.get_by_role("button", name="Mark unread from here").press("Enter")
    await unread(ben.page, lab, 2)
    await ben.goto(den)
    await unread(ben.page, lab, 2)


async def test_ones_own_messages_are_never_unread(meet: Meet) -> None:
    """UNR-03"""
    ann, ben, lab, den = await with_den(*await meet())
    elsewhere = await ann.context.new_page()
    await elsewhere.goto(ann.url + den)
    await ann.page.bring_to_front()
    await say(ann.page, "mine")
    await ann.page.locator(f'.side-row[href="{den}"]').click()
    await unread(ben.page, lab, 1)  # by now everybody has heard of it
    for page in (ann.page, elsewhere):
        await unread(page, lab, 0)


async def test_who_scrolled_up_comes_back_to_the_same_place(meet: Meet) -> None:
    ann, _ben, lab, den = await with_den(*await meet())
    await post_many(ann, lab, [f"m{number}" for number in range(SOME)])
    await ann.page.reload()
    place = ann.page.locator(".msg", has_text="m20")
    await place.evaluate("row => row.scrollIntoView({block: 'start'})")
    await ann.page.locator(f'.side-row[href="{den}"]').click()
    await expect(ann.page.get_by_role("heading", level=1)).to_have_text("Den")
    await ann.page.locator(f'.side-row[href="{lab}"]').click()
    await expect(ann.page.locator(".msg", has_text="m20")).to_be_in_viewport()
    await expect(ann.page.locator(".msg", has_text=f"m{SOME - 1}")).not_to_be_in_viewport()
