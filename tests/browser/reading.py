"""Where a reader's eye is in the timeline, and how it gets elsewhere."""

from playwright.async_api import Locator, Page

# The first message that is wholly in sight, and where it stands.
LOOK = """() => {
  const line = document.querySelector('.timeline');
  const top = line.getBoundingClientRect().top;
  const row = [...line.querySelectorAll('.msg')].find((each) => each.getBoundingClientRect().top >= top);
  return {text: row.querySelector('.msg-body').textContent.trim(), at: row.getBoundingClientRect().top};
}"""
WHERE = """(text) => [...document.querySelectorAll('.msg')].find(
  (each) => each.querySelector('.msg-body').textContent.trim() === text).getBoundingClientRect().top"""


async def scroll_up(page: Page) -> None:
    """To the oldest message loaded so far, so that the next page is asked for."""
    await page.evaluate(
        "() => { const line = document.querySelector('.timeline'); line.scrollTop = -line.scrollHeight; }"
    )


async def at_rest(page: Page) -> None:
    """Until the timeline has stood still for some frames: wheels and keys scroll smoothly."""
    await page.evaluate(
        """() => new Promise((resolve) => {
          const line = document.querySelector('.timeline');
          let last = NaN, still = 0;
          const look = () => {
            still = line.scrollTop === last ? still + 1 : 0;
            last = line.scrollTop;
            if (still > 8) resolve(true); else requestAnimationFrame(look);
          };
          look();
        })"""
    )


async def is_at_the_end(page: Page) -> bool:
    """Whether the last message ends inside the timeline, and nothing is below."""
    found: bool = await page.evaluate(
        """() => {
          const line = document.querySelector('.timeline');
          const rows = line.querySelectorAll('.msg');
          const under = rows[rows.length - 1].getBoundingClientRect().bottom - line.getBoundingClientRect().bottom;
          return Math.abs(line.scrollTop) <= 1 && under <= 1;
        }"""
    )
    return found


async def is_in_sight(row: Locator) -> bool:
    """Whether any of it is inside the timeline now."""
    found: bool = await row.evaluate(
        """(row) => {
          const line = row.closest('.timeline').getBoundingClientRect(), own = row.getBoundingClientRect();
          return own.bottom > line.top && own.top < line.bottom;
        }"""
    )
    return found
