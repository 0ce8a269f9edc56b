"""The end of what lies in the storage: its row says `gone`, then the content goes, then the row (`sweeper.py`)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select, update

from chatapp.database import Transaction
from chatapp.domain.memberships import Reader


class Kept:
    """A table of contents with `id` and `state`. `lapsed`: the rows of what is to go, as a condition."""

    def __init__(self, table: Table, lapsed: ColumnElement[bool]) -> None:
        self._table = table
        self._lapsed = lapsed

    async def have_lapsed(self, reader: Reader) -> bool:
        query: Any = select(self._table.c.id).where(self._lapsed).limit(1)
        return await reader.fetch_value(query) is not None

    async def apply_lapse(self, tx: Transaction, most: int) -> list[str]:
        """Some that are to go, from now on for good. Their content may be taken away once this is committed."""
        id_ = self._table.c.id
        chosen = select(id_).where(self._lapsed).order_by(id_).limit(most)
        ids = [row.id for row in await tx.fetch_all(chosen.with_for_update(skip_locked=True))]
        await tx.execute(update(self._table).where(id_.in_(ids)).values(state="gone"))
        return ids

    async def apply_forget(self, tx: Transaction, ids: Sequence[str]) -> None:
        """Their content is gone."""
        of_these = self._table.c.id.in_(ids)
        await tx.execute(delete(self._table).where(of_these, self._table.c.state == "gone"))
