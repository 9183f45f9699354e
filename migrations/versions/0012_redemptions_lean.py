"""Redemptions without the platform's trade id, which their event no longer tells: the leaf commits to it."""

import sqlalchemy as sa
from alembic import op

revision = "0012_redemptions_lean"
down_revision = "0011_checks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("redemptions") as table:
        table.drop_column("trade_id")


def downgrade() -> None:
    # The projection is rebuilt anyway when the contracts differ; zeros stand for what is not known.
    with op.batch_alter_table("redemptions") as table:
        table.add_column(sa.Column("trade_id", sa.LargeBinary(length=32), nullable=False, server_default=sa.text("''")))
    with op.batch_alter_table("redemptions") as table:
        table.alter_column("trade_id", server_default=None)
