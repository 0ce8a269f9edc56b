"""Everything essential works with scripts off."""

from playwright.async_api import expect

from tests.browser.actions import bodies, comes, fill_in_room, open_room, sign_in, sign_up
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve
from tests.support.past import say_long_ago


async def test_signing_up_at_the_second_try_posting_reading_joining_coming_back_and_leaving(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann, ben = (
        await person("Ann", server, scripts=False),
        await person("Ben", server, scripts=False),
    )
    await is_refused(ann)
    await sign_up(ann)
    room = await fill_in_room(ann, "Tea", "Which kinds")
    await ann.page.locator("#composer").fill("Hello from a page\nwithout scripts")
    await ann.page.get_by_role("button", name="Send").click()
    await expect(bodies(ann.page)).to_have_text(["Hello from a page\nwithout scripts"])
    await sign_up(ben)
    await ben.goto("/rooms")
    await ben.page.get_by_role("searchbox").fill("te")
    await ben.page.get_by_role("searchbox").press("Enter")
    await ben.page.get_by_role("button", name="Join Tea").click()
    await expect(ben.page).to_have_url(f"{ben.url}{room}")
    await expect(bodies(ben.page)).to_have_text(["Hello from a page\nwithout scripts"])
    await ben.page.locator("#composer").fill("Hello back")
    await ben.page.get_by_role("button", name="Send").click()
    await expect(bodies(ben.page).last).to_have_text("Hello back")
    await ben.goto("/settings")
    await ben.page.get_by_role("button", name="Sign out here").click()
    await expect(ben.page).to_have_url(f"{ben.url}/sign-in")
    await ben.goto(room)
    await sign_in(ben)  # which leads to where he wanted to go
    await expect(ben.page).to_have_url(f"{ben.url}{room}")
    await ben.page.get_by_role("button", name="Room menu").click()
    await ben.page.get_by_role("button", name="Leave room").click()
    await expect(ben.page.get_by_text("You left the room.")).to_be_visible()


async def is_refused(ann: Person) -> None:
    """A refused form keeps what was typed, and says what to change."""
    ann.allow("status of 422")
    await ann.goto("/sign-up")
    await ann.page.get_by_label("Your name").fill("Ann")
    await ann.page.get_by_label("Email").fill("ann@nowhere")
    await ann.page.get_by_label("Password", exact=True).fill("short")
    # the browser's own check of the address would be satisfied; ours is not
    await ann.page.get_by_role("button", name="Create account").click()
    await expect(ann.page.get_by_label("Your name")).to_have_value("Ann")
    email = ann.page.get_by_label("Email")
    await expect(email).to_have_value("ann@nowhere")
    await expect(email).to_have_attribute("aria-invalid", "true")
    await expect(ann.page.get_by_text("Please enter an email address")).to_be_visible()
    await expect(ann.page.get_by_text("A password has at least 8 characters.")).to_be_visible()


async def test_history_is_paged_by_links(serve: Serve, person: Arrive, sqlite_url: str) -> None:
    server = await serve(DATABASE_URL=sqlite_url)
    ann = await person("Ann", server, scripts=False)
    await comes(ann)
    room = await open_room(ann, "Log")
    say_long_ago(sqlite_url, room, [f"n{number}" for number in range(60)])
    await ann.goto(room)
    await expect(bodies(ann.page).last).to_have_text("n59")
    await ann.page.get_by_role("link", name="Older messages").click()
    await expect(bodies(ann.page).first).to_have_text("n0")
    await ann.page.get_by_role("link", name="Newer messages").click()
    await expect(bodies(ann.page).last).to_have_text("n59")
