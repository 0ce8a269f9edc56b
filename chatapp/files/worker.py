"""Looks at pictures, as a program of its own: `python -m chatapp.files.worker`. The one door to `PIL`.

A line of JSON asks, a line of JSON answers (`images.py`). The process has no secrets in its environment, little memory,
few files, and a few seconds of CPU for each picture; whoever started it ends it when a picture takes longer.
"""

import math
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

from chatapp.confined import Asked, confine, serve
from chatapp.files.strip import strip

PIXELS_MOST: Final = 40_000_000
SIDE_MOST: Final = 16_383  # what WebP and browsers can have
FRAMES_MOST: Final = 1_000
FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP")
PROFILE_MOST: Final = 64 * 1024  # bytes of a colour profile that a thumbnail takes along
MEMORY_MOST: Final = 1024 * 1024 * 1024
FILE_MOST: Final = 256 * 1024 * 1024
FILES_MOST: Final = 32
CPU_SECONDS: Final = 10  # for one picture


def look(asked: Asked, answer: Asked) -> None:
    """`source`: a file. `clean`: where it goes without what it tells of people. `target`: where a picture of at most
    `longest` goes, as WebP, upright; with `square` its middle. Empty: not wanted. Raises whatever decoders raise; what
    was done until then is in the answer."""
    data = Path(asked["source"]).read_bytes()
    stripped = strip(data, asked["kind"])
    if stripped is None:
        return
    if asked["clean"]:
        Path(asked["clean"]).write_bytes(stripped.data)
        answer["cleaned"] = True
    if stripped.frames > FRAMES_MOST:
        return
    with Image.open(BytesIO(stripped.data), formats=[asked["kind"]]) as image:
        width, height = image.size
        if not 0 < width * height <= PIXELS_MOST or max(width, height) > SIDE_MOST:
            return
        turned = image.getexif().get(0x0112, 1) >= 5
        if asked["target"]:
            _save(image, asked["longest"], asked["target"], square=asked["square"])
        else:
            image.load()
    answer |= {"width": height if turned else width, "height": width if turned else height}


def _save(image: Image.Image, longest: int, target: str, *, square: bool) -> None:
    profile = image.info.get("icc_profile") or b""
    if image.mode == "CMYK" or len(profile) > PROFILE_MOST:
        profile = b""
    if square:  # enough pixels on the shorter side
        width, height = image.size
        wanted = math.ceil(longest * max(width, height) / min(width, height))
        image.draft("RGB", (wanted, wanted))
    else:
        image.draft("RGB", (longest, longest))  # JPEG leaves out what is too fine to be seen
    small = _plain(image)
    if not square:
        small.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=2.0)
    small = _upright(small, image)
    if square:
        small = ImageOps.fit(small, (longest, longest), Image.Resampling.LANCZOS)
        if small.mode == "RGBA":  # what is behind it must not shine through
            small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
            small = small.convert("RGB")
    small.save(target, "WEBP", quality=80, method=2, icc_profile=profile, exif=b"")


def _plain(image: Image.Image) -> Image.Image:
    """Red, green, blue, and alpha where there is some."""
    if image.mode.startswith(("I", "F")):  # sixteen bits a pixel
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    has_alpha = image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "RGB")


def _upright(small: Image.Image, image: Image.Image) -> Image.Image:
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(image.getexif().get(0x0112, 1))
    return small if turn is None else small.transpose(turn)


def main() -> None:
    Image.MAX_IMAGE_PIXELS = None  # ours is asked before anything is decoded, and is no warning
    Image.init()
    confine(memory=MEMORY_MOST, file=FILE_MOST, files=FILES_MOST)
    serve(look, {"cleaned": False, "width": 0, "height": 0}, CPU_SECONDS)


if __name__ == "__main__":
    main()
