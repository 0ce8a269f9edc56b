"""The shape of the code: who may import whom, one door per library, no state at module level,
and no template that the content security policy would have to be loosened for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = ROOT / "chatapp"
MODULES = sorted(CODE.rglob("*.py"))
TEMPLATES = sorted((CODE / "templates").rglob("*.html"))

# Imports go up this list or stay in their line, never down.
LAYERS = (
    (
        "errors settings metrics logs security words times clock limits outbound webpush ice qr mail"
        " files sizes helper confined webpages static_files"
    ),
    "trouble reading sqlite_file database tables migrate",
    "domain",
    "templating fragments days",
    "realtime",
    "middleware routes",
    "composition app server __main__ __init__ renew_epoch sqlite_backup",
)
RANKS = {name: rank for rank, layer in enumerate(LAYERS) for name in layer.split()}

# The only modules that may import these (a package's name stands for all in it). `reading` is the
# half of the database's door that opens inwards only.
DOORS = {
    "alembic": {"migrate"},
    "aiosqlite": {"reading", "sqlite_file", "database"},
    "asyncpg": {"trouble"},
    "databases": {"reading"},
    "sqlalchemy": {"trouble", "reading", "sqlite_file", "database", "tables", "migrate", "domain"},
    "sqlalchemy.engine": {"sqlite_file", "database"},
    "sqlalchemy.ext.asyncio": {"sqlite_file", "database"},
    "sqlalchemy.orm": set(),
    "prometheus_client": {"metrics"},
    "websockets": {"realtime.janus", "realtime.wire"},
    "redis": {"realtime.redis_backplane", "realtime.redis_leases", "realtime.shared_tails"},
    "jinja2": {"templating"},
    "bcrypt": {"security"},
    "itsdangerous": {"security"},
    "cryptography": {"webpush"},
    "markdown_it": {"domain.markdown"},
    "nh3": {"domain.markdown"},
    "linkify_it": {"domain.links"},
    "pygments": {"domain.code"},
    "httptools": {"outbound"},
    "segno": {"qr"},
    "aiosmtplib": {"mail"},
    "PIL": {"files.worker"},
    "obstore": {"files.object_storage"},
    "python_multipart": {"routes.door", "routes.multipart"},
}

# These know frames, not SQL, HTML or the names of commands.
BLIND = {"realtime.hub", "realtime.backplane", "realtime.redis_backplane", "realtime.connection"}
HIDDEN = ("chatapp.domain", "chatapp.templating", "chatapp.database", "chatapp.tables")

MUTABLE_CALLS = {"list", "dict", "set", "defaultdict", "deque", "Counter", "OrderedDict"}
MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
CONSTANT = re.compile(r"_{0,2}[A-Z][A-Z0-9_]*|__\w+__")

FORBIDDEN_IN_TEMPLATES = {
    "a script with content": re.compile(r"<script\b[^>]*>\s*[^\s<]", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "a style attribute": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "an on… attribute": re.compile(r"\son[a-z]+\s*=", re.IGNORECASE),
    "hx-on": re.compile(r"\bhx-on\b", re.IGNORECASE),
    "evaluated hx-vals": re.compile(r"\bhx-\w+\s*=\s*[\"'](?:js|javascript):", re.IGNORECASE),
    "a javascript: address": re.compile(r"=\s*[\"']?\s*javascript:", re.IGNORECASE),
}
FORBIDDEN_IN_JINJA = {
    "|safe": re.compile(r"\|\s*safe\b"),
    "autoescape false": re.compile(r"autoescape\s+false", re.IGNORECASE),
}


def name_of(file: Path) -> str:
    """'domain.rooms' for chatapp/domain/rooms.py, 'domain' for chatapp/domain/__init__.py."""
    parts = file.relative_to(CODE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of each import, whether at the top or inside a function."""
    package = ["chatapp", *file.relative_to(CODE).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *base.split(".")])
            yield from ((node.lineno, f"{base.strip('.')}.{alias.name}") for alias in node.names)


def is_in(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def is_from(imported: str, library: str) -> bool:
    return imported == library or imported.startswith(library + ".")


@pytest.fixture(params=MODULES, ids=name_of)
def module(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture(params=TEMPLATES, ids=lambda file: str(file.relative_to(CODE / "templates")))
def template(request: pytest.FixtureRequest) -> str:
    path: Path = request.param
    return path.read_text()


def test_imports_go_to_the_left_only(module):
    top = name_of(module).split(".")[0]
    assert top in RANKS, f"give chatapp/{top} a place in LAYERS (and in the README's layout)"
    for line, imported in imports(module):
        parts = imported.split(".")
        if parts[0] != "chatapp" or len(parts) < 2 or parts[1] == "__version__":
            continue
        assert parts[1] in RANKS, f"line {line}: {imported} has no place in LAYERS"
        assert RANKS[parts[1]] <= RANKS[top], f"line {line}: {top} must not import {imported}"


def test_each_library_has_one_door(module):
    name = name_of(module)
    for line, imported in imports(module):
        for library, allowed in DOORS.items():
            assert not is_from(imported, library) or is_in(name, allowed), (
                f"line {line}: only {sorted(allowed)} may import {library}"
            )


def test_connections_know_frames_and_nothing_else(module):
    if name_of(module) not in BLIND:
        return
    for line, imported in imports(module):
        assert not any(is_from(imported, hidden) for hidden in HIDDEN), f"line {line}: {imported}"


def test_nothing_mutable_lives_at_module_level(module):
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Assign):
            targets, final = node.targets, False
        elif isinstance(node, ast.AnnAssign):
            targets, final = [node.target], "Final" in ast.unparse(node.annotation)
        else:
            continue
        value = node.value
        call = value.func if isinstance(value, ast.Call) else None
        mutable = isinstance(value, MUTABLE) or (
            call is not None and ast.unparse(call).rpartition(".")[2] in MUTABLE_CALLS
        )
        for target in targets:
            constant = final or CONSTANT.fullmatch(ast.unparse(target))
            assert not mutable or constant, f"line {node.lineno}: {ast.unparse(target)}"


def test_nothing_rebinds_a_module_variable(module):
    for node in ast.walk(ast.parse(module.read_text())):
        assert not isinstance(node, ast.Global), f"line {node.lineno}: global"


def test_templates_hold_no_code(template):
    for what, pattern in FORBIDDEN_IN_JINJA.items():
        assert not pattern.search(template), what
    markup = re.sub(r"\{%.*?%\}|\{#.*?#\}|\{\{.*?\}\}", "", template, flags=re.DOTALL)
    for what, pattern in FORBIDDEN_IN_TEMPLATES.items():
        assert pattern.findall(markup) == [], what


@pytest.mark.parametrize(
    ("markup", "what"),
    [
        ("<script>go()</script>", "a script with content"),
        ('<p style="color: red">', "a style attribute"),
        ("<b onclick='x'>", "an on… attribute"),
        ('<b hx-vals="js:{a: 1}">', "evaluated hx-vals"),
        ('<a href="javascript:x">', "a javascript: address"),
    ],
)
def test_the_patterns_find_what_they_are_for(markup, what):
    assert FORBIDDEN_IN_TEMPLATES[what].search(markup)
