"""Several keys for a role: what an operation's order is kept within, and which relays live."""

import sqlalchemy as sa
from alembic import op

from chain.sql import Json

revision = "0020_signer_pools"
down_revision = "0019_block_times"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operations", sa.Column("lane", sa.String(length=80), nullable=True))
    op.create_index("ix_operations_lane", "operations", ["lane"])
    op.create_table(
        "relays",
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("keys", Json, nullable=False),
        sa.Column("alive_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_relays")),
    )


def downgrade() -> None:
    op.drop_table("relays")
    op.drop_index("ix_operations_lane", table_name="operations")
    with op.batch_alter_table("operations") as table:
        table.drop_column("lane")
