"""What a browser needs to install the site as an app."""

import struct

from tests.support.asgi import Site


def size(png: bytes) -> str:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return f"{width}x{height}"


async def test_the_manifest_names_icons_of_the_sizes_it_says_and_pages_that_are_there(site: Site):
    client = site.client()
    manifest = (await client.get("/manifest.webmanifest")).json()
    assert (manifest["id"], manifest["start_url"], manifest["scope"]) == ("/", "/", "/")
    pngs = [icon for icon in manifest["icons"] if icon["type"] == "image/png"]
    assert {(icon["sizes"], icon["purpose"]) for icon in pngs} == {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }
    for icon in pngs:
        answer = await client.get(icon["src"])
        assert answer.headers["content-type"] == "image/png"
        assert size(answer.content) == icon["sizes"]
        assert len(answer.content) < 20_000
    for shortcut in manifest["shortcuts"]:
        assert (await client.get(shortcut["url"])).status_code in {200, 303}


async def test_pages_name_an_icon_for_home_screens_and_the_worker_s_icons_are_there(site: Site):
    client = site.client()
    page = (await client.get("/sign-in")).text
    path = page.partition('rel="apple-touch-icon" href="')[2].partition('"')[0]
    assert size((await client.get(path)).content) == "180x180"
    worker = (await client.get("/service-worker.js")).text
    for name, expected in (("icon-192", "192x192"), ("badge-96", "96x96")):
        end = worker.index(f"{name}.png") + len(f"{name}.png")
        path = worker[worker.rindex('"', 0, end) + 1 : end]
        assert size((await client.get(path)).content) == expected
