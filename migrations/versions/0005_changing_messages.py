"""What a message may come to after it was posted: changed, answered, reacted to, pinned.

Columns that may be null: the version before, which knows none of this, goes on writing rows without them. A deleted
message has the kind `deleted`, which it shows as nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = (
    ("edited_at", sa.BigInteger),
    ("reply_seq", sa.BigInteger),
    ("thread_seq", sa.BigInteger),
    ("thread", sa.Text),
    ("reactions", sa.Text),
    ("pinned_at", sa.BigInteger),
)


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("messages", sa.Column(name, kind))
