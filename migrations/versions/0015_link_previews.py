"""Previews of links.

A column that is null where there is none, and a table of what pages told. The version before shows such messages
without their previews; what it edits or deletes keeps one, which nobody is shown once it is deleted.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("messages", sa.Column("preview", sa.Text))
    op.create_table(
        "links",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column(
            "room_id",
            ID,
            sa.ForeignKey("rooms.id", ondelete="CASCADE", name="fk_links_room_id"),
            nullable=False,
        ),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("page", sa.Text, nullable=False),
        sa.Column("picture", sa.LargeBinary),
        sa.PrimaryKeyConstraint("key", name="pk_links"),
    )
    op.create_index("ix_links_room_id", "links", ["room_id"])
    op.create_index("ix_links_until", "links", ["until"])
