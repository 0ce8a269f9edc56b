"""Draws the PNG icons from chatapp/static/img/mark.svg in Chromium: python scripts/icons.py (with the dev environment).

Maskable icons and Apple's are cut to a shape by the system, so they have a ground of their own and a margin.
"""

import asyncio
import os
import shutil
from pathlib import Path

from playwright.async_api import async_playwright

IMAGES = Path(__file__).parents[1] / "chatapp" / "static" / "img"
GROUND = "#eaf1f2"
# name, pixels, ground, part of the width that the mark takes, whether it is one white shape
ICONS = (
    ("icon-192", 192, "transparent", 1.0, False),
    ("icon-512", 512, "transparent", 1.0, False),
    ("icon-maskable-512", 512, GROUND, 0.6, False),
    ("apple-touch-icon", 180, GROUND, 0.72, False),
    ("badge-96", 96, "transparent", 1.0, True),
)
PAGE = """<!doctype html><style>
html, body {{ margin: 0; background: {ground} }}
svg {{ display: block; margin: {margin}px; width: {width}px; height: {width}px; {shape} }}
</style>{mark}"""


async def main() -> None:
    mark = (IMAGES / "mark.svg").read_text()
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, chromium_sandbox=os.geteuid() != 0
        )
        for name, pixels, ground, part, white in ICONS:
            page = await browser.new_page(viewport={"width": pixels, "height": pixels})
            width = round(pixels * part)
            shape = "filter: brightness(0) invert(1)" if white else ""
            margin = (pixels - width) // 2
            await page.set_content(
                PAGE.format(ground=ground, margin=margin, width=width, shape=shape, mark=mark)
            )
            path = IMAGES / f"{name}.png"
            await page.screenshot(
                path=path,
                omit_background=True,
                clip={"x": 0, "y": 0, "width": pixels, "height": pixels},
            )
            print(f"{path.name}: {path.stat().st_size} bytes")
            await page.close()
        await browser.close()


asyncio.run(main())
