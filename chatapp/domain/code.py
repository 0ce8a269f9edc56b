"""Code with colours: pieces of text with one of a few classes. The one door to Pygments.

Of Pygments' languages only those below are used, and only for so much code: benchmarks/render.py tries to find some
that takes long. Everything else is shown without colours.
"""

import re
from functools import lru_cache
from itertools import islice
from typing import Final

from markupsafe import Markup, escape
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import (
    Comment,
    Generic,
    Keyword,
    Literal,
    Name,
    Number,
    Operator,
    String,
    _TokenType,
)

# What people write behind the fence, and what is shown above the code.
LANGUAGES: Final = {
    "bash": "Shell", "sh": "Shell", "shell": "Shell", "zsh": "Shell", "console": "Console",
    "c": "C", "h": "C", "cpp": "C++", "c++": "C++", "csharp": "C#", "cs": "C#", "c#": "C#",
    "css": "CSS", "diff": "Diff", "patch": "Diff", "docker": "Dockerfile", "dockerfile": "Dockerfile",
    "go": "Go", "golang": "Go", "haskell": "Haskell", "hs": "Haskell", "html": "HTML", "ini": "INI",
    "java": "Java", "js": "JavaScript", "javascript": "JavaScript", "json": "JSON", "lua": "Lua",
    "make": "Makefile", "makefile": "Makefile", "nginx": "nginx", "perl": "Perl", "pl": "Perl", "php": "PHP",
    "powershell": "PowerShell", "ps1": "PowerShell", "py": "Python", "python": "Python", "python3": "Python",
    "rb": "Ruby", "ruby": "Ruby", "rs": "Rust", "rust": "Rust", "sql": "SQL", "swift": "Swift",
    "toml": "TOML", "ts": "TypeScript", "typescript": "TypeScript", "xml": "XML", "yaml": "YAML", "yml": "YAML",
}  # fmt: skip
# Pygments' own name, where it has another; and what stands in for the patterns of Java and C#, which take a second for
# three thousand characters of nonsense.
_LEXERS: Final = {"h": "c", "hs": "haskell", "patch": "diff", "ps1": "powershell"} | dict.fromkeys(
    ("java", "csharp", "cs", "c#"), "typescript"
)
TOKENS_MOST: Final = 1_500  # twice what a screen of code has; the rest goes without colours
CHARACTERS_MOST: Final = 3_000
# Patterns may go over a line or over white space again and again; where one is as long, there are no colours.
_GOES_ON: Final = re.compile(r"[^\n]{400}|\s{60}")

# The class of a token; the first that holds it counts.
CLASSES: Final = (
    (Keyword.Constant, "m"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Comment.Preproc, "k"),
    (Comment, "c"),
    (String, "s"),
    (Number, "m"),
    (Literal, "m"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Decorator, "f"),
    (Name.Tag, "k"),
    (Name.Attribute, "f"),
    (Generic.Deleted, "gd"),
    (Generic.Inserted, "gi"),
    (Generic.Heading, "f"),
    (Generic.Subheading, "f"),
    (Generic.Prompt, "c"),
    (Generic.Output, "c"),
)


def coloured(code: str, language: str) -> Markup:
    """The code as HTML: escaped, with spans around what has a colour."""
    name = language.lower()
    if name not in LANGUAGES or len(code) > CHARACTERS_MOST or _GOES_ON.search(code):
        return escape(code)
    parts: list[str] = []
    held, look, end = "", "", 0
    tokens = _lexer(_LEXERS.get(name, name)).get_tokens_unprocessed(code)
    for at, kind, text in islice(tokens, TOKENS_MOST):
        its = _class(kind)
        end = at + len(text)
        if its == look or text.isspace():  # neighbours that look alike are one piece
            held += text
            continue
        parts.append(_piece(held, look))
        held, look = text, its
    parts += (_piece(held, look), escape(code[end:]))
    return Markup("").join(parts)


def _piece(text: str, look: str) -> Markup:
    return Markup('<span class="{}">{}</span>').format(look, text) if look else escape(text)


@lru_cache(maxsize=len(LANGUAGES))
def _lexer(name: str) -> Lexer:
    """Made at its first use, which may take 50 ms."""
    return get_lexer_by_name(name)


@lru_cache(maxsize=256)
def _class(kind: _TokenType) -> str:
    return next((name for group, name in CLASSES if kind in group), "")
