"""Several operations in one transaction; deadlines, cancellation, attempts. Claims no longer know of batches."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from chain.sql import Json

revision = "0008_carried_operations"
down_revision = "0007_evidence_upkeep"
branch_labels = None
depends_on = None


def _columns() -> list["sa.Column[Any]"]:
    return [
        sa.Column("sender", sa.LargeBinary(length=20), nullable=True),
        sa.Column("nonce", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("alone", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("deadline_at", sa.BigInteger(), nullable=True),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("attempts", Json, nullable=False, server_default="[]"),
    ]


def upgrade() -> None:
    # Columns are added and dropped in place: SQLite would copy the table, and others refer to its rows.
    for column in _columns():
        op.add_column("operations", column)
    # The newest transaction of an operation is under the nonce that counts.
    for target, source in (("sender", "signer"), ("nonce", "nonce")):
        op.execute(
            f"UPDATE operations SET {target} = (SELECT t.{source} FROM transactions t "  # noqa: S608 - constants
            "WHERE t.operation_id = operations.id ORDER BY t.id DESC LIMIT 1) WHERE status <> 'queued'"
        )
    op.create_index("ix_operations_carried", "operations", ["sender", "nonce"], unique=False)
    op.drop_index(op.f("ix_transactions_operation_id"), "transactions")
    with op.batch_alter_table("transactions") as table:
        table.drop_constraint(op.f("fk_transactions_operation_id_operations"), type_="foreignkey")
        table.drop_column("operation_id")
    op.drop_column("claims", "single")
    without_effect = sa.text("state IN ('refused', 'held')")
    op.create_index(
        "ix_claims_without_effect",
        "claims",
        ["operation_id"],
        unique=False,
        sqlite_where=without_effect,
        postgresql_where=without_effect,
    )


def downgrade() -> None:
    op.drop_index("ix_claims_without_effect", "claims")
    op.add_column("claims", sa.Column("single", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("transactions", sa.Column("operation_id", sa.String(length=35), nullable=True))
    # Of several operations in one transaction the first stands for all, and what carried none is forgotten.
    first = (
        "SELECT o.id FROM operations o WHERE o.sender = transactions.signer AND o.nonce = transactions.nonce "
        "ORDER BY o.place LIMIT 1"
    )
    op.execute(f"UPDATE transactions SET operation_id = ({first})")  # noqa: S608 - constants
    op.execute("DELETE FROM transactions WHERE operation_id IS NULL")
    with op.batch_alter_table("transactions") as table:
        table.alter_column("operation_id", existing_type=sa.String(length=35), nullable=False)
        table.create_foreign_key(
            op.f("fk_transactions_operation_id_operations"), "operations", ["operation_id"], ["id"]
        )
    op.create_index(op.f("ix_transactions_operation_id"), "transactions", ["operation_id"], unique=False)
    op.drop_index("ix_operations_carried", "operations")
    op.execute("UPDATE operations SET status = 'failed' WHERE status = 'cancelled'")
    for column in _columns():
        op.drop_column("operations", column.name)
