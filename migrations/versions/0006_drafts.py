"""What people have written and not sent yet, and which key sends.

A new table and a column with a default, which the version before does not touch.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "users", sa.Column("enter_sends", sa.Boolean, nullable=False, server_default=sa.true())
    )
    op.create_table(
        "drafts",
        sa.Column(
            "user_id", ID, sa.ForeignKey("users.id", name="fk_drafts_user_id"), nullable=False
        ),
        sa.Column(
            "room_id",
            ID,
            sa.ForeignKey("rooms.id", ondelete="CASCADE", name="fk_drafts_room_id"),
            nullable=False,
        ),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("tab", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "room_id", name="pk_drafts"),
        sa.CheckConstraint("length(body) <= 4000", name=op.f("ck_drafts_body_characters")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_drafts_room_id", "drafts", ["room_id"])
