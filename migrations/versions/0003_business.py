"""Applications, evidence and claims: what organisations and platforms hand in."""

import sqlalchemy as sa
from alembic import op

from chain.sql import Json, RowId

revision = "0003_business"
down_revision = "0002_gateway"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "applications",
        sa.Column("id", sa.String(length=35), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("entity_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("uscc", sa.String(length=64), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("face_fen", sa.BigInteger(), nullable=False),
        sa.Column("voucher_serial", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("documents", Json, nullable=False),
        sa.Column("documents_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("reason_code", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.Column("operation_id", sa.String(length=64), nullable=True),
        sa.Column("submitted_by", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("programme_id", "voucher_serial", name=op.f("uq_applications_programme_id_voucher_serial")),
    )
    op.create_index(op.f("ix_applications_entity_id"), "applications", ["entity_id"], unique=False)
    op.create_index(op.f("ix_applications_uscc"), "applications", ["uscc"], unique=False)
    op.create_table(
        "application_approvals",
        sa.Column("application_id", sa.String(length=35), nullable=False),
        sa.Column("signer", sa.LargeBinary(length=20), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("custodial", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_application_approvals_application_id_applications")
        ),
        sa.PrimaryKeyConstraint("application_id", "signer", name=op.f("pk_application_approvals")),
    )
    op.create_table(
        "voucher_serials",
        sa.Column("programme_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_voucher_serials")),
    )
    op.create_table(
        "evidence_streams",
        sa.Column("platform_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("uscc", sa.String(length=64), nullable=False),
        sa.Column("next_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform_id", name=op.f("pk_evidence_streams")),
        sa.UniqueConstraint("uscc", name=op.f("uq_evidence_streams_uscc")),
    )
    op.create_table(
        "evidence_submissions",
        sa.Column("platform_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("custody", sa.Boolean(), nullable=False),
        sa.Column("first_traded_at", sa.BigInteger(), nullable=False),
        sa.Column("last_traded_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform_id", "sequence", name=op.f("pk_evidence_submissions")),
    )
    op.create_table(
        "evidence_records",
        sa.Column("id", sa.String(length=35), nullable=False),
        sa.Column("platform_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("trade_id", sa.String(length=128), nullable=False),
        sa.Column("trade_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("settlement_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("buyer_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("supplier_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("traded_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_fen", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "sequence"],
            ["evidence_submissions.platform_id", "evidence_submissions.sequence"],
            name=op.f("fk_evidence_records_platform_id_evidence_submissions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_records")),
        sa.UniqueConstraint(
            "platform_id", "sequence", "position", name=op.f("uq_evidence_records_platform_id_sequence_position")
        ),
        sa.UniqueConstraint("platform_id", "trade_id", name=op.f("uq_evidence_records_platform_id_trade_id")),
    )
    op.create_index("ix_evidence_records_settlement_key", "evidence_records", ["settlement_key"], unique=False)
    op.create_table(
        "evidence_conflicts",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("platform_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("trade_id", sa.String(length=128), nullable=False),
        sa.Column("evidence_id", sa.String(length=35), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_conflicts")),
    )
    op.create_index(op.f("ix_evidence_conflicts_platform_id"), "evidence_conflicts", ["platform_id"], unique=False)
    op.create_table(
        "evidence_anchors",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("platform_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("from_sequence", sa.BigInteger(), nullable=False),
        sa.Column("to_sequence", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("operation_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", Json, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_anchors")),
    )
    op.create_index("ix_evidence_anchors_platform_id_state", "evidence_anchors", ["platform_id", "state"], unique=False)
    op.create_table(
        "claims",
        sa.Column("id", sa.String(length=35), nullable=False),
        sa.Column("voucher_id", sa.BigInteger(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("evidence_id", sa.String(length=35), nullable=False),
        sa.Column("settlement_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("traded_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("single", sa.Boolean(), nullable=False),
        sa.Column("operation_id", sa.String(length=64), nullable=True),
        sa.Column("redemption_id", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("detail", Json, nullable=True),
        sa.Column("submitted_by", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence_records.id"], name=op.f("fk_claims_evidence_id_evidence_records")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
    )
    op.create_index(op.f("ix_claims_evidence_id"), "claims", ["evidence_id"], unique=False)
    op.create_index(op.f("ix_claims_operation_id"), "claims", ["operation_id"], unique=False)
    op.create_index(
        "ix_claims_programme_id_state_traded_at", "claims", ["programme_id", "state", "traded_at"], unique=False
    )
    op.create_index(op.f("ix_claims_redemption_id"), "claims", ["redemption_id"], unique=False)
    op.create_index(op.f("ix_claims_voucher_id"), "claims", ["voucher_id"], unique=False)
    op.create_index(
        "uq_claims_programme_id_evidence_id",
        "claims",
        ["programme_id", "evidence_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('waiting', 'presented', 'redeemed', 'held')"),
        postgresql_where=sa.text("state IN ('waiting', 'presented', 'redeemed', 'held')"),
    )


def downgrade() -> None:
    op.drop_table("claims")
    op.drop_table("evidence_anchors")
    op.drop_table("evidence_conflicts")
    op.drop_table("evidence_records")
    op.drop_table("evidence_submissions")
    op.drop_table("evidence_streams")
    op.drop_table("voucher_serials")
    op.drop_table("application_approvals")
    op.drop_table("applications")
