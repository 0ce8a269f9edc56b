"""What a file is, and what it may be called."""

import pytest

from chatapp.domain import filetypes
from tests.support import pictures

KINDS = {
    "image/png": pictures.photo("PNG"),
    "image/jpeg": pictures.photo("JPEG"),
    "image/gif": pictures.photo("GIF"),
    "image/webp": pictures.photo("WEBP"),
    "application/pdf": b"%PDF-1.7\n...",
    "video/mp4": b"\0\0\0\x20ftypisom\0\0\x02\0",
    "audio/mp4": b"\0\0\0\x20ftypM4A \0\0\x02\0",
    "video/webm": b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x86\x81\x01B\x82\x84webm",
    "audio/ogg": b"OggS\0\x02" + bytes(22) + b"\x01\x1e\x01vorbis",
    "video/ogg": b"OggS\0\x02" + bytes(22) + b"\x01\x2a\x80theora",
    "audio/mpeg": b"\xff\xfb\x90\x64" + bytes(100),
    "audio/wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "audio/flac": b"fLaC\0\0\0\x22",
    "text/plain": "Grüße, 会议记录\n\tx = 1\n".encode(),
}
NEVER_SHOWN = {
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=1"/>',
    "SVG behind a mark and blanks": b'\xef\xbb\xbf \n<?xml version="1.0"?><svg/>',
    "HTML": b"<script>document.title='X'</script>",
    "HTML with a comment": b"<!-- x --><html>",
    "XML": b"<?xml-stylesheet href='x.xsl'?><a/>",
    "a packed SVG": b"\x1f\x8b\x08\0\0\0\0\0",
    "zip": b"PK\x03\x04",
    "HEIC": b"\0\0\0\x18ftypheic",
    "a film in a Matroska": b"\x1aE\xdf\xa3\x01B\x82\x88matroska",
    "Windows": b"MZ\x90\0",
    "UTF-16": "<script>".encode("utf-16"),
    "UTF-7 in bytes": b"+ADw-script+AD4-\x00",
    "zeros": bytes(10),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_is_told_by_content(kind):
    assert filetypes.of(KINDS[kind]) == kind


@pytest.mark.parametrize("what", NEVER_SHOWN)
def test_everything_else_is_a_download(what):
    assert filetypes.of(NEVER_SHOWN[what]) == filetypes.ANY
    assert filetypes.ANY not in filetypes.INLINE


def test_a_sign_cut_in_two_at_the_end_is_still_text():
    assert filetypes.of(("x" * 8191 + "é").encode()[:8192]) == "text/plain"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("会议记录.txt", "会议记录.txt"),
        ("ship-🐳.txt", "ship-🐳.txt"),
        ("cafe\u0301.txt", "café.txt"),
        ('a"b.txt', 'a"b.txt'),
        ("a;b.txt", "a;b.txt"),
        ("a\\b.txt", "b.txt"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x", "x"),
        ("/abs.txt", "abs.txt"),
        (".htaccess", ".htaccess"),
        ("CON.txt", "_CON.txt"),
        ("con", "_con"),
        ("console.txt", "console.txt"),
        ("a\r\nX-Evil: 1.txt", "aX-Evil: 1.txt"),
        ("a%0d%0ab.txt", "a%0d%0ab.txt"),
        ("a.html\0.png", "a.html.png"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("noext", "noext"),
        (".", "file"),
        ("..", "file"),
        ("", "file"),
        ("\u200b\u202e", "file"),
        ("  two   words .txt", "two words .txt"),
        ("half \ud83d.txt", "half .txt"),
        ("👩‍🚀.png", "👩‍🚀.png"),
        ("<img src=x onerror=alert(1)>.txt", "<img src=x onerror=alert(1)>.txt"),
    ],
)
def test_a_name_is_one_line_and_no_path(name, shown):
    assert filetypes.clean_name(name) == shown


def test_a_long_name_keeps_its_ending_and_no_half_signs():
    assert filetypes.clean_name("n" * 300 + ".txt") == "n" * 196 + ".txt"
    long = filetypes.clean_name("会" * 300 + ".tar")
    assert long.endswith("会.tar")
    assert len(long.encode()) <= filetypes.NAME_BYTES
    assert len(filetypes.clean_name("a." + "b" * 9000).encode()) <= filetypes.NAME_BYTES


@pytest.mark.parametrize("name", ["a\r\nX: 1", 'a"b\\c;d%', "会议", "x\u2028y", "e\u0301"])
def test_the_header_is_one_line_of_ascii_whatever_the_name(name):
    header = filetypes.disposition(filetypes.ANY, name)
    assert header.startswith("attachment; filename=")
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
