"""Corrections of trades that were looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0017_refunds"
down_revision = "0016_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "noted_corrections",
        sa.Column("correction_id", sa.String(length=35), nullable=False),
        sa.Column("hold_id", sa.String(length=35), nullable=True),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["correction_id"],
            ["evidence_records.id"],
            name=op.f("fk_noted_corrections_correction_id_evidence_records"),
        ),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_noted_corrections_hold_id_holds")),
        sa.PrimaryKeyConstraint("correction_id", name=op.f("pk_noted_corrections")),
    )


def downgrade() -> None:
    op.drop_table("noted_corrections")
