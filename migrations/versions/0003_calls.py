"""Calls of rooms, and who is in them.

Two new tables, which the version before does not touch: what it deletes with a room goes with the room.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column(
            "room_id",
            ID,
            sa.ForeignKey("rooms.id", ondelete="CASCADE", name="fk_calls_room_id"),
            nullable=False,
        ),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_calls_room_id", "calls", ["room_id"])
    op.create_index(
        "uq_calls_room_id_on",
        "calls",
        ["room_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "participants",
        sa.Column(
            "call_id",
            ID,
            sa.ForeignKey("calls.id", ondelete="CASCADE", name="fk_participants_call_id"),
            nullable=False,
        ),
        sa.Column(
            "user_id", ID, sa.ForeignKey("users.id", name="fk_participants_user_id"), nullable=False
        ),
        sa.Column("token", sa.String(24), nullable=False),
        sa.Column("holder", sa.String(24), nullable=False),
        sa.Column("joined_at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("left_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("call_id", "user_id", name="pk_participants"),
        sa.UniqueConstraint("token", name="uq_participants_token"),
        sqlite_with_rowid=False,
    )
