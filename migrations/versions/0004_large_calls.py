"""Calls that go through the media server.

One column with a default: the version before, which knows no such calls, goes on writing rows without it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "calls",
        sa.Column("is_large", sa.Boolean, nullable=False, server_default=sa.false()),
    )
