"""Events and webhooks."""

import sqlalchemy as sa
from alembic import op

from chain.sql import Json, RowId

revision = "0005_events"
down_revision = "0004_projection"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("standing", sa.String(length=8), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("log_index", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("position", name=op.f("uq_events_position")),
        sa.UniqueConstraint("uid", name=op.f("uq_events_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_occurred_at"), "events", ["occurred_at"], unique=False)
    op.create_index("ix_events_standing_block_number", "events", ["standing", "block_number"], unique=False)
    op.create_index(
        "uq_events_block_hash_log_index",
        "events",
        ["block_hash", "log_index"],
        unique=True,
        sqlite_where=sa.text("standing <> 'reversed'"),
        postgresql_where=sa.text("standing <> 'reversed'"),
    )
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("chain_cursor", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("final_block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
    )
    op.create_table(
        "event_parties",
        sa.Column("party", sa.LargeBinary(length=32), nullable=False),
        sa.Column("event_id", RowId, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_event_parties_event_id_events")),
        sa.PrimaryKeyConstraint("party", "event_id", name=op.f("pk_event_parties")),
    )
    op.create_index("ix_event_parties_event_id", "event_parties", ["event_id"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=35), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("party", sa.LargeBinary(length=32), nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("types", Json, nullable=False),
        sa.Column("secret_version", sa.Integer(), nullable=False),
        sa.Column("previous_until", sa.BigInteger(), nullable=True),
        sa.Column("disabled_reason", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_webhooks_key_id_api_keys")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index("ix_webhooks_role_subject", "webhooks", ["role", "subject"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("webhook_id", sa.String(length=35), nullable=False),
        sa.Column("event_id", RowId, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("waiting_since", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_webhook_deliveries_event_id_events")),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_deliveries_webhook_id_webhooks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("webhook_id", "event_id", name=op.f("uq_webhook_deliveries_webhook_id_event_id")),
    )
    op.create_index(op.f("ix_webhook_deliveries_event_id"), "webhook_deliveries", ["event_id"], unique=False)
    op.create_index("ix_webhook_deliveries_state_due_at", "webhook_deliveries", ["state", "due_at"], unique=False)
    op.create_table(
        "webhook_attempts",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("delivery_id", RowId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["webhook_deliveries.id"], name=op.f("fk_webhook_attempts_delivery_id_webhook_deliveries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempts")),
    )
    op.create_index("ix_webhook_attempts_delivery_id", "webhook_attempts", ["delivery_id", "id"], unique=False)
    # The one row that publishers lock; nothing is published yet.
    op.execute(
        "INSERT INTO publication (id, position, chain_cursor, block_number, final_block) VALUES (1, 0, -1, -1, -1)"
    )


def downgrade() -> None:
    op.drop_table("webhook_attempts")
    op.drop_table("webhook_deliveries")
    op.drop_table("webhooks")
    op.drop_table("event_parties")
    op.drop_table("publication")
    op.drop_table("events")
