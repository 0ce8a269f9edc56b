"""What people do in a browser, in their words."""

from playwright.async_api import Locator, Page, expect

from tests.support.chat_server import ChatServer
from tests.support.chromium import Person
from tests.support.fixtures import Arrive
from tests.support.swamp import Swamp
from tests.support.wire import Wire

# What a browser says of lines that break, where breaking them is part of the test.
LOST = "ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|WebSocket|ERR_EMPTY|ERR_CONN|ERR_SOCKET|Failed to fetch"
# What it says of requests that were on their way when the session, the membership or the room they need ended.
ENDED = "status of 40[134]"

PASSWORD = "correct horse battery"


async def sign_up(who: Person) -> None:
    await who.goto("/sign-up")
    await who.page.get_by_label("Your name").fill(who.name)
    await who.page.get_by_label("Email").fill(f"{who.name.lower()}@people.example")
    await who.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await who.page.get_by_role("button", name="Create account").click()
    await expect(who.page).to_have_url(f"{who.url}/")


async def sign_in(who: Person) -> None:
    await who.page.get_by_label("Email").fill(f"{who.name.lower()}@people.example")
    await who.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await who.page.get_by_role("button", name="Sign in").click()


async def open_room(who: Person, name: str, topic: str = "") -> str:
    """Returns the room's path."""
    await who.goto("/rooms/new")
    form = who.page.locator("main form")
    await form.get_by_label("Name").fill(name)
    if topic:
        await form.get_by_label("Topic").fill(topic)
    await form.get_by_role("button", name="Create room").click()
    await expect(who.page.get_by_role("heading", level=1)).to_have_text(name)
    return who.page.url.removeprefix(who.url)


async def join(who: Person, room: str) -> None:
    await who.goto(room)
    await who.page.get_by_role("button", name="Join this room").click()
    await expect(who.page.locator("#composer")).to_be_visible()


async def two_in_a_room(
    person: Arrive,
    ann_at: ChatServer | Wire | Swamp,
    ben_at: ChatServer | Wire | Swamp,
    name: str = "Lab",
    topic: str = "",
) -> tuple[Person, Person, str]:
    """Ann, who opens a room, Ben, who joins it, and its path. Each comes to the server or over a line to it."""
    ann, ben = await person("Ann", ann_at), await person("Ben", ben_at)
    await sign_up(ann)
    room = await open_room(ann, name, topic)
    await sign_up(ben)
    await join(ben, room)
    return ann, ben, room


async def say(page: Page, text: str) -> None:
    await page.locator("#composer").fill(text)
    await page.locator("#composer").press("Enter")


def bodies(page: Page) -> Locator:
    """The words of all messages shown, pending ones too."""
    return page.locator(".timeline .msg .msg-body")


async def shown(page: Page, *texts: str) -> None:
    """Exactly these messages are on the page, in this order, and each is stored."""
    await expect(bodies(page)).to_have_text(list(texts))
    await expect(page.locator(".timeline .msg.is-pending, .timeline .msg.is-failed")).to_have_count(
        0
    )


async def post_many(who: Person, room: str, texts: list[str], together: int = 1) -> None:
    """Many posts over HTTP with the person's own session, `together` at once; those of a bunch in any order."""
    await who.page.evaluate(
        """async ([room, texts, together]) => {
          const post = async (body) => {
            const form = new URLSearchParams({body, key: crypto.randomUUID()});
            const answer = await fetch(`${room}/messages`,
              {method: 'POST', body: form, headers: {Accept: 'application/json'}});
            if (!answer.ok) throw new Error(String(answer.status));
          };
          while (texts.length) await Promise.all(texts.splice(0, together).map(post));
        }""",
        [room, texts, together],
    )
