"""What a file is, by its content, and what its name may be. What people or their browsers say about it counts nothing.

Only what is on the list is ever shown; all else is `ANY`: a download. So are HTML, SVG and XML, whatever their names.
"""

import codecs
import re
import unicodedata
from typing import Final
from urllib.parse import quote

ANY: Final = "application/octet-stream"
TEXT: Final = "text/plain"
HEAD_BYTES: Final = 8192  # of the beginning, by which a type is told
NAME_BYTES: Final = 200  # what any file system takes, with room for a browser's " (1)"

# Shown in the page and opened by their address; the rest is downloaded.
INLINE: Final = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "video/mp4", "video/webm", "video/ogg"}
    | {"audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/flac"}
)

_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_VIDEO_BRANDS: Final = frozenset(
    {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash"}
)
_SOUND_BRANDS: Final = frozenset({b"M4A ", b"M4B "})
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def of(head: bytes) -> str:
    """The media type of a file that begins so (at most `HEAD_BYTES` of it)."""
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], ANY)
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _VIDEO_BRANDS:
            return "video/mp4"
        return "audio/mp4" if brand in _SOUND_BRANDS else ANY
    if head[:4] == b"\x1aE\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else ANY
    if head[:4] == b"OggS":
        return "video/ogg" if b"theora" in head[:64] else "audio/ogg"
    if _is_mpeg_audio(head):
        return "audio/mpeg"
    return TEXT if _is_text(head) else ANY


def _is_mpeg_audio(head: bytes) -> bool:
    """A frame of layer III with a bit rate and a sampling rate that exist."""
    return (
        len(head) > 4
        and head[0] == 0xFF
        and head[1] & 0xE6 == 0xE2
        and head[1] & 0x18 != 0x08
        and head[2] >> 4 not in {0, 15}
        and head[2] & 0x0C != 0x0C
    )


def _is_text(head: bytes) -> bool:
    """UTF-8 without control characters, and no markup: that would be a page to whoever opens the download."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head[:HEAD_BYTES])
    except UnicodeDecodeError:
        return False
    begins = text.lstrip("\ufeff \t\r\n\f")
    return not _CONTROLS.search(text) and not re.match(r"<[!?/a-zA-Z]", begins)


# -- names --------------------------------------------------------------------------

_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
_JOINER: Final = "\u200d"  # emoji need it
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
_NAMELESS: Final = "file"


def clean_name(name: str) -> str:
    """A name as it is shown and offered for saving: one line, no path, nothing that turns other text round, no
    device of Windows, at most `NAME_BYTES`; its ending stays. Never empty."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name[:5000]))[-1]
    shown = "".join(
        sign for sign in last if sign == _JOINER or unicodedata.category(sign) not in _DROPPED
    )
    shown = " ".join(shown.split()).strip(_JOINER)
    if not shown.strip(". "):
        return _NAMELESS
    if _DEVICES.match(shown):
        shown = "_" + shown
    stem, dot, ending = shown.rpartition(".")
    tail = dot + ending if stem and len(ending.encode()) <= 20 else ""
    room = NAME_BYTES - len(tail.encode())
    return shown.removesuffix(tail).encode()[:room].decode(errors="ignore") + tail


def disposition(kind: str, name: str) -> str:
    """The header Content-Disposition (RFC 6266), in ASCII."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%;]', "_", name)
    how = "inline" if kind in INLINE else "attachment"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
