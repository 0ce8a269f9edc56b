"""Files in messages.

A new table, and a column that is null where there are none. The version before shows such messages without their
files; a room that it deletes leaves rows without a room, which the next look takes away.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("messages", sa.Column("files", sa.Text))
    op.create_index(
        "ix_messages_files",
        "messages",
        ["room_id", "seq"],
        postgresql_where=sa.text("files IS NOT NULL"),
        sqlite_where=sa.text("files IS NOT NULL"),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.String(24), nullable=False),
        sa.Column(
            "user_id", ID, sa.ForeignKey("users.id", name="fk_files_user_id"), nullable=False
        ),
        sa.Column(
            "room_id", ID, sa.ForeignKey("rooms.id", ondelete="SET NULL", name="fk_files_room_id")
        ),
        sa.Column("seq", sa.BigInteger),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("width", sa.Integer, nullable=False, server_default="0"),
        sa.Column("height", sa.Integer, nullable=False, server_default="0"),
        sa.Column("sha256", sa.LargeBinary(32)),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
    )
    op.create_index("ix_files_user_id", "files", ["user_id"])
    op.create_index("ix_files_room_id_seq", "files", ["room_id", "seq"])
    op.create_index("ix_files_state_created_at", "files", ["state", "created_at"])
