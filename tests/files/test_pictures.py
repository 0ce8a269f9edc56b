"""Pictures from anywhere: what is left of them, and what they cannot do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatapp.files import images
from chatapp.files.images import Images, Seen
from chatapp.files.strip import strip
from tests.support import pictures

TYPES = {kind: media for media, kind in images.KINDS.items()}


@pytest.fixture
async def worker() -> AsyncIterator[Images]:
    worker = Images()
    yield worker
    await worker.close()


async def look(
    worker: Images, folder: Path, data: bytes, kind: str = "JPEG", **how: object
) -> tuple[Seen | None, Path, Path]:
    source, small, clean = folder / "source", folder / "small", folder / "clean"
    source.write_bytes(data)
    how = {"target": small, "clean": clean, **how}
    return await worker.look(source, TYPES[kind], **how), small, clean  # type: ignore[arg-type]


def is_red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return bool(pixel[0] > 150 > pixel[2])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_photo_keeps_no_place_and_stays_upright(worker, tmp_path, kind):
    data = pictures.photo(kind)
    assert pictures.SERIAL.encode() in data
    seen, small, clean = await look(worker, tmp_path, data, kind)
    assert seen == Seen(width=20, height=40, cleaned=True)
    kept = clean.read_bytes()
    for secret in (pictures.SERIAL, pictures.PLACE):
        assert secret.encode() not in kept
        assert secret.encode() not in small.read_bytes()
    original = pictures.opened(kept)
    assert dict(original.getexif()) == {0x0112: 6}
    assert original.tobytes() == pictures.opened(data).tobytes(), "lossless"
    thumbnail = pictures.opened(small.read_bytes())
    assert (thumbnail.format, thumbnail.size, dict(thumbnail.getexif())) == ("WEBP", (20, 40), {})
    assert is_red(thumbnail.getpixel((10, 5))), "red is on top"
    assert not is_red(thumbnail.getpixel((10, 35)))


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_each_way_up_is_told_and_shown(worker, tmp_path, orientation):
    seen, small, _ = await look(worker, tmp_path, pictures.photo("JPEG", orientation))
    assert seen is not None
    assert (seen.width, seen.height) == ((20, 40) if orientation >= 5 else (40, 20))
    assert pictures.opened(small.read_bytes()).size == (seen.width, seen.height)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
async def test_an_animation_goes_on_moving(worker, tmp_path, kind):
    data = pictures.animation(kind)
    seen, small, clean = await look(worker, tmp_path, data, kind)
    assert seen is not None
    assert seen.is_picture
    kept = pictures.opened(clean.read_bytes())
    assert getattr(kept, "n_frames", 1) == 3
    assert getattr(pictures.opened(small.read_bytes()), "n_frames", 1) == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_what_stands_behind_a_picture_is_cut_off(worker, tmp_path, kind):
    hidden = b"PK\x03\x04<script>alert(1)</script>"
    seen, _, clean = await look(worker, tmp_path, pictures.photo(kind) + hidden, kind)
    assert seen is not None
    assert b"<script>" not in clean.read_bytes()


async def test_a_page_in_a_comment_of_a_gif_is_gone(worker, tmp_path):
    data = pictures.photo("GIF")
    assert pictures.SERIAL.encode() in data
    _, _, clean = await look(worker, tmp_path, data, "GIF")
    assert pictures.SERIAL.encode() not in clean.read_bytes()


async def test_colours_are_kept(worker, tmp_path):
    image = pictures.halves()
    image.info["icc_profile"] = b"profile" * 20
    data = pictures.photo("PNG", 1, image)
    _, _, clean = await look(worker, tmp_path, data, "PNG")
    assert pictures.opened(clean.read_bytes()).info.get("icc_profile") == pictures.opened(
        data
    ).info.get("icc_profile")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
async def test_pictures_of_every_kind_have_a_thumbnail(worker, tmp_path, mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    image = pictures.halves(900, 300).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = image.convert("I").point(lambda value: value * 256).convert("I;16")
    seen, small, _ = await look(worker, tmp_path, pictures.photo(kind, 1, image), kind)
    assert seen == Seen(900, 300, cleaned=True)
    assert pictures.opened(small.read_bytes()).size == (800, 267)


async def test_the_middle_of_a_picture_as_a_square(worker, tmp_path):
    data = pictures.photo("JPEG", 6, pictures.halves(300, 100))
    seen, small, _ = await look(worker, tmp_path, data, square=True, longest=64, clean=None)
    assert seen == Seen(100, 300, cleaned=False)
    assert pictures.opened(small.read_bytes()).size == (64, 64)


BROKEN = {
    "nothing but a beginning": ("GIF", b"GIF89a/*<script>alert(1)</script>*/"),
    "cut off": ("JPEG", pictures.photo()[:-200]),
    "cut off in the head": ("PNG", pictures.photo("PNG")[:30]),
    "an endless WebP": ("WEBP", b"RIFF\xff\xff\xff\xffWEBPVP8X"),
    "pixels that are none": ("PNG", pictures.photo("PNG").replace(b"IDAT", b"IDAT\xff", 1)),
    "zeros": ("JPEG", b"\xff\xd8\xff" + bytes(5000)),
    "a palette behind the end": ("GIF", pictures.photo("GIF")[:20]),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_a_broken_picture_is_none_and_hurts_nobody(worker, tmp_path, what):
    kind, data = BROKEN[what]
    seen, _, _ = await look(worker, tmp_path, data, kind)
    assert seen is None or not seen.is_picture
    assert (await look(worker, tmp_path, pictures.photo()))[0] == Seen(20, 40, cleaned=True)


@pytest.mark.parametrize(
    "data", [pictures.bomb(), pictures.bomb(2**31 - 1, 2**31 - 1), pictures.bomb(20_000, 100)]
)
async def test_a_bomb_is_never_decoded(worker, tmp_path, data):
    seen, small, _ = await look(worker, tmp_path, data, "PNG")
    assert seen is None or not seen.is_picture
    assert not small.exists()


async def test_a_flood_of_frames_is_no_picture(worker, tmp_path):
    seen, small, _ = await look(worker, tmp_path, pictures.flood_of_frames(5000), "GIF")
    assert seen == Seen(0, 0, cleaned=True)
    assert not small.exists()


async def test_a_photo_too_large_to_be_shown_tells_no_place_either(worker, tmp_path):
    data = pictures.photo("PNG").replace(b"\0\0\0\x28\0\0\0\x14", b"\0\1\0\0\0\1\0\0", 1)
    seen, _, clean = await look(worker, tmp_path, data, "PNG")
    assert seen == Seen(0, 0, cleaned=True)
    assert pictures.SERIAL.encode() not in clean.read_bytes()


async def test_a_worker_that_takes_too_long_or_dies_is_replaced(tmp_path):
    hasty = Images(seconds=0.0)
    assert (await look(hasty, tmp_path, pictures.photo()))[0] is None
    hasty._worker._seconds = 20
    assert (await look(hasty, tmp_path, pictures.photo()))[0] is not None
    assert hasty._worker._process is not None
    hasty._worker._process.kill()
    await hasty._worker._process.wait()
    assert (await look(hasty, tmp_path, pictures.photo()))[0] is not None
    await hasty.close()


async def test_the_worker_gets_none_of_our_secrets(worker, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "not for everybody")
    await look(worker, tmp_path, pictures.photo())
    environment = Path(f"/proc/{worker._worker._process.pid}/environ").read_bytes()
    assert b"SECRET_KEY" not in environment
    limits = Path(f"/proc/{worker._worker._process.pid}/limits").read_text()
    assert "Max address space         1073741824" in limits


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_whatever_is_cut_out_or_changed_stripping_never_raises(kind):
    data = pictures.photo(kind)
    for at in range(len(data)):
        strip(data[:at], kind)
        strip(data[:at] + b"\xff" + data[at + 1 :], kind)
        strip(data[:at] + b"\0" + data[at + 1 :], kind)
