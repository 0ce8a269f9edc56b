"""Pictures without what they tell of people: lossless, by leaving parts of the file out.

Of JPEG, PNG, GIF and WebP only the parts are kept that say how the picture looks: pixels, palette, colour profile,
animation, and which way up it is. Places, times, serial numbers, comments, embedded thumbnails and whatever stands
behind the picture's end are gone. `None` comes back for what has not the form of such a file.
"""

import re
import struct
import zlib
from typing import Final, NamedTuple

_TURNED: Final = range(2, 9)  # orientations that are not upright
_ENTRIES_MOST: Final = 1000  # of a directory of EXIF


class Stripped(NamedTuple):
    data: bytes
    frames: int


def strip(data: bytes, kind: str) -> Stripped | None:
    """`kind`: JPEG, PNG, GIF or WEBP."""
    try:
        return {"JPEG": _jpeg, "PNG": _png, "GIF": _gif, "WEBP": _webp}[kind](data)
    except (struct.error, IndexError, ValueError):
        return None


def _orientation(tiff: bytes) -> int:
    """The one value of EXIF that is kept; 1 when it says nothing that makes sense."""
    try:
        order = {b"II": "<", b"MM": ">"}[tiff[:2]]
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for n in range(min(count, _ENTRIES_MOST)):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * n)
            if (tag, kind) == (0x0112, 3):
                return int(value) if value in _TURNED else 1
    except (KeyError, struct.error):
        pass
    return 1


def _tiff(orientation: int) -> bytes:
    """EXIF that says which way up, and nothing else."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


# -- JPEG ---------------------------------------------------------------------------

_EXIF: Final = b"Exif\0\0"
_NEXT: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # a marker that ends the pixels of a scan
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_TABLES: Final = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD})


def _jpeg(data: bytes) -> Stripped | None:
    if data[:2] != b"\xff\xd8":
        return None
    parts: list[bytes] = []
    orientation, at = 1, 2
    while True:
        while data[at] == data[at + 1] == 0xFF:  # fill bytes
            at += 1
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xD9:
            break
        if marker in _ALONE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if length < 2 or end > len(data):
            return None
        said = data[at + 4 : end]
        if marker == 0xDA:
            found = _NEXT.search(data, end)
            if found is None:
                return None
            parts.append(data[at : found.start()])
            at = found.start()
            continue
        if marker == 0xE1 and said.startswith(_EXIF):
            orientation = _orientation(said[6:])
        elif _tells_the_look(marker, said):
            parts.append(data[at:end])
        at = end
    if orientation != 1:
        exif = _EXIF + _tiff(orientation)
        parts.insert(0, b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif)
    return Stripped(b"\xff\xd8" + b"".join(parts) + b"\xff\xd9", 1)


def _tells_the_look(marker: int, said: bytes) -> bool:
    return (
        marker in _TABLES
        or (marker == 0xE0 and said.startswith(b"JFIF\0"))
        or (marker == 0xE2 and said.startswith(b"ICC_PROFILE\0"))
        or (marker == 0xEE and said.startswith(b"Adobe"))
    )


# -- PNG ----------------------------------------------------------------------------

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP"}
    | {b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT"}
)


def _png(data: bytes) -> Stripped | None:
    if not data.startswith(_PNG) or data[12:16] != b"IHDR":
        return None
    parts: list[bytes] = []
    frames, orientation, at = 1, 1, 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            return None
        if kind in _PNG_KEPT:
            parts.append(data[at:end])
        if kind == b"acTL":
            (frames,) = struct.unpack_from(">I", data, at + 8)
        elif kind == b"eXIf":
            orientation = _orientation(data[at + 8 : end - 4])
        elif kind == b"IEND":
            break
        at = end
    if orientation != 1:
        exif = b"eXIf" + _tiff(orientation)
        chunk = struct.pack(">I", len(exif) - 4) + exif + struct.pack(">I", zlib.crc32(exif))
        parts.insert(1, chunk)
    return Stripped(_PNG + b"".join(parts), frames)


# -- GIF ----------------------------------------------------------------------------

_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def _gif(data: bytes) -> Stripped | None:
    if data[:6] not in {b"GIF87a", b"GIF89a"}:
        return None
    at = 13 + _colours(data[10])
    parts = [data[:at]]
    frames = 0
    while data[at] != 0x3B:
        if data[at] == 0x2C:
            end = _blocks(data, at + 11 + _colours(data[at + 9]))
            frames += 1
            keeps = True
        elif data[at] == 0x21:
            end = _blocks(data, at + 2)
            keeps = data[at + 1] == 0xF9 or (
                data[at + 1] == 0xFF and data[at + 3 : at + 14] in _LOOPS
            )
        else:
            return None
        if keeps:
            parts.append(data[at:end])
        at = end
    return Stripped(b"".join(parts) + b"\x3b", frames)


def _colours(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(data: bytes, at: int) -> int:
    """Where a row of blocks ends that begins here."""
    while data[at]:
        at += 1 + data[at]
    return at + 1


# -- WebP ---------------------------------------------------------------------------

_WEBP_KEPT: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_HAS_EXIF, _HAS_XMP = 0x08, 0x04


def _webp(data: bytes) -> Stripped | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    (size,) = struct.unpack_from("<I", data, 4)
    last = 8 + size
    if last > len(data):
        return None
    head, parts = b"", []
    frames, orientation, at = 0, 1, 12
    while at < last:
        kind, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        said = data[at + 8 : at + 8 + length]
        if len(said) < length:
            return None
        if kind == b"VP8X":
            head = said
        elif kind == b"EXIF":
            orientation = _orientation(said.removeprefix(_EXIF))
        elif kind in _WEBP_KEPT:
            parts.append(_chunk(kind, said))
            frames += kind == b"ANMF"
        at = end
    if head:
        turned = orientation != 1
        flags = head[0] & ~(_HAS_EXIF | _HAS_XMP) | (_HAS_EXIF if turned else 0)
        parts.insert(0, _chunk(b"VP8X", bytes([flags]) + head[1:]))
        if turned:
            parts.append(_chunk(b"EXIF", _tiff(orientation)))
    body = b"WEBP" + b"".join(parts)
    return Stripped(b"RIFF" + struct.pack("<I", len(body)) + body, max(1, frames))


def _chunk(kind: bytes, said: bytes) -> bytes:
    return kind + struct.pack("<I", len(said)) + said + bytes(len(said) % 2)
