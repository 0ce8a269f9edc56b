"""Two people, two browsers, one room."""

import pytest
from playwright.async_api import expect

from tests.browser.actions import (
    ENDED,
    bodies,
    fill_in_room,
    say,
    send_form,
    shown,
    sign_up,
)
from tests.browser.meeting import Meet
from tests.support.fixtures import Arrive, Serve


@pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.faults)], indirect=True
)
async def test_ann_and_ben_sign_up_and_talk(
    serve: Serve, person: Arrive, database_url: str
) -> None:
    server = await serve(DATABASE_URL=database_url)
    ann, ben = await person("Ann", server), await person("Ben", server)
    await sign_up(ann)
    room = await fill_in_room(ann, "Tea", "Which kinds, and when")
    await sign_up(ben)
    await ben.goto(room)
    await ben.page.get_by_role("button", name="Join this room").click()
    await expect(ben.page.locator("#composer")).to_be_visible()
    await say(ann.page, "Earl Grey at four?")
    await expect(bodies(ben.page)).to_have_text(["Earl Grey at four?"])
    await say(ben.page, "Yes.\nAnd https://cakes.example/menu <b>cake</b> 🍰")
    for page in (ann.page, ben.page):
        await shown(
            page, "Earl Grey at four?", "Yes.\nAnd https://cakes.example/menu <b>cake</b> 🍰"
        )
        await expect(page.get_by_role("link", name="https://cakes.example/menu")).to_be_visible()
        await page.reload()
        await shown(
            page, "Earl Grey at four?", "Yes.\nAnd https://cakes.example/menu <b>cake</b> 🍰"
        )


async def test_everything_ann_sends_quickly_comes_in_her_order_as_often_as_she_said_it(
    meet: Meet,
) -> None:
    ann, ben, _room = await meet()
    texts = [f"m{number:02}" for number in range(1, 31)]
    for text in texts:
        await say(ann.page, text)
    await say(ann.page, "once")
    await ann.page.locator("#composer").press("Enter")
    await say(ann.page, "ok")
    await say(ann.page, "ok")
    texts += ["once", "ok", "ok"]
    await shown(ben.page, *texts)
    await shown(ann.page, *texts)
    await ann.page.reload()
    await shown(ann.page, *texts)


async def test_what_ann_writes_in_one_tab_shows_in_her_other(meet: Meet) -> None:
    ann, room = await meet.alone()
    other = await ann.tab(room)
    await say(ann.page, "from the first")
    await shown(other, "from the first")
    await say(other, "from the second")
    await shown(ann.page, "from the first", "from the second")
    own = ann.page.locator(".msg.is-own")
    await expect(own).to_have_count(2)


async def test_ben_who_leaves_in_one_tab_is_out_in_all_and_hears_no_more(meet: Meet) -> None:
    ann, ben, room = await meet()
    other = await ben.tab(room)
    await say(ann.page, "before")
    await shown(other, "before")
    ben.allow(ENDED)
    await ben.page.get_by_role("button", name="Room menu").click()
    await ben.page.get_by_role("button", name="Leave room").click()
    await expect(ben.page).to_have_url(f"{ben.url}/rooms")
    await say(ann.page, "secret")
    await expect(other).to_have_url(f"{ben.url}/rooms")
    assert "secret" not in await other.content()
    await expect(ann.page.locator(".event")).to_contain_text(["Ann", "Ben joined.", "Ben left."])
    await expect(ann.page.locator("#details-title")).to_have_text("Members 1")


async def test_a_deleted_room_sends_everybody_elsewhere_and_keeps_unsent_words(meet: Meet) -> None:
    ann, ben, room = await meet("Tmp")
    await ben.page.locator("#composer").fill("half a thought")
    for each in (ann, ben):
        each.allow(ENDED)
    await ann.goto(f"{room}/settings")
    await ann.page.get_by_label("Name of the room").fill("tmp")
    await ann.page.get_by_role("button", name="Delete").click()
    await expect(ann.page).to_have_url(f"{ann.url}/rooms")
    await expect(ben.page.locator(".banner.danger, .banner")).to_be_visible()
    await expect(ben.page.locator("#composer")).to_have_value("half a thought")
    await ben.goto(room)
    await expect(ben.page.get_by_text("This room does not exist")).to_be_visible()


async def test_a_new_name_is_on_every_open_page_at_once(meet: Meet) -> None:
    ann, ben, _room = await meet()
    await say(ben.page, "one")
    await say(ben.page, "two")
    await shown(ann.page, "one", "two")
    members = ann.page.locator("#members-list .person")
    await expect(members).to_have_count(2)
    elsewhere = await ben.page.context.new_page()
    await elsewhere.goto(f"{ben.url}/settings")
    await elsewhere.locator("#name").fill("Benjamin Franklin")
    await elsewhere.get_by_role("button", name="Save profile").click()
    await expect(ann.page.locator(".event").last).to_contain_text(
        "Benjamin Franklin was called Ben before."
    )
    await say(ben.page, "three")
    for page in (ann.page, ben.page):
        await expect(page.locator(".msg.is-lead .msg-author").first).to_have_text(
            "Benjamin Franklin"
        )
        await expect(page.locator(".msg .avatar").first).to_have_text("BF")
        await expect(page.get_by_text("Ben joined.", exact=False)).to_have_count(0)
    await expect(members.filter(has_text="Benjamin Franklin")).to_have_count(1)
    await expect(members.filter(has_text="Ann")).to_have_count(1)
    hue = await ben.page.locator("body").get_attribute("data-hue")
    await send_form(ben, "/settings/profile", name="Ben", hue=str(hue))
