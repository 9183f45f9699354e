"""The newest block before a moment is found by its time."""

from alembic import op

revision = "0019_block_times"
down_revision = "0018_batch_ends"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_chain_blocks_timestamp", "chain_blocks", ["deployment_id", "timestamp"])


def downgrade() -> None:
    op.drop_index("ix_chain_blocks_timestamp", "chain_blocks")
