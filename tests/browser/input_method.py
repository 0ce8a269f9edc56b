"""Words by an input method: they take shape, keys belong to them meanwhile, and then they stand."""

from playwright.async_api import CDPSession, Page

ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
CTRL = 2


class InputMethod:
    def __init__(self, keys: CDPSession) -> None:
        self._keys = keys

    async def begin(self, text: str) -> None:
        """So far, and not yet the page's."""
        end = len(text)
        given = {"text": text, "selectionStart": end, "selectionEnd": end}
        await self._keys.send("Input.imeSetComposition", given)

    async def press_enter(self, modifiers: int = 0) -> None:
        """As whoever chooses one of the words that are offered."""
        enter = {"type": "rawKeyDown", **ENTER, "modifiers": modifiers}
        await self._keys.send("Input.dispatchKeyEvent", enter)

    async def end(self, text: str) -> None:
        await self._keys.send("Input.insertText", {"text": text})


async def input_method(page: Page) -> InputMethod:
    return InputMethod(await page.context.new_cdp_session(page))
