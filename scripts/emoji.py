"""Writes chatapp/static/vendor/emoji.json: python scripts/emoji.py FOLDER

FOLDER is the unpacked npm package `emojibase-data`. One file serves the picker, the completion and the server's
`:codes:`, so they cannot differ: a list of groups, each [name, emoji], each of these
[emoji, name, codes, words, tones?].
"""

import json
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "chatapp" / "static" / "vendor" / "emoji.json"
NEWEST = 15.1  # what comes later is a box on too many devices
GROUPS = {
    0: "Smileys",
    1: "People",
    3: "Animals and nature",
    4: "Food and drink",
    5: "Travel and places",
    6: "Activities",
    7: "Objects",
    8: "Symbols",
    9: "Flags",
}


def plain(hexcode: str) -> str:
    return hexcode.replace("-FE0F", "")


def shown(entry: dict[str, Any]) -> str:
    """As it is written by rule: with a selector only where a sign would be a letter without one."""
    if entry["type"] == 0:
        return str(entry["emoji"])
    return "".join(chr(int(point, 16)) for point in entry["hexcode"].split("-"))


def main(folder: Path) -> None:
    found = json.loads((folder / "en/data.json").read_text())
    shelves = [
        json.loads((folder / f"en/shortcodes/{name}.json").read_text())
        for name in ("github", "emojibase")
    ]
    entries = [
        entry
        for entry in sorted(found, key=lambda entry: int(entry.get("order", 0)))
        if entry.get("group") in GROUPS and entry["version"] <= NEWEST
    ]
    codes_of: dict[str, list[str]] = {entry["hexcode"]: [] for entry in entries}
    taken: set[str] = set()
    for shelf in shelves:  # the first one's codes come before all of the second's
        for entry in entries:
            given = shelf.get(entry["hexcode"]) or shelf.get(plain(entry["hexcode"]), [])
            for code in [given] if isinstance(given, str) else given:
                if code not in taken:
                    taken.add(code)
                    codes_of[entry["hexcode"]].append(code)
    groups: dict[int, list[list[Any]]] = {number: [] for number in GROUPS}
    for entry in entries:
        codes = codes_of[entry["hexcode"]]
        known = {*" ".join(codes).replace("_", " ").split(), *entry["label"].lower().split()}
        words = [word for word in entry.get("tags", []) if word.lower() not in known]
        row: list[Any] = [shown(entry), entry["label"], " ".join(codes), " ".join(words)]
        tones = [
            shown(skin) for skin in entry.get("skins", []) if isinstance(skin.get("tone"), int)
        ]
        if len(tones) == 5:
            row.append(tones)
        groups[entry["group"]].append(row)
    lines = [
        json.dumps([GROUPS[number], rows], ensure_ascii=False, separators=(",", ":"))
        for number, rows in groups.items()
    ]
    OUT.write_text("[" + ",\n".join(lines) + "]\n")


main(Path(sys.argv[1]))
