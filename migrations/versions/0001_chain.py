"""The relay's outbox and transactions, and the indexer's projection of the chain."""

import sqlalchemy as sa
from alembic import op

from chain.sql import Json, RowId

revision = "0001_chain"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approvers",
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.LargeBinary(length=20), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "stage", "account", name=op.f("pk_approvers")),
    )
    op.create_table(
        "budgets",
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reserved_fen", sa.BigInteger(), nullable=False),
        sa.Column("redeemed_fen", sa.BigInteger(), nullable=False),
        sa.Column("written_off_fen", sa.BigInteger(), nullable=False),
        sa.Column("recovered_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "index", name=op.f("pk_budgets")),
    )
    op.create_table(
        "chain_blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_chain_blocks")),
    )
    op.create_table(
        "chain_events",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_index", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("contract", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("args", Json, nullable=False),
        sa.Column("voucher_id", sa.BigInteger(), nullable=True),
        sa.Column("redemption_id", sa.BigInteger(), nullable=True),
        sa.Column("programme_id", sa.BigInteger(), nullable=True),
        sa.Column("entity_id", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_events")),
        sa.UniqueConstraint("block_hash", "log_index", name=op.f("uq_chain_events_block_hash_log_index")),
    )
    op.create_index(op.f("ix_chain_events_block_number"), "chain_events", ["block_number"], unique=False)
    op.create_index("ix_chain_events_entity_id", "chain_events", ["entity_id", "id"], unique=False)
    op.create_index("ix_chain_events_programme_id", "chain_events", ["programme_id", "id"], unique=False)
    op.create_index("ix_chain_events_redemption_id", "chain_events", ["redemption_id", "id"], unique=False)
    op.create_index(op.f("ix_chain_events_tx_hash"), "chain_events", ["tx_hash"], unique=False)
    op.create_index("ix_chain_events_voucher_id", "chain_events", ["voucher_id", "id"], unique=False)
    op.create_table(
        "entities",
        sa.Column("id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.LargeBinary(length=20), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("roles", sa.Integer(), nullable=False),
        sa.Column("region", sa.Integer(), nullable=False),
        sa.Column("standing", sa.String(length=32), nullable=False),
        sa.Column("standing_until", sa.BigInteger(), nullable=False),
        sa.Column("controller", sa.LargeBinary(length=32), nullable=True),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entities")),
        sa.UniqueConstraint("number", name=op.f("uq_entities_number")),
    )
    op.create_index(op.f("ix_entities_account"), "entities", ["account"], unique=False)
    op.create_table(
        "entity_use",
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entity_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("period", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("redeemed_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "entity_id", "period", name=op.f("pk_entity_use")),
    )
    op.create_table(
        "evidence_batches",
        sa.Column("platform_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("previous_head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("from_sequence", sa.BigInteger(), nullable=False),
        sa.Column("to_sequence", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_trade_at", sa.BigInteger(), nullable=False),
        sa.Column("last_trade_at", sa.BigInteger(), nullable=False),
        sa.Column("appended_at", sa.BigInteger(), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform_id", "index", name=op.f("pk_evidence_batches")),
    )
    op.create_table(
        "evidence_keys",
        sa.Column("entity_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(length=20), nullable=False),
        sa.Column("custodial", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("entity_id", "valid_from", name=op.f("pk_evidence_keys")),
    )
    op.create_table(
        "index_state",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("deployment", sa.String(length=42), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("final_block_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "deployment", name=op.f("pk_index_state")),
    )
    op.create_table(
        "listed_platforms",
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("platform_id", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "platform_id", name=op.f("pk_listed_platforms")),
    )
    op.create_table(
        "listed_suppliers",
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("supplier_id", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "supplier_id", name=op.f("pk_listed_suppliers")),
    )
    op.create_table(
        "officer_roles",
        sa.Column("role", sa.String(length=66), nullable=False),
        sa.Column("account", sa.LargeBinary(length=20), nullable=False),
        sa.PrimaryKeyConstraint("role", "account", name=op.f("pk_officer_roles")),
    )
    op.create_table(
        "operations",
        sa.Column("seq", RowId, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=35), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("signer", sa.String(length=64), nullable=False),
        sa.Column("to", sa.LargeBinary(length=20), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("gas_limit", sa.BigInteger(), nullable=True),
        sa.Column("ref", sa.String(length=200), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("result", Json, nullable=True),
        sa.Column("error", Json, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_operations")),
        sa.UniqueConstraint("id", name=op.f("uq_operations_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_operations_queue", "operations", ["status", "signer", "seq"], unique=False)
    op.create_index(op.f("ix_operations_ref"), "operations", ["ref"], unique=False)
    op.create_table(
        "parked_events",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log", Json, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked_events")),
    )
    op.create_index(op.f("ix_parked_events_block_number"), "parked_events", ["block_number"], unique=False)
    op.create_table(
        "periods",
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("budget_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "index", name=op.f("pk_periods")),
    )
    op.create_table(
        "programmes",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("policy_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("policy_uri", sa.Text(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("terms", Json, nullable=False),
        sa.Column("last_traded_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.Column("terminated_at", sa.BigInteger(), nullable=True),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programmes")),
    )
    op.create_index(op.f("ix_programmes_policy_hash"), "programmes", ["policy_hash"], unique=False)
    op.create_table(
        "projection_undo",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("table_name", sa.String(length=64), nullable=False),
        sa.Column("key", Json, nullable=False),
        sa.Column("before", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projection_undo")),
    )
    op.create_index(op.f("ix_projection_undo_block_number"), "projection_undo", ["block_number"], unique=False)
    op.create_table(
        "redemptions",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("voucher_id", sa.BigInteger(), nullable=False),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("entity_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("recovered_fen", sa.BigInteger(), nullable=False),
        sa.Column("rate_bps", sa.Integer(), nullable=False),
        sa.Column("limit", sa.String(length=32), nullable=False),
        sa.Column("settlement_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("contract_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("trade_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("platform_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("supplier_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("compute_type", sa.String(length=32), nullable=False),
        sa.Column("attributes", sa.BigInteger(), nullable=False),
        sa.Column("region", sa.Integer(), nullable=False),
        sa.Column("settled_fen", sa.BigInteger(), nullable=False),
        sa.Column("traded_at", sa.BigInteger(), nullable=False),
        sa.Column("redeemed_at", sa.BigInteger(), nullable=False),
        sa.Column("written_off_at", sa.BigInteger(), nullable=True),
        sa.Column("payment_ref", sa.LargeBinary(length=32), nullable=True),
        sa.Column("reason", sa.LargeBinary(length=32), nullable=True),
        sa.Column("trade_barred", sa.Boolean(), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemptions")),
    )
    op.create_index(op.f("ix_redemptions_entity_id"), "redemptions", ["entity_id"], unique=False)
    op.create_index(op.f("ix_redemptions_payment_ref"), "redemptions", ["payment_ref"], unique=False)
    op.create_index("ix_redemptions_queue", "redemptions", ["programme_id", "state", "id"], unique=False)
    op.create_index(op.f("ix_redemptions_settlement_key"), "redemptions", ["settlement_key"], unique=False)
    op.create_index(op.f("ix_redemptions_supplier_id"), "redemptions", ["supplier_id"], unique=False)
    op.create_index(op.f("ix_redemptions_voucher_id"), "redemptions", ["voucher_id"], unique=False)
    op.create_table(
        "refusals",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("voucher_id", sa.BigInteger(), nullable=False),
        sa.Column("settlement_key", sa.LargeBinary(length=32), nullable=True),
        sa.Column("trade_id", sa.LargeBinary(length=32), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("args", Json, nullable=False),
        sa.Column("refused_at", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusals")),
    )
    op.create_index(op.f("ix_refusals_settlement_key"), "refusals", ["settlement_key"], unique=False)
    op.create_index(op.f("ix_refusals_tx_hash"), "refusals", ["tx_hash"], unique=False)
    op.create_index(op.f("ix_refusals_voucher_id"), "refusals", ["voucher_id"], unique=False)
    op.create_table(
        "signers",
        sa.Column("address", sa.LargeBinary(length=20), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("next_nonce", sa.BigInteger(), nullable=True),
        sa.Column("lease_owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_signers")),
    )
    op.create_table(
        "stages",
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("required", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "index", name=op.f("pk_stages")),
    )
    op.create_table(
        "tiers",
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("entity_id", sa.LargeBinary(length=32), nullable=True),
        sa.Column("period_cap_fen", sa.BigInteger(), nullable=True),
        sa.Column("total_cap_fen", sa.BigInteger(), nullable=True),
        sa.Column("rate_bps", Json, nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "index", name=op.f("pk_tiers")),
    )
    op.create_table(
        "vouchers",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("programme_id", sa.BigInteger(), nullable=False),
        sa.Column("entity_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("period", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("face_fen", sa.BigInteger(), nullable=False),
        sa.Column("redeemed_fen", sa.BigInteger(), nullable=False),
        sa.Column("written_off_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("documents", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vouchers")),
    )
    op.create_index(op.f("ix_vouchers_entity_id"), "vouchers", ["entity_id"], unique=False)
    op.create_index(op.f("ix_vouchers_programme_id"), "vouchers", ["programme_id"], unique=False)
    op.create_table(
        "transactions",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("operation_id", sa.String(length=35), nullable=False),
        sa.Column("signer", sa.LargeBinary(length=20), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("gas_limit", sa.BigInteger(), nullable=False),
        sa.Column("max_fee_wei", sa.BigInteger(), nullable=False),
        sa.Column("tip_wei", sa.BigInteger(), nullable=True),
        sa.Column("bumps", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("reverted", sa.Boolean(), nullable=True),
        sa.Column("noop", sa.Boolean(), nullable=False),
        sa.Column("waiting_since", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_transactions_operation_id_operations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transactions")),
        sa.UniqueConstraint("signer", "nonce", "hash", name=op.f("uq_transactions_signer_nonce_hash")),
    )
    op.create_index(op.f("ix_transactions_hash"), "transactions", ["hash"], unique=False)
    op.create_index("ix_transactions_open", "transactions", ["signer", "status", "nonce"], unique=False)
    op.create_index(op.f("ix_transactions_operation_id"), "transactions", ["operation_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_transactions_operation_id"), table_name="transactions")
    op.drop_index("ix_transactions_open", table_name="transactions")
    op.drop_index(op.f("ix_transactions_hash"), table_name="transactions")
    op.drop_table("transactions")
    op.drop_index(op.f("ix_vouchers_programme_id"), table_name="vouchers")
    op.drop_index(op.f("ix_vouchers_entity_id"), table_name="vouchers")
    op.drop_table("vouchers")
    op.drop_table("tiers")
    op.drop_table("stages")
    op.drop_table("signers")
    op.drop_index(op.f("ix_refusals_voucher_id"), table_name="refusals")
    op.drop_index(op.f("ix_refusals_tx_hash"), table_name="refusals")
    op.drop_index(op.f("ix_refusals_settlement_key"), table_name="refusals")
    op.drop_table("refusals")
    op.drop_index(op.f("ix_redemptions_voucher_id"), table_name="redemptions")
    op.drop_index(op.f("ix_redemptions_supplier_id"), table_name="redemptions")
    op.drop_index(op.f("ix_redemptions_settlement_key"), table_name="redemptions")
    op.drop_index("ix_redemptions_queue", table_name="redemptions")
    op.drop_index(op.f("ix_redemptions_payment_ref"), table_name="redemptions")
    op.drop_index(op.f("ix_redemptions_entity_id"), table_name="redemptions")
    op.drop_table("redemptions")
    op.drop_index(op.f("ix_projection_undo_block_number"), table_name="projection_undo")
    op.drop_table("projection_undo")
    op.drop_index(op.f("ix_programmes_policy_hash"), table_name="programmes")
    op.drop_table("programmes")
    op.drop_table("periods")
    op.drop_index(op.f("ix_parked_events_block_number"), table_name="parked_events")
    op.drop_table("parked_events")
    op.drop_index(op.f("ix_operations_ref"), table_name="operations")
    op.drop_index("ix_operations_queue", table_name="operations")
    op.drop_table("operations")
    op.drop_table("officer_roles")
    op.drop_table("listed_suppliers")
    op.drop_table("listed_platforms")
    op.drop_table("index_state")
    op.drop_table("evidence_keys")
    op.drop_table("evidence_batches")
    op.drop_table("entity_use")
    op.drop_index(op.f("ix_entities_account"), table_name="entities")
    op.drop_table("entities")
    op.drop_index("ix_chain_events_voucher_id", table_name="chain_events")
    op.drop_index(op.f("ix_chain_events_tx_hash"), table_name="chain_events")
    op.drop_index("ix_chain_events_redemption_id", table_name="chain_events")
    op.drop_index("ix_chain_events_programme_id", table_name="chain_events")
    op.drop_index("ix_chain_events_entity_id", table_name="chain_events")
    op.drop_index(op.f("ix_chain_events_block_number"), table_name="chain_events")
    op.drop_table("chain_events")
    op.drop_table("chain_blocks")
    op.drop_table("budgets")
    op.drop_table("approvers")
