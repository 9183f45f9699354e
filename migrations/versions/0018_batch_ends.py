"""Batches by where they end, so that the one over a submission is found without reading all before it."""

from alembic import op

revision = "0018_batch_ends"
down_revision = "0017_refunds"
branch_labels = None
depends_on = None

INDEX = "ix_evidence_batches_to_sequence"


def upgrade() -> None:
    op.create_index(INDEX, "evidence_batches", ["deployment_id", "platform_id", "to_sequence"])


def downgrade() -> None:
    op.drop_index(INDEX, "evidence_batches")
