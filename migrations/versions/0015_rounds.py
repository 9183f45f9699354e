"""When a hold gave up its place in the order of trade time."""

import sqlalchemy as sa
from alembic import op

revision = "0015_rounds"
down_revision = "0014_report_sums"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("holds") as table:
        table.add_column(sa.Column("passed_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("holds") as table:
        table.drop_column("passed_at")
