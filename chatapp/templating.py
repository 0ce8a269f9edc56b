"""HTML from templates. The one door to `jinja2`."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chatapp import times
from chatapp.sizes import size_words

TEMPLATES: Final = Path(__file__).parent / "templates"
FILTERS: Final = (
    times.clock,
    times.weekday,
    times.iso,
    times.day,
    times.day_words,
    times.ago,
    times.length_words,
    size_words,
)


class Templates:
    """Renders templates by name. `fixed`: values that every template may use."""

    def __init__(self, fixed: dict[str, Any]) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(fixed)
        self._environment.filters.update({made.__name__: made for made in FILTERS})

    def render(self, name: str, values: dict[str, Any]) -> str:
        return self._environment.get_template(name).render(values)
