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
    """By the form, as people do. For whom it is not the point: `comes`."""
    await who.goto("/sign-up")
    await who.page.get_by_label("Your name").fill(who.name)
    await who.page.get_by_label("Email").fill(address(who))
    await who.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await who.page.get_by_role("button", name="Create account").click()
    await expect(who.page).to_have_url(f"{who.url}/")


async def sign_in(who: Person) -> None:
    await who.page.get_by_label("Email").fill(address(who))
    await who.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await who.page.get_by_role("button", name="Sign in").click()


def address(who: Person) -> str:
    return f"{who.name.lower()}@people.example"


async def send_form(who: Person, path: str, **fields: str) -> str:
    """What a form of the person's browser would send, without its page. Returns the path that the answer leads to."""
    answer = await who.context.request.post(
        path, form=dict(fields), headers={"Origin": who.url}, max_redirects=0
    )
    assert answer.status == 303, await answer.text()
    return answer.headers["location"]


async def comes(who: Person) -> None:
    """Signed up, and no page seen yet."""
    await send_form(who, "/sign-up", name=who.name, email=address(who), password=PASSWORD)


async def fill_in_room(who: Person, name: str, topic: str) -> str:
    """A new room by its form. Returns its path."""
    await who.goto("/rooms/new")
    form = who.page.locator("main form")
    await form.get_by_label("Name").fill(name)
    await form.get_by_label("Topic").fill(topic)
    await form.get_by_role("button", name="Create room").click()
    await expect(who.page.get_by_role("heading", level=1)).to_have_text(name)
    return who.page.url.removeprefix(who.url)


async def open_room(who: Person, name: str, topic: str = "") -> str:
    """Returns the room's path; the page is open."""
    room = await send_form(who, "/rooms", name=name, topic=topic)
    await who.goto(room)
    await expect(who.page.get_by_role("heading", level=1)).to_have_text(name)
    return room


async def join(who: Person, room: str) -> None:
    await send_form(who, f"{room}/join")
    await who.goto(room)
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
    await comes(ann)
    room = await open_room(ann, name, topic)
    await comes(ben)
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


async def post_many(who: Person, room: str, texts: list[str]) -> None:
    """Many posts over HTTP with the person's own session, one after another."""
    await who.page.evaluate(
        """async ([room, texts]) => {
          for (const body of texts) {
            const form = new URLSearchParams({body, key: crypto.randomUUID()});
            const answer = await fetch(`${room}/messages`,
              {method: 'POST', body: form, headers: {Accept: 'application/json'}});
            if (!answer.ok) throw new Error(String(answer.status));
          }
        }""",
        [room, texts],
    )
