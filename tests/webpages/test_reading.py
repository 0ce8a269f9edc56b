"""What is taken from the pages of strangers: short plain text, whatever they try."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatapp.webpages.reader import Pages, Told


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    reader = Pages(seconds=60)
    yield reader
    await reader.close()


async def read(pages: Pages, folder: Path, page: bytes, charset: str = "") -> Told | None:
    source = folder / "page"
    source.write_bytes(page)
    return await pages.read(source, charset)


async def test_what_a_page_says_of_itself_goes_ahead_of_its_title(pages, tmp_path):
    plain = (
        b"<title> A\n title </title><meta name=description content='Of &amp; about'><body><title>x"
    )
    assert await read(pages, tmp_path, plain) == Told("A title", "Of & about", "", "")
    graph = (
        b"<html><head><title>No</title><meta property='og:title' content='Yes'>"
        b"<META NAME='Twitter:Title' CONTENT='no'><meta property='og:description' content='It is'>"
        b"<meta property='og:site_name' content='Site'><meta property='og:image' content='/a.png'>"
        b"<meta property='og:image' content='/second.png'></head>"
    )
    assert await read(pages, tmp_path, graph) == Told("Yes", "It is", "Site", "/a.png")
    empty = b"<title>T</title><meta property='og:title' content=' '><meta property='og:title'>"
    assert await read(pages, tmp_path, empty) == Told("T", "", "", "")
    for page in (
        b"",
        b"<p>no head",
        b"\0\xff\xfe" * 9,
        b"<title></title>",
        b"<body><title>x</title>",
    ):
        assert await read(pages, tmp_path, page) is None, page


async def test_it_is_plain_text_and_short(pages, tmp_path):
    page = (
        "<meta property=og:title content='<script>go()</script>\u202ea\0b\u2028c\x1bd'>"
        f"<meta name=description content='{'many words ' * 9999}'>"
        f"<meta property=og:site_name content='{'s' * 999}'>"
        f"<meta property=og:image content='{'i' * 9999}'>"
    )
    told = await read(pages, tmp_path, page.encode())
    assert told is not None
    assert told.title == "<script>go()</script> a b c d", "which the template escapes"
    assert (len(told.text), len(told.site), told.picture) == (299, 60, "") or len(told.text) == 300
    assert told.text.endswith("…")
    long = await read(pages, tmp_path, b"<title>" + b"t" * 100_000 + b"</title>")
    assert long is not None
    assert len(long.title) == 200


@pytest.mark.parametrize(
    ("page", "charset"),
    [
        ("<title>Grüße</title>".encode(), ""),
        ("<title>Grüße</title>".encode("latin-1"), "iso-8859-1"),
        (b"<meta charset=windows-1252><title>Gr\xfc\xdfe</title>", ""),
        ("<title>Grüße</title>".encode("utf-16"), "utf-8"),
        (b"\xef\xbb\xbf" + "<title>Grüße</title>".encode(), "latin-1"),
        ("<title>Grüße</title>".encode(), "unheard-of"),
        ("<title>Grüße</title>".encode(), "punycode"),
        ("<title>Grüße</title>".encode(), "zlib"),
        ("<title>Grüße</title>".encode(), "\0é"),
    ],
)
async def test_it_is_read_as_it_is_written(pages, tmp_path, page, charset):
    told = await read(pages, tmp_path, page, charset)
    assert told is not None
    assert told.title == "Grüße"


async def test_a_page_that_is_made_to_take_long_ends_the_worker_and_the_next_is_read(
    pages, tmp_path
):
    for hostile in (b"<!--" * 130_000, b"<div>" * 100_000):
        await read(pages, tmp_path, hostile)
        told = await read(pages, tmp_path, b"<title>next</title>")
        assert told is not None
        assert told.title == "next"


async def test_the_worker_has_no_secrets_and_little_memory(pages, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "not for everybody")
    await read(pages, tmp_path, b"<title>x</title>")
    process = pages._worker._process
    assert process is not None
    assert b"SECRET_KEY" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert "Max address space         268435456" in limits
    assert "Max file size             0" in limits
