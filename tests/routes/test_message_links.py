"""Web addresses in messages become links; nothing else does, and the text stays as typed."""

from urllib.parse import unquote

import pytest

from tests.routes import pages
from tests.routes.people import HTMX, Person


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is tried here does not depend on the database."""
    return sqlite_url


X = "http://x.example"
WHOLE = [
    f"{X}/my_old_page",
    f"{X}/_a_/b",
    f"{X}/a*b*c",
    f"{X}/w_(t)",
    f"{X}/?q=a&copy=1",
    f"{X}/?a=1&b=2#c",
    f"{X}/日本",
    "https://bücher.example/",
    f"{X}/a#b_c",
    "HTTP://X.EXAMPLE",
    f"{X}:8080/a",
    "https://x.example/" + "a" * 1500,
    "http://localhost:8000/x",
    f"{X}/a~b!c$d",
    f"{X}/100%25",
]
PARTS = {
    f"(see {X}/a)": [f"{X}/a"],
    f"{X}/a.": [f"{X}/a"],
    f"{X}/a,": [f"{X}/a"],
    f"{X}/a!": [f"{X}/a"],
    f"{X}/a?": [f"{X}/a"],
    f'"{X}/a"': [f"{X}/a"],
    f"<{X}/a b>": [f"{X}/a"],
    f"{X}/a,{X}/b": [f"{X}/a", f"{X}/b"],
    f"{X}/a {X}/b": [f"{X}/a", f"{X}/b"],
    f"{X}/a\n{X}/b": [f"{X}/a", f"{X}/b"],
    " ".join(f"{X}/{number}" for number in range(40)): [f"{X}/{number}" for number in range(40)],
    f"[a]({X}/a)": [f"{X}/a"],
    "www.x.example": [],
    "a.b": [],
    "file.txt": [],
    "1.2.3.4": [],
    "10:30": [],
    "http://": [],
    "https://?": [],
    "://x.example": [],
    "//x.example/a": [],
    "ann@x.example": [],
    "mailto:ann@x.example": [],
    "ftp://x.example/a": [],
    "javascript://x.example/%0aalert(1)": [],
    "file:///etc/passwd": [],
    "data:text/html,http": [],
}

# What is formatting shows its words.
FORMATTED = {f"[a]({X}/a)": "a"}


async def said(ann: Person, room: int, text: str) -> pages.Element:
    """The body of the message as it is shown."""
    seq = await ann.says(room, text)
    html = (await ann.get(f"/rooms/{room}/messages?after={seq - 1}", headers=HTMX)).text
    assert pages.bodies(html) == [FORMATTED.get(text, text)]
    return pages.read(html).one("div", class_="msg-body")


async def test_an_address_is_linked_whole(ann, lab):
    for text in WHOLE:
        (link,) = (await said(ann, lab, text)).all("a")
        assert unquote(link.attributes["href"]) == unquote(text)
        assert link.text == text


async def test_what_stands_around_an_address_is_not_part_of_it(ann, lab):
    for text, targets in PARTS.items():
        found = [link.attributes["href"] for link in (await said(ann, lab, text)).all("a")]
        assert found == targets, text


async def test_an_address_with_numbers_for_a_host_is_whole_or_no_link(ann, lab):
    body = await said(ann, lab, "http://[::1]:8000/x")
    assert [link.attributes["href"] for link in body.all("a")] in ([], ["http://[::1]:8000/x"])


async def test_a_link_tells_the_other_site_nothing_and_gets_no_handle_on_ours(ann, lab):
    (link,) = (await said(ann, lab, f"{X}/a")).all("a")
    assert set(link.attributes) == {"href", "rel", "target"}
    assert set(link.attributes["rel"].split()) == {"noopener", "noreferrer", "nofollow", "ugc"}


async def test_an_ampersand_is_escaped_once(ann, lab):
    await said(ann, lab, "https://x.example/?a=1&b=2 & more")
    html = await ann.sees(lab)
    assert 'href="https://x.example/?a=1&amp;b=2"' in html
    assert "&amp;amp;" not in html


async def test_a_message_full_of_addresses_is_still_drawn(ann, lab):
    assert (await said(ann, lab, "http://a.b " * 359 + "end")).all("a")
    for text in ("http://" * 570, "h" + "t" * 3900, "http://x.example/" + "(" * 3900):
        await said(ann, lab, text)
