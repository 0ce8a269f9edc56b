"""Closed and direct rooms, what is special about a room, and who may do what in it.

Columns with defaults, which the version before does not touch: to it every room is open, and everybody a member.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "users", sa.Column("is_guest", sa.Boolean, nullable=False, server_default=sa.false())
    )
    for column in (
        sa.Column("kind", sa.String(10), nullable=False, server_default="open"),
        sa.Column("direct_key", sa.Text),
        sa.Column("archived_at", sa.BigInteger),
        sa.Column("is_announcement", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("slow_seconds", sa.Integer, nullable=False, server_default="0"),
    ):
        op.add_column("rooms", column)
    op.create_index(
        "uq_rooms_direct_key",
        "rooms",
        ["direct_key"],
        unique=True,
        postgresql_where=sa.text("direct_key IS NOT NULL"),
        sqlite_where=sa.text("direct_key IS NOT NULL"),
    )
    op.add_column(
        "memberships", sa.Column("role", sa.String(10), nullable=False, server_default="member")
    )
