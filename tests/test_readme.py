"""What the README says is so: commands, settings, links and layout."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from chatapp.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
TABLE_LINE = re.compile(r"^\| *`([A-Z][A-Z0-9_]*)` *\| *(.*?) *\| *(.*?) *\|$", re.MULTILINE)


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[str]:
    lines = "\n".join(blocks(text, "sh")).splitlines()
    return [line.split("#")[0].strip().removeprefix("$ ") for line in lines if line.strip()]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_make_command_is_a_real_target(readme):
    named = re.findall(r"\bmake ([a-z][a-z-]*)", "\n".join(commands(readme)))
    assert {"run", "test"} <= set(named)
    assert set(named) <= targets()


def test_make_help_lists_every_target_meant_for_people():
    makefile = (ROOT / "Makefile").read_text()
    described = set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile, re.MULTILINE))
    assert targets() - described == {"venv", "dev", "services", "compiled"}


def test_the_table_of_settings_is_the_code_s(readme):
    table = [
        (name, default.strip("`").replace("\\|", "|"), sentence.replace("\\|", "|"))
        for name, default, sentence in TABLE_LINE.findall(readme)
    ]
    assert table == [(each.name, each.default, each.sentence) for each in SETTINGS]


def test_every_relative_link_and_picture_exists(readme):
    links = re.findall(r"\]\(([^)\s]+)\)", readme)
    links += re.findall(r"<(?:img|source|a)\b[^>]*?\b(?:src|srcset|href)=\"([^\"]+)\"", readme)
    relative = [link for link in links if not re.match(r"[a-z]+:|#", link)]
    missing = [link for link in relative if not (ROOT / unquote(link.split("#")[0])).exists()]
    assert not missing


def test_every_anchor_is_a_heading(readme):
    headings = re.findall(r"^#+ (.+)$", readme, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    wanted = set(re.findall(r"\]\(#([^)]+)\)", readme))
    assert wanted <= anchors


def test_the_layout_names_only_what_exists(readme):
    """Paths at the start of a line in the block below 'Layout': `chatapp/domain/   rules …`."""
    section = re.search(r"^#+ .*layout.*?$(.*?)(?=^#+ |\Z)", readme, re.M | re.S | re.IGNORECASE)
    assert section, "the README has no heading with the word layout"
    named = re.findall(r"^ *((?:[\w.-]+/)+)", section.group(1), re.MULTILINE)
    assert named
    assert [path for path in named if not (ROOT / path).is_dir()] == []
