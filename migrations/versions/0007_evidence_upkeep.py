"""Evidence: which record corrects which, and which were erased."""

import sqlalchemy as sa
from alembic import op

revision = "0007_evidence_upkeep"
down_revision = "0006_signers"
branch_labels = None
depends_on = None

CORRECTIONS = sa.text("corrects IS NOT NULL")


def upgrade() -> None:
    op.add_column("evidence_records", sa.Column("corrects", sa.String(length=128), nullable=True))
    op.create_index(
        "ix_evidence_records_platform_id_corrects",
        "evidence_records",
        ["platform_id", "corrects"],
        unique=False,
        sqlite_where=CORRECTIONS,
        postgresql_where=CORRECTIONS,
    )
    op.create_table(
        "evidence_erasures",
        sa.Column("evidence_id", sa.String(length=35), nullable=False),
        sa.Column("erased_by", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence_records.id"], name=op.f("fk_evidence_erasures_evidence_id_evidence_records")
        ),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_evidence_erasures")),
    )


def downgrade() -> None:
    op.drop_table("evidence_erasures")
    op.drop_index("ix_evidence_records_platform_id_corrects", table_name="evidence_records")
    op.drop_column("evidence_records", "corrects")
