"""What is still outstanding is added up from a day on."""

from alembic import op

revision = "0009_outstanding_index"
down_revision = "0008_carried_operations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_outstanding_valid_day", "outstanding", ["deployment_id", "valid_day"])


def downgrade() -> None:
    op.drop_index("ix_outstanding_valid_day", "outstanding")
