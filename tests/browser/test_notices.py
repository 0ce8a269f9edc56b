"""Notices: from pushes, from open tabs, and what the settings say of this device.

The browser of these tests has no notifications, so the worker's two doors to them are replaced by a list. All else is
real: the worker, its push event, the tabs, and a push service on loopback.
"""

import asyncio
import json
from typing import Any
from uuid import uuid4

from playwright.async_api import Worker, expect

from tests.browser.actions import LOST, bodies, comes, join, open_room, post_many, send_form
from tests.support.chromium import Person
from tests.support.fixtures import Arrive, Serve
from tests.support.push_service import push_service

ALLOWED = """
Object.defineProperty(Notification, 'permission', {get: () => 'granted'});
Notification.requestPermission = async () => 'granted';
"""
LISTED = """() => {
  self.calls = 0;
  self.notices = [];
  const part = ServiceWorkerRegistration.prototype;
  part.showNotification = async (title, options) => {
    self.calls += 1;
    self.notices = self.notices.filter(({ tag }) => tag !== options.tag);
    const close = () => { self.notices = self.notices.filter((each) => each !== notice); };
    const notice = { title, ...options, close };
    self.notices.push(notice);
  };
  part.getNotifications = async ({ tag } = {}) => self.notices.filter((each) => !tag || each.tag === tag);
  WindowClient.prototype.focus = async function () { return this; };
}"""
CLICK = """async () => {
  const event = new Event('notificationclick');
  event.notification = self.notices[0];
  let work;
  event.waitUntil = (promise) => { work = promise; };
  self.dispatchEvent(event);
  await work;
}"""
# A browser that takes pushes; this one would ask its maker's service for an address.
SUBSCRIBED = """(([fields]) => {
  let mine = null;
  const { endpoint, ...keys } = fields;
  PushManager.prototype.subscribe = async () => (mine = {
    endpoint, toJSON: () => ({ endpoint, keys }), unsubscribe: async () => { mine = null; },
  });
  PushManager.prototype.getSubscription = async () => mine;
})"""


async def worker_of(who: Person) -> Worker:
    """The person's service worker, with a list in place of notifications."""
    await who.page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    worker = who.context.service_workers[0]
    await worker.evaluate(LISTED)
    return worker


async def notices(worker: Worker) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await worker.evaluate(
        "() => self.notices.map(({ title, body, tag }) => ({ title, body, tag }))"
    )
    return found


async def becomes(worker: Worker, *expected: tuple[str, str]) -> None:
    """The notices shown, by title and text."""
    async with asyncio.timeout(10):
        while [(each["title"], each["body"]) for each in await notices(worker)] != list(expected):
            await asyncio.sleep(0.05)


async def push(who: Person, payload: dict[str, Any]) -> None:
    """As the browser's push service would hand it over."""
    line = await who.context.new_cdp_session(who.page)
    heard: asyncio.Queue[Any] = asyncio.Queue()
    line.on("ServiceWorker.workerRegistrationUpdated", heard.put_nowait)
    await line.send("ServiceWorker.enable")
    while not (known := (await asyncio.wait_for(heard.get(), 10))["registrations"]):
        pass
    number = known[0]["registrationId"]
    given = {"origin": who.url, "registrationId": number, "data": json.dumps(payload)}
    await line.send("ServiceWorker.deliverPushMessage", given)
    await line.detach()


