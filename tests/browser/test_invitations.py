"""Coming in by a link, in a real browser: with and without scripts, on a phone."""

from playwright.async_api import expect

from tests.browser.actions import PASSWORD, address, comes, open_room
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve


async def fill_in(who: Person) -> None:
    await who.page.get_by_label("Your name").fill(who.name)
    await who.page.get_by_label("Email").fill(address(who))
    await who.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await who.page.get_by_role("button", name="Create account").click()


async def test_people_come_in_by_a_copied_link_that_no_request_tells_of(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann = await person("Ann", server, permissions=["clipboard-read", "clipboard-write"])
    await comes(ann)
    room = await open_room(ann, "Tea")
    await ann.goto(f"/invitations?room={room.rpartition('/')[2]}")
    await expect(ann.page.get_by_role("checkbox", name="Tea")).to_be_checked()
    await ann.page.get_by_label("How many people").fill("2")
    await ann.page.get_by_role("button", name="Make the link").click()
    await expect(ann.page.get_by_role("img", name="QR code of the invitation")).to_be_visible()
    await ann.page.get_by_role("button", name="Copy the link").click()
    await expect(ann.page.get_by_role("button", name="Copied")).to_be_visible()
    link: str = await ann.page.evaluate("() => navigator.clipboard.readText()")
    assert link.startswith(f"{ann.url}/invite/")

    phone = {"viewport": {"width": 320, "height": 600}}
    ben = await person("Ben", server, **phone)
    told: list[str] = []
    ben.page.on("request", lambda request: told.append(request.headers.get("referer", "")))
    await ben.page.goto(link)
    wide = "() => document.documentElement.scrollWidth > innerWidth"
    assert not await ben.page.evaluate(wide)
    await fill_in(ben)
    await expect(ben.page).to_have_url(ben.url + room)
    assert told
    assert not any("/invite/" in referer for referer in told)

    cleo = await person("Cleo", server, scripts=False, **phone)
    await cleo.page.goto(link)
    await fill_in(cleo)
    await expect(cleo.page.get_by_role("heading", level=1)).to_have_text("Tea")

    dan = await person("Dan", server)
    dan.allow("404")
    await dan.page.goto(link)
    await expect(dan.page.get_by_role("heading", level=1)).to_have_text("This invitation is over")


async def test_a_new_site_begins_with_its_administrator_and_a_room(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann = await person("Ann", server)
    await ann.goto("/")
    await expect(ann.page).to_have_url(f"{ann.url}/welcome")
    await ann.page.get_by_label("Your name").fill("Ann")
    await ann.page.get_by_label("Email").fill(address(ann))
    await ann.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await expect(ann.page.get_by_label("Name of the room")).to_have_value("General")
    await ann.page.get_by_role("button", name="Start").click()
    await expect(ann.page.get_by_role("heading", level=1)).to_have_text("General")
    await ann.goto("/admin")
    await expect(ann.page.get_by_role("row", name="Ann (you)")).to_contain_text("Administrator")
