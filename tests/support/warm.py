"""What one application of a process has compiled, templates and SQL, serves the next.

A process of ours has one application and compiles everything once; a test's has hundreds of them, and would spend a
third of its time on that.
"""

from functools import cache, wraps
from typing import Any

from jinja2 import FileSystemLoader
from jinja2.environment import Environment, Template
from sqlalchemy.util import LRUCache

from chatapp import database, templating

_codes: dict[str, Any] = {}
_dialects: dict[str, Any] = {}


class _Loader(FileSystemLoader):
    def load(
        self,
        environment: Environment,
        name: str,
        globals: Any = None,  # noqa: A002
    ) -> Template:
        if name not in _codes:
            source, filename, _ = self.get_source(environment, name)
            _codes[name] = environment.compile(source, name, filename)
        return environment.template_class.from_code(environment, _codes[name], globals or {})


@cache  # once
def share() -> None:
    compiled: Any = LRUCache(4_000)
    make = database.Database._make_engine

    @wraps(make)
    def made(self: database.Database) -> Any:
        engine = make(self)
        # What is compiled is kept for one dialect; all engines of a kind have the same.
        engine.sync_engine.dialect = _dialects.setdefault(
            engine.sync_engine.name, engine.sync_engine.dialect
        )
        engine.sync_engine.update_execution_options(compiled_cache=compiled)
        return engine

    database.Database._make_engine = made  # type: ignore[method-assign]
    vars(templating)["FileSystemLoader"] = _Loader