async def test_pushes_of_a_room_are_one_notice_that_grows_opens_the_message_and_goes_once_read(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann, ben = await person("Ann", server), await person("Ben", server)
    await comes(ann)
    room = await open_room(ann, "Lab")
    await comes(ben)
    await join(ben, room)
    await post_many(ben, room, ["One", "Two"])
    number = int(room.rpartition("/")[2])
    await ann.goto("/rooms")
    worker = await worker_of(ann)
    one = {"room": number, "name": "Lab", "author": "Ben", "text": "One", "seq": 3, "count": 1}
    await push(ann, {**one, "url": f"{room}?around=3#m-3"})
    await becomes(worker, ("Lab", "Ben: One"))
    two = {**one, "text": "Two", "seq": 4, "count": 2, "url": f"{room}?around=4#m-4"}
    await push(ann, two)
    await becomes(worker, ("Lab", "2 new messages\nBen: Two"))
    await push(ann, {"test": True})
    await becomes(
        worker, ("Lab", "2 new messages\nBen: Two"), ("chatapp", "Notices reach this device.")
    )
    await worker.evaluate(CLICK)
    await expect(ann.page).to_have_url(f"{ann.url}{room}?around=4#m-4")
    await push(ann, two)
    await becomes(worker, ("chatapp", "Notices reach this device."))
    await send_form(ann, "/sign-out")
    await ann.goto("/sign-in")
    await becomes(worker)


async def test_one_of_several_tabs_tells_and_the_notice_goes_when_it_is_read_elsewhere(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann, ben = await person("Ann", server), await person("Ben", server)
    await ann.context.add_init_script(ALLOWED)
    await comes(ann)
    room = await open_room(ann, "Lab")
    muted = await open_room(ann, "Noise")
    await send_form(ann, f"{muted}/notify", notify="nothing")
    await comes(ben)
    await join(ben, room)
    await join(ben, muted)
    await ann.goto("/rooms")
    await ann.tab("/rooms")
    await ann.tab("/settings")
    worker = await worker_of(ann)
    await post_many(ben, muted, ["Not this"])
    await post_many(ben, room, ["Earl Grey?", "At four?"])
    await becomes(worker, ("Lab", "2 new messages\nBen: At four?"))
    assert await worker.evaluate("() => self.calls") == 1
    await send_form(ann, f"{room}/read")
    await becomes(worker)
    await send_form(ann, "/settings/quiet", **{"from": "00:00", "until": "23:59"})
    await post_many(ben, room, ["Hush"])
    await expect(ann.page.locator(f'[data-room="{room.rpartition("/")[2]}"] .badge')).to_have_text(
        "1 unread"
    )
    await asyncio.sleep(2)  # a notice would come after a second and a half
    assert await worker.evaluate("() => self.calls") == 1


async def test_the_settings_turn_pushes_on_try_them_and_turn_them_off(
    serve: Serve, person: Arrive
) -> None:
    server = await serve(PUSH_TEST_HOSTS="127.0.0.1")
    ann = await person("Ann", server)
    async with push_service() as service:
        fields = service.browser("ann").fields
        await ann.context.add_init_script(ALLOWED)
        await ann.context.add_init_script(f"{SUBSCRIBED}([{json.dumps(fields)}])")
        await comes(ann)
        await ann.goto("/settings")
        page = ann.page
        await expect(page.get_by_text("While a window of ours is open")).to_be_visible()
        switch = page.get_by_role("switch", name="Push to this device")
        test = page.get_by_role("button", name="Send a test push")
        await expect(test).to_be_disabled()
        await switch.check()
        await expect(page.get_by_text("This device takes pushes now.")).to_be_visible()
        await test.click()
        await expect(page.get_by_text("The push service took it.")).to_be_visible()
        assert (await service.next()).payload["test"] is True
        service.answers = [410]
        await test.click()
        await expect(page.get_by_text("did not take it")).to_be_visible()
        await switch.uncheck()
        await expect(page.get_by_text("takes no pushes any more")).to_be_visible()
        await expect(test).to_be_disabled()
        await page.get_by_label("From", exact=True).fill("22:00")
        await page.get_by_label("Until", exact=True).fill("07:30")
        await page.get_by_role("button", name="Save quiet hours").click()
        await expect(page.get_by_text("Your quiet hours are saved.")).to_be_visible()
        await expect(page.get_by_label("Until", exact=True)).to_have_value("07:30")


async def test_without_a_line_the_offline_page_comes_and_with_it_the_newest_page(
    serve: Serve, person: Arrive
) -> None:
    server = await serve()
    ann = await person("Ann", server)
    ann.allow(LOST)
    await comes(ann)
    room = await open_room(ann, "Lab")
    await ann.page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    await ann.page.wait_for_function("navigator.serviceWorker.controller !== null")
    await asyncio.to_thread(server.stop)
    await ann.goto("/rooms")
    await expect(ann.page).to_have_title("Offline · chatapp")
    await expect(ann.page.get_by_role("heading", name="You are offline")).to_be_visible()
    rules = "[...document.styleSheets].every(({ cssRules }) => cssRules.length > 0)"
    assert await ann.page.evaluate(rules), "its stylesheets are there"
    await asyncio.to_thread(server.start)
    await ann.page.get_by_role("link", name="Try again").click()
    await expect(ann.page.get_by_role("heading", name="Rooms", exact=True, level=1)).to_be_visible()
    await send_form(ann, f"{room}/messages", body="Fresh", key=str(uuid4()))
    await ann.goto(room)
    await expect(bodies(ann.page)).to_have_text(["Fresh"])
