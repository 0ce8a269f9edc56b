"""How long a message takes to become HTML: python -m benchmarks.render [strings] [seed]

First messages as people write them; then the slowest of so many random strings (100,000 if not told), each a short
pattern of signs that mean something to a parser or a highlighter, repeated or mixed, up to the longest message.
Processor time of one core, so that neighbours on the machine do not count.
"""

import random
import statistics
import sys
import time
from pathlib import Path
from typing import Final

from chatapp.domain import code
from chatapp.domain.markup import to_html
from chatapp.tables import MESSAGE_CHARACTERS

BOUND_MS: Final = 50
ROUNDS: Final = 2_000

PLAIN: Final = "Earl Grey at four? The kettle is on, and there are scones left."
FORMATTED: Final = (
    "The *guider* lost its star **twice** around `02:10`:\n- see https://sky.example/my_old_page\n- ask @Noor\n\n"
    "> Do we keep the comet?\n\nYes, :tea: first."
)
CODE: Final = f"```python\n{Path(__file__).with_name('loops.py').read_text()}"[
    : MESSAGE_CHARACTERS - 4
]

SIGNS: Final = (
    *"*_`~[]()<>!|\\:-+#&@\"'.,;=/0 1ax\n\t", "**", "__", "```", "~~", "~~~", "](", "[a](", "](b)", "<http://", "http://",
    "x.example", ")", "> ", "- ", "1. ", "|-", "\n\n", "\n> ", "\n- ", "\n    ", "&amp;", ":tea:", "a*", "_a", "é",
    "日本", "e\u0301", "🍵", "\u200d", "\u202e",
)  # fmt: skip
CODE_SIGNS: Final = (
    *"\"'`\\/#*<>(){}[]=+-%$@!?:;.,|&~^_ aA0x\n\t", "/*", "*/", "//", "<!--", "-->", "<?", "?>", '"""', "'''", "\\\\",
    "\\u", "<<E\n", "${", "#{", "%(", "%{", "a=", "=>", "->", "::", "<a ", "</", "/>", "--", "$$", "@", "r'", 'f"',
    "E\n", "if ", "def ", "class ", "function ", "qw", "=begin\n", "0x", "1e", "1_", "\n  ", "- ", ": ", "[[",
    "]]", "\\\n",
)  # fmt: skip


def seconds(body: str) -> float:
    started = time.process_time()
    to_html(body)
    return time.process_time() - started


def measure(name: str, body: str) -> None:
    times = sorted(seconds(body) * 1000 for _ in range(ROUNDS if len(body) < 1000 else 100))
    half, most = statistics.median(times), times[int(len(times) * 0.99)]
    print(f"{name:34} {len(body):5} characters  p50 {half:7.3f} ms  p99 {most:7.3f} ms")


def some(chance: random.Random, languages: list[str]) -> str:
    """A random message."""
    is_code = chance.random() < 0.4
    signs = CODE_SIGNS if is_code else SIGNS
    most = MESSAGE_CHARACTERS if chance.random() < 0.15 else 300
    pattern = "".join(chance.choices(signs, k=chance.randint(1, 6)))
    shape = chance.random()
    if shape < 0.5:  # one pattern again and again, then perhaps something that does not end it
        text = pattern * (most // len(pattern) + 1)
    elif shape < 0.7:  # opened many times, closed many times
        other = "".join(chance.choices(signs, k=chance.randint(1, 4)))
        half = most // 2
        text = (pattern * half)[:half] + (other * half)[:half]
    else:
        text = "".join(chance.choices(signs, k=most // 2))
    head = "".join(chance.choices(signs, k=chance.randint(0, 3)))
    text = head + text[:most] + chance.choice(("", "!", "x", "\n", '"'))
    if is_code:
        text = f"```{chance.choice(languages)}\n{text}"
    return text[:MESSAGE_CHARACTERS]


def main(count: int, seed: int) -> None:
    measure("plain", PLAIN)
    measure("plain with a mark of formatting", PLAIN + " *Now.*")
    measure("an address", f"{PLAIN} https://tea.example/four")
    measure("formatted", FORMATTED)
    measure("formatted, as long as can be", (FORMATTED + "\n\n") * 20)
    for language in ("", "python", "javascript", "bash", "sql", "c", "json"):
        body = CODE.replace("```python", f"```{language}", 1)
        for length in (1_000, code.CHARACTERS_MOST, MESSAGE_CHARACTERS):
            measure(f"code: {language or 'no language'}", body[:length])
    chance = random.Random(seed)
    languages = sorted(code.LANGUAGES)
    for language in languages:  # the first use of each makes its patterns
        to_html(f"```{language}\nx\n```")
    slowest: list[tuple[float, str]] = []
    for _ in range(count):
        body = some(chance, languages)
        slowest.append((seconds(body), body))
        if len(slowest) > 1000:
            slowest = sorted(slowest, reverse=True)[:50]
    again = [(min(seconds(body) for _ in range(5)), body) for _, body in sorted(slowest)[-50:]]
    slowest = sorted(again, reverse=True)[
        :5
    ]  # what the machine did in between is no cost of a text
    print(f"\nThe slowest of {count:,} random strings (seed {seed}); the bound is {BOUND_MS} ms:")
    for took, body in slowest:
        print(f"{took * 1000:8.2f} ms  {len(body):5} characters  {body[:70]!r}")
    if slowest and slowest[0][0] * 1000 > BOUND_MS:
        sys.exit(1)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:3]]
    main(*(given + [100_000, 1][len(given) :]))
