"""What messages said before they were edited, and what was deleted a moment ago.

Two new tables, which the version before does not touch: what it deletes with a room goes with the room.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _of_message(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["room_id", "seq"],
        ["messages.room_id", "messages.seq"],
        ondelete="CASCADE",
        name=f"fk_{table}_room_id_seq",
    )


def upgrade() -> None:
    op.create_table(
        "revisions",
        sa.Column("room_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("room_id", "seq", "n", name="pk_revisions"),
        _of_message("revisions"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deletions",
        sa.Column("room_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column(
            "by_id", ID, sa.ForeignKey("users.id", name="fk_deletions_by_id"), nullable=False
        ),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("kept", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("room_id", "seq", name="pk_deletions"),
        _of_message("deletions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deletions_until", "deletions", ["until"])
