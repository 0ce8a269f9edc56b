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
    op.add_column("memberships", sa.Column("muted_until", sa.BigInteger))
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "bans",
        sa.Column(
            "room_id", number, sa.ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("user_id", number, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("by_id", number, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("room_id", number, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("by_id", number, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("user_id", number, sa.ForeignKey("users.id")),
        sa.Column("detail", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_room_id_id", "audit", ["room_id", "id"])
    op.create_table(
        "reports",
        sa.Column("room_id", number, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("by_id", number, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("done_at", sa.BigInteger),
        sa.ForeignKeyConstraint(
            ["room_id", "seq"],
            ["messages.room_id", "messages.seq"],
            ondelete="CASCADE",
            name="fk_reports_room_id_seq",
        ),
        sqlite_with_rowid=False,
    )
