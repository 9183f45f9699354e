"""Several deployments side by side, raw events, rollups. The projection is emptied: the indexer makes it anew."""

import sqlalchemy as sa
from alembic import op

from chain.sql import Json

revision = "0004_projection"
down_revision = "0003_business"
branch_labels = None
depends_on = None

KEYS = {
    "approvers": ["programme_id", "stage", "account"],
    "budgets": ["programme_id", "index"],
    "chain_blocks": ["number"],
    "chain_events": ["id"],
    "entities": ["id"],
    "entity_use": ["programme_id", "entity_id", "period"],
    "evidence_batches": ["platform_id", "index"],
    "evidence_keys": ["entity_id", "valid_from"],
    "listed_platforms": ["programme_id", "platform_id"],
    "listed_suppliers": ["programme_id", "supplier_id"],
    "officer_roles": ["role", "account"],
    "parked_events": ["id"],
    "periods": ["programme_id", "index"],
    "programmes": ["id"],
    "redemptions": ["id"],
    "refusals": ["id"],
    "stages": ["programme_id", "index"],
    "tiers": ["programme_id", "index"],
    "vouchers": ["id"],
}
UNIQUE = {
    "chain_events": (["block_hash", "log_index"], "uq_chain_events_block_hash_log_index"),
    "entities": (["number"], "uq_entities_number"),
}
SUMS = ("issued", "redeemed", "written_off", "rejected", "recovered", "returned")


def _empty() -> None:
    for table in (*KEYS, "projection_undo", "index_state"):
        op.execute(sa.table(table).delete())


def upgrade() -> None:
    _empty()
    for table, key in KEYS.items():
        with op.batch_alter_table(table, recreate="auto") as batch:
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.add_column(sa.Column("deployment_id", sa.Integer(), autoincrement=False, nullable=False))
            batch.create_primary_key(f"pk_{table}", ["deployment_id", *key])
            if table in UNIQUE:
                columns, name = UNIQUE[table]
                batch.drop_constraint(name, type_="unique")
                wider = ["deployment_id", *columns]
                batch.create_unique_constraint(f"uq_{table}_{'_'.join(wider)}", wider)
            if table == "chain_events":
                batch.drop_column("args")
                batch.add_column(sa.Column("topics", sa.LargeBinary(), nullable=False))
                batch.add_column(sa.Column("data", sa.LargeBinary(), nullable=False))
            if table == "parked_events":
                batch.add_column(sa.Column("parked_by", sa.String(length=16), nullable=False))
            if table == "vouchers":
                batch.add_column(sa.Column("holder_region", sa.Integer(), nullable=False))
                batch.add_column(sa.Column("holder_kind", sa.String(length=32), nullable=False))
                batch.create_index("ix_vouchers_valid_until", ["valid_until"])
    with op.batch_alter_table("projection_undo") as batch:
        batch.add_column(sa.Column("deployment_id", sa.Integer(), nullable=False))
    op.create_table(
        "rollups",
        sa.Column("deployment_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("span", sa.String(length=10), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        *(sa.Column(f"{name}{unit}", sa.BigInteger(), nullable=False) for name in SUMS for unit in ("", "_fen")),
        sa.PrimaryKeyConstraint("deployment_id", "span", "dimension", "programme_id", "key", name=op.f("pk_rollups")),
    )
    op.create_table(
        "outstanding",
        sa.Column("deployment_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("valid_day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("left_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "deployment_id", "dimension", "programme_id", "key", "valid_day", name=op.f("pk_outstanding")
        ),
    )


def downgrade() -> None:
    _empty()
    op.drop_table("outstanding")
    op.drop_table("rollups")
    with op.batch_alter_table("projection_undo") as batch:
        batch.drop_column("deployment_id")
    for table, key in KEYS.items():
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(f"pk_{table}", type_="primary")
            if table in UNIQUE:
                columns, name = UNIQUE[table]
                batch.drop_constraint(f"uq_{table}_{'_'.join(['deployment_id', *columns])}", type_="unique")
                batch.create_unique_constraint(name, columns)
            if table == "chain_events":
                batch.drop_column("data")
                batch.drop_column("topics")
                batch.add_column(sa.Column("args", Json, nullable=False))
            if table == "parked_events":
                batch.drop_column("parked_by")
            if table == "vouchers":
                batch.drop_index("ix_vouchers_valid_until")
                batch.drop_column("holder_kind")
                batch.drop_column("holder_region")
            batch.drop_column("deployment_id")
            batch.create_primary_key(f"pk_{table}", key)
