"""Previews of links in a browser: they come live, fit a small window, and go by one tap."""

from playwright.async_api import expect

from tests.browser.actions import say, two_in_a_room
from tests.support import pictures
from tests.support.fixtures import Arrive, Serve
from tests.support.web_server import answer, web_server

PAGE = b"<title>Larkfield ridge</title><meta property='og:image' content='/pic.png'>"


async def test_a_preview_comes_live_fits_a_small_window_and_goes_by_one_tap(
    serve: Serve, person: Arrive
) -> None:
    async with web_server() as web:
        picture = pictures.photo("PNG", 1, pictures.halves(640, 480))
        web.answers |= {"/page": answer(PAGE), "/pic.png": answer(picture, "image/png")}
        server = await serve(LINK_PREVIEWS="true", PUSH_TEST_HOSTS="127.0.0.1")
        ann, ben, _ = await two_in_a_room(person, server, server)
        await ann.page.set_viewport_size({"width": 320, "height": 640})
        await say(ben.page, f"see {web.origin}/page")
        for page in (ann.page, ben.page):
            await expect(page.get_by_role("link", name="Larkfield ridge")).to_be_visible(
                timeout=20_000
            )
            image = page.locator(".preview-card img")
            await expect(image).to_have_js_property("naturalWidth", 320)
        width = await ann.page.evaluate("document.documentElement.scrollWidth")
        assert width == 320
        remove = ben.page.get_by_role("button", name="Remove the preview")
        await ben.page.evaluate("window.here = true")
        await remove.click()
        for page in (ann.page, ben.page):
            await expect(page.locator(".preview-card")).to_have_count(0)
        assert await ben.page.evaluate("window.here"), "the page is still the same"
