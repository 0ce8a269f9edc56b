"""Pictures as cameras, programs and attackers make them."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

RED, BLUE = (220, 30, 30), (30, 30, 220)
PLACE = "Secret Street 7"
SERIAL = "SN-4711-0815"
_SAVES: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0, "comment": SERIAL.encode()},
    "PNG": {},
    "WEBP": {"lossless": True},
    "GIF": {"comment": SERIAL.encode()},
}


def halves(width: int = 40, height: int = 20) -> Image.Image:
    """The left half red, the right half blue."""
    image = Image.new("RGB", (width, height), BLUE)
    image.paste(RED, (0, 0, width // 2, height))
    return image


def photo(kind: str = "JPEG", orientation: int = 6, image: Image.Image | None = None) -> bytes:
    """With a place, a serial number, and (turned by 90°) which way up it is."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = SERIAL
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0), 29: PLACE}
    options = dict(_SAVES[kind])
    if kind != "GIF":
        options["exif"] = exif
    out = io.BytesIO()
    (image or halves()).save(out, kind, **options)
    return out.getvalue()


def animation(kind: str = "GIF", frames: int = 3) -> bytes:
    out = io.BytesIO()
    more = [halves(40 + 0 * n, 20).rotate(180 * (n % 2)) for n in range(1, frames)]
    halves().save(out, kind, save_all=True, append_images=more, duration=80, loop=0)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def chunk(kind: bytes, said: bytes) -> bytes:
    return struct.pack(">I", len(said)) + kind + said + struct.pack(">I", zlib.crc32(kind + said))


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a few kB that would be gigabytes."""
    rows = zlib.compressobj(9)
    packed = rows.compress(bytes(min(1 + width // 8, 4096)) * 200) + rows.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", packed), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def flood_of_frames(count: int) -> bytes:
    """A GIF that shows a dot again and again."""
    data = animation(frames=2)
    end = data.rindex(b"\x3b")
    frame = b"\x21\xf9\x04\x00\x01\x00\x00\x00" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
    return data[:end] + (frame + b"\x02\x02\x44\x01\x00") * count + b"\x3b"
