"""What people change about themselves, and the devices they are signed in with."""

import pytest

from tests.routes import pages
from tests.routes.people import Person, somebody

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19 Safari/604"
)


async def test_a_new_name_is_shown_in_old_messages_too(ann, bob, lab):
    await bob.says(lab, "hello")
    answer = await bob.post("/settings/profile", {"name": "Robert Baker", "hue": "7"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings#profile")
    page = await bob.get("/settings")
    assert pages.status(page.text) == "Your profile is saved."
    assert pages.typed(page.text, "name") == "Robert Baker"
    assert pages.authors(await ann.sees(lab)) == ["Robert Baker"]
    assert "Robert Baker" in pages.members(await ann.sees(lab))


async def test_a_name_may_be_saved_again_or_change_its_case(bob):
    for name in ("Bob Baker", "BOB BAKER", "bob baker"):
        answer = await bob.post("/settings/profile", {"name": name, "hue": "1"})
        assert answer.status_code == 303, name


async def test_a_name_that_cannot_be_is_kept_in_the_form(ann, bob):
    for name in ["", "  ", "Ann Archer", "ann archer", "admin", "b\u202eb", "x" * 65]:
        answer = await bob.post("/settings/profile", {"name": name, "hue": "1"})
        assert answer.status_code == 422, ascii(name)
        assert pages.complaint(answer.text, "name")
        assert pages.typed(answer.text, "name") == name
        assert "Bob Baker" in (await bob.get("/settings")).text


async def test_there_are_twelve_colours(bob):
    for hue in ["12", "-1", "x", "", "١", "1.0", "9" * 99, "\0"]:
        answer = await bob.post("/settings/profile", {"name": "Bob Baker", "hue": hue})
        assert answer.status_code == 422, ascii(hue)
        assert "twelve colours" in answer.text


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_theme_is_kept_on_this_device(bob, theme):
    answer = await bob.post("/settings/theme", {"theme": theme})
    assert answer.headers["location"] == "/settings#appearance"
    assert f'data-theme="{theme}"' in (await bob.get("/rooms")).text
    assert "data-theme" not in (await (await bob.elsewhere().signs_in()).get("/rooms")).text


async def test_which_key_sends_is_kept_on_all_devices(bob, lab):
    assert "Enter sends, Shift Enter" in await bob.sees(lab)
    other = await bob.elsewhere().signs_in()
    for choice, hint in (
        ("breaks", "Ctrl Enter sends, Enter starts"),
        ("sends", "Enter sends, Sh"),
    ):
        answer = await bob.post("/settings/writing", {"enter": choice})
        assert (answer.status_code, answer.headers["location"]) == (303, "/settings#writing")
        said = pages.status((await bob.get("/settings")).text)
        assert said == "Your choice of keys is saved."
        for browser in (bob, other):
            assert hint in await browser.sees(lab)
            assert f'data-enter="{choice}"' in await browser.sees(lab)


async def test_there_is_no_theme_of_ones_own(bob):
    answer = await bob.post("/settings/theme", {"theme": '"><script>'})
    assert answer.status_code == 422
    assert "Please choose one of the themes" in answer.text
    bob.client.cookies.set("theme", '"><script>alert(1)</script>')
    assert "<script>alert" not in (await bob.get("/rooms")).text


# -- devices -------------------------------------------------------------------------


def devices(html: str) -> list[str]:
    section = pages.read(html).one("section", id="devices")
    return [item.one("h3").text.strip() for item in section.all("li")]


async def numbers(person: Person) -> list[int]:
    page = pages.read((await person.get("/settings")).text)
    forms = [form.attributes["action"] for form in page.all("form", class_="list-action")]
    return [int(action.split("/")[3]) for action in forms if action.startswith("/settings/")]


async def test_bob_sees_where_he_is_signed_in_this_device_first(bob):
    phone = await bob.elsewhere(headers={"User-Agent": PHONE}, address="198.51.100.7").signs_in()
    fox = await bob.elsewhere(headers={"User-Agent": FIREFOX}).signs_in()
    html = (await fox.get("/settings")).text
    assert devices(html)[0] == "Firefox on Linux This device"
    assert sorted(devices(html)[1:]) == ["A program on an unknown system", "Safari on iPhone"]
    assert "198.51.100.7" in html
    assert devices((await phone.get("/settings")).text)[0] == "Safari on iPhone This device"


async def test_bob_signs_one_device_out(bob):
    phone = await bob.elsewhere(headers={"User-Agent": PHONE}).signs_in()
    third = await bob.elsewhere().signs_in()
    (old, one) = sorted(await numbers(bob))
    assert old < one
    answer = await bob.post(f"/settings/devices/{old}/sign-out")
    assert answer.headers["location"] == "/settings#devices"
    assert pages.status((await bob.get("/settings")).text) == "The device is signed out."
    assert not await phone.is_signed_in()
    assert await third.is_signed_in()
    assert await bob.is_signed_in()
    assert (await bob.post(f"/settings/devices/{old}/sign-out")).status_code == 404


async def test_nobody_signs_out_somebody_elses_device(ann, bob):
    await ann.elsewhere().signs_in()
    for number in await numbers(ann):
        assert (await bob.post(f"/settings/devices/{number}/sign-out")).status_code == 404
    assert len(await numbers(ann)) == 1


async def test_bob_signs_out_all_his_other_devices(ann, bob):
    others = [await bob.elsewhere().signs_in() for _ in range(3)]
    answer = await bob.post("/settings/devices/sign-out-others")
    assert answer.status_code == 303
    assert [await other.is_signed_in() for other in others] == [False] * 3
    assert await bob.is_signed_in()
    assert await ann.is_signed_in()


async def test_what_a_browser_says_of_itself_is_text(bob):
    other = bob.elsewhere()
    odd = b"Firefox/<script>alert(1)</script>\xff\x01 Linux"
    fields = {"email": bob.email, "password": bob.password}
    await other.post("/sign-in", fields, headers={b"User-Agent": odd})
    html = (await other.get("/settings")).text
    assert "<script>alert" not in html
    assert devices(html)[0] == "Firefox on Linux This device"


async def test_a_fifty_first_device_ends_the_one_unused_longest(roomy):
    bob = await somebody(roomy)
    for _ in range(50):
        last = await bob.elsewhere().signs_in()
    assert not await bob.is_signed_in()
    assert len(await numbers(last)) == 49
