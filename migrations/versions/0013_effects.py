"""What organisations report after they were subsidised; one text for each version of a policy."""

import sqlalchemy as sa
from alembic import op

revision = "0013_effects"
down_revision = "0012_redemptions_lean"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "effect_reports",
        sa.Column("programme_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entity_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=35), nullable=False),
        sa.Column("uscc", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=True),
        sa.Column("capacity_tflops", sa.BigInteger(), nullable=False),
        sa.Column("capacity_before_tflops", sa.BigInteger(), nullable=True),
        sa.Column("revenue_fen", sa.BigInteger(), nullable=False),
        sa.Column("revenue_before_fen", sa.BigInteger(), nullable=True),
        sa.Column("reported_by", sa.String(length=32), nullable=False),
        sa.Column("reported_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "entity_id", "year", "number", name=op.f("pk_effect_reports")),
        sa.UniqueConstraint("id", name=op.f("uq_effect_reports_id")),
    )
    op.create_index(op.f("ix_effect_reports_uscc"), "effect_reports", ["uscc"], unique=False)
    op.create_index(op.f("uq_policy_files_policy_version"), "policy_files", ["policy", "version"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("uq_policy_files_policy_version"), table_name="policy_files")
    op.drop_index(op.f("ix_effect_reports_uscc"), table_name="effect_reports")
    op.drop_table("effect_reports")
