"""What the signers hold, and what gas cost them."""

import sqlalchemy as sa
from alembic import op

revision = "0006_signers"
down_revision = "0005_events"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gas_spent",
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signer", sa.LargeBinary(length=20), nullable=False),
        sa.Column("gas_used", sa.BigInteger(), nullable=False),
        sa.Column("fee_wei", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tx_hash", name=op.f("pk_gas_spent")),
    )
    op.create_index("ix_gas_spent_signer_signed_at", "gas_spent", ["signer", "signed_at"], unique=False)
    op.create_table(
        "signer_balances",
        sa.Column("address", sa.LargeBinary(length=20), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("balance_wei", sa.String(length=78), nullable=False),
        sa.Column("gas_free", sa.Boolean(), nullable=False),
        sa.Column("low", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_signer_balances")),
    )


def downgrade() -> None:
    op.drop_table("signer_balances")
    op.drop_table("gas_spent")
