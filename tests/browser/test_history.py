"""Reading back: older pages come by themselves and what one reads stays where it is."""

from playwright.async_api import expect

from tests.browser.actions import bodies, comes, join, open_room, say, send_form
from tests.browser.meeting import Meet
from tests.browser.reading import LOOK, WHERE, scroll_up
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve
from tests.support.past import say_long_ago

TEXTS = [f"n{number:03}" for number in range(180)]


async def a_long_past(meet: Meet) -> tuple[Person, Person, str]:
    """Ann said all this, and Ben has just come."""
    ann, ben, room = await meet("Log")
    await send_form(ben, f"{room}/leave")
    say_long_ago(meet.database_url, room, TEXTS)
    await join(ben, room)
    return ann, ben, room


async def test_scrolling_up_loads_all_of_history_once_and_in_order(meet: Meet) -> None:
    ann, room = await meet.alone("Log")
    say_long_ago(meet.database_url, room, TEXTS)
    await ann.page.reload()
    await expect(bodies(ann.page).last).to_have_text(TEXTS[-1])
    for _ in range(4):
        count = await bodies(ann.page).count()
        if count == len(TEXTS):
            break
        await scroll_up(ann.page)
        await expect(bodies(ann.page)).not_to_have_count(count)
    await expect(bodies(ann.page)).to_have_text(TEXTS)
    await expect(ann.page.locator(".day")).to_have_count(1)
    await expect(ann.page.locator(".room-intro")).to_be_visible()


async def test_what_ben_reads_does_not_move_when_pages_and_messages_arrive(
    meet: Meet,
) -> None:
    ann, ben, _room = await a_long_past(meet)
    await expect(bodies(ben.page).last).to_have_text(TEXTS[-1])
    await ben.page.evaluate("() => { document.querySelector('.timeline').scrollTop = -900; }")
    before = await ben.page.evaluate(LOOK)
    count = await bodies(ben.page).count()
    await say(ann.page, "something new")
    await expect(bodies(ben.page)).not_to_have_count(count)
    assert abs(await ben.page.evaluate(WHERE, before["text"]) - before["at"]) <= 2
    pill = ben.page.locator("[data-to-latest]")
    await expect(pill).to_contain_text("1 new message")
    await scroll_up(ben.page)
    await expect(bodies(ben.page)).not_to_have_count(count + 1)
    await pill.click()
    await expect(bodies(ben.page).last).to_be_in_viewport()
    await expect(ben.page.locator("main.room")).to_have_attribute("data-at-end", "true")


async def test_an_old_window_takes_no_live_message_until_it_reaches_the_end(
    meet: Meet,
) -> None:
    ann, ben, room = await a_long_past(meet)
    await ben.goto(f"{room}?around=20")
    first = await bodies(ben.page).first.text_content()
    await say(ann.page, "live now")
    await expect(ben.page.locator("[data-to-latest]")).to_contain_text("1 new message")
    shown = await bodies(ben.page).all_text_contents()
    assert "live now" not in [text.strip() for text in shown]
    assert shown[0] == first
    # On to the end, page by page: then nothing is missing between.
    for _ in range(20):
        if await ben.page.locator("a.newer").count() == 0:
            break
        count = await bodies(ben.page).count()
        await ben.page.evaluate("() => { document.querySelector('.timeline').scrollTop = 0; }")
        await expect(bodies(ben.page)).not_to_have_count(count)
    await expect(bodies(ben.page).last).to_have_text("live now")
    numbers = [text.strip() for text in await bodies(ben.page).all_text_contents()]
    assert numbers == [*TEXTS[TEXTS.index(numbers[0]) :], "live now"]


async def test_days_and_times_are_those_of_the_reader(serve: Serve, person: Arrive) -> None:
    server = await serve()
    ann = await person("Ann", server, timezone_id="Pacific/Auckland")
    ben = await person("Ben", server, timezone_id="America/Los_Angeles")
    await comes(ann)
    room = await open_room(ann, "Clock")
    await say(ann.page, "what time is it?")
    await expect(bodies(ann.page)).to_have_text(["what time is it?"])
    await comes(ben)
    await join(ben, room)
    for who in (ann, ben):
        await who.page.reload()
        for _ in range(2):  # with the cookie the server knows the zone: the same again
            time = who.page.locator(".msg time")
            instant = await time.get_attribute("datetime")
            local = await who.page.evaluate(
                """(instant) => new Intl.DateTimeFormat('en-GB',
                  {hour: '2-digit', minute: '2-digit'}).format(new Date(instant))""",
                instant,
            )
            await expect(time).to_have_text(local)
            day = await who.page.evaluate(
                "(instant) => new Date(instant).toLocaleDateString('sv')", instant
            )
            await expect(who.page.locator(".day").last).to_have_attribute("data-day", day)
            await who.page.reload()
