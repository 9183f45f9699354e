"""Fraud checks: decisions, holds, and what claims are compared with; what an organisation bought, by time."""

import sqlalchemy as sa
from alembic import op

from chain.sql import Hash32, Json, RowId

revision = "0011_checks"
down_revision = "0010_applications"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    for table, names, value in (
        ("blacklist_entries", (("uscc", 64), ("list_name", 32)), None),
        ("fair_prices", (("resource", 200),), "price_fen"),
        ("supplier_capacities", (("uscc", 64),), "cards"),
    ):
        op.create_table(
            table,
            *(sa.Column(name, sa.String(length=length), nullable=False) for name, length in names),
            sa.Column("from_at", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("to_at", sa.BigInteger(), nullable=False),
            *(() if value is None else (sa.Column(value, sa.BigInteger(), nullable=False),)),
            sa.Column("imported_at", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint(*(name for name, _ in names), "from_at", name=op.f(f"pk_{table}")),
        )
    op.create_table(
        "check_runs",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("claim_id", sa.String(length=35), nullable=False),
        sa.Column("policy_digest", Hash32, nullable=False),
        sa.Column("programme", sa.String(length=32), nullable=False),
        sa.Column("outcomes", Json, nullable=False),
        sa.Column("answer", sa.String(length=8), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_check_runs_claim_id_claims")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_runs")),
    )
    op.create_index(op.f("ix_check_runs_claim_id"), "check_runs", ["claim_id"], unique=False)
    op.create_table(
        "claimed_trades",
        sa.Column("claim_id", sa.String(length=35), nullable=False),
        sa.Column("supplier_id", Hash32, nullable=False),
        sa.Column("resource", sa.String(length=200), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("card_milli_hours", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claimed_trades_claim_id_claims")),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_claimed_trades")),
    )
    for columns in (["supplier_id", "ends_at"], ["supplier_id", "resource", "signed_at"]):
        op.create_index(f"ix_claimed_trades_{'_'.join(columns)}", "claimed_trades", columns, unique=False)
    op.create_table(
        "holds",
        sa.Column("id", sa.String(length=35), nullable=False),
        sa.Column("claim_id", sa.String(length=35), nullable=False),
        sa.Column("run_id", RowId, nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("traded_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("role", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_holds_claim_id_claims")),
        sa.ForeignKeyConstraint(["run_id"], ["check_runs.id"], name=op.f("fk_holds_run_id_check_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    for name in ("claim_id", "created_at", "run_id"):
        op.create_index(op.f(f"ix_holds_{name}"), "holds", [name], unique=False)
    op.create_index("ix_holds_programme_id_state", "holds", ["programme_id", "state", "traded_at"], unique=False)
    op.create_index(
        "uq_holds_claim_id", "holds", ["claim_id"], unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN
    )
    op.create_table(
        "hold_findings",
        sa.Column("hold_id", sa.String(length=35), nullable=False),
        sa.Column("check_code", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_hold_findings_hold_id_holds")),
        sa.PrimaryKeyConstraint("hold_id", "check_code", name=op.f("pk_hold_findings")),
    )
    op.create_index(op.f("ix_hold_findings_check_code"), "hold_findings", ["check_code"], unique=False)
    op.create_index(
        "ix_evidence_records_buyer_id_traded_at", "evidence_records", ["buyer_id", "traded_at"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_evidence_records_buyer_id_traded_at", "evidence_records")
    for table in (
        "hold_findings",
        "holds",
        "claimed_trades",
        "check_runs",
        "supplier_capacities",
        "fair_prices",
        "blacklist_entries",
    ):
        op.drop_table(table)
