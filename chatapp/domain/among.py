"""Whether a column is one of some numbers, of which there may be more than a statement may have parameters."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


def one_of(column: ColumnElement[int], numbers: Collection[int]) -> ColumnElement[bool]:
    return _among(column, literal(json.dumps(sorted(numbers))))


class _among(FunctionElement[bool]):  # noqa: N801  it stands in expressions like a function of SQL
    """The numbers are a JSON text."""

    inherit_cache = True


@compiles(_among, "postgresql")
def _among_postgresql(element: Any, compiler: Any, **given: Any) -> str:
    column, numbers = (compiler.process(clause, **given) for clause in element.clauses)
    listed = f"json_array_elements_text(CAST({numbers} AS json))"
    return f"{column} IN (SELECT CAST(value AS BIGINT) FROM {listed})"  # noqa: S608  of our making


@compiles(_among)
def _among_sqlite(element: Any, compiler: Any, **given: Any) -> str:
    column, numbers = (compiler.process(clause, **given) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"  # noqa: S608  of our making
