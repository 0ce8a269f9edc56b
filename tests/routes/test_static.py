"""What a browser loads besides the page: packed, to be kept for ever, and not much of it."""

import gzip
import hashlib
import re

import pytest

from chatapp.static_files import STATIC, static_version
from tests.routes.people import Person

CSS = f"/static/{static_version()}/css/app.css"
LATER = STATIC / "js" / "later"
SCRIPT_BYTES = 60 * 1024  # all of a page's scripts together, as they travel
CALL_BYTES = 24 * 1024  # what the page of a call loads besides


async def get(site, path, accepted):
    """The answer with its body as it travelled."""
    client = Person(site).client
    async with client.stream("GET", path, headers={"accept-encoding": accepted}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    return answer, raw


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*"])
async def test_a_stylesheet_is_packed_for_whoever_takes_it(site, accepted):
    answer, raw = await get(site, CSS, accepted)
    plain = (STATIC / "css/app.css").read_bytes()
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain
    assert len(raw) < len(plain) / 4
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "immutable" in answer.headers["cache-control"]


async def test_what_a_browser_has_is_not_sent_again(site):
    client = Person(site).client
    for accepted in ("gzip", "identity"):
        first = await client.get(CSS, headers={"accept-encoding": accepted})
        known = {"accept-encoding": accepted, "if-none-match": first.headers["etag"]}
        again = await client.get(CSS, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br"])
async def test_it_is_sent_as_it_is_to_whoever_does_not(site, accepted):
    answer, raw = await get(site, CSS, accepted)
    assert "content-encoding" not in answer.headers
    assert raw == (STATIC / "css/app.css").read_bytes()
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_a_page_is_packed_as_well(site):
    plain, _ = await get(site, "/sign-in", "identity")
    packed, raw = await get(site, "/sign-in", "gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert b"<h1" in gzip.decompress(raw)
    assert "content-encoding" not in plain.headers


async def test_all_scripts_of_a_page_stay_small(site):
    """Every module of ours, and htmx, but for what is fetched when somebody asks for it, or only by a call's page."""
    every, of_calls = 0, 0
    ours = [file for file in (STATIC / "js").rglob("*.js") if file.parent != LATER]
    for file in [*ours, STATIC / "vendor/htmx.min.js"]:
        path = f"/static/{static_version()}/{file.relative_to(STATIC)}"
        answer, raw = await get(site, path, "gzip")
        assert answer.headers["content-encoding"] == "gzip"
        if file.parent.name == "call":
            of_calls += len(raw)
        else:
            every += len(raw)
    assert every < SCRIPT_BYTES
    assert of_calls < CALL_BYTES


@pytest.mark.parametrize(
    ("path", "begins"), [("", ["js/app.js"]), ("/call", ["js/app.js", "js/call/page.js"])]
)
async def test_a_page_names_all_its_scripts_at_once_so_that_none_waits_for_another(
    ann, lab, path, begins
):
    page = (await ann.get(f"/rooms/{lab}{path}")).text
    named = re.findall(f'rel="modulepreload" href="/static/{static_version()}/([^"]+)"', page)
    assert len(named) > 40
    seen, left = set(), [STATIC / name for name in begins]
    while left:
        file = left.pop()
        if file not in seen:
            seen.add(file)
            lines = [line for line in file.read_text().splitlines() if line.endswith('.js";')]
            left += [(file.parent / line.split('"')[1]).resolve() for line in lines]
    assert {STATIC / name for name in named} | {STATIC / "js/app.js"} == seen


def test_what_is_for_later_is_not_loaded_with_the_page():
    for file in (STATIC / "js").rglob("*.js"):
        if file.parent != LATER:
            assert not re.search(r"^import [^(].*/later/", file.read_text(), re.MULTILINE), file


def test_what_is_vendored_is_what_the_list_says():
    listed = (STATIC / "vendor/VENDORED.md").read_text()
    for file in (STATIC / "vendor").iterdir():
        if file.suffix != ".md":
            assert f"| `{file.name}` |" in listed
            assert hashlib.sha256(file.read_bytes()).hexdigest() in listed, file.name
