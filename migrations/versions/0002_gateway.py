"""Keys, repeated requests, organisations, policy files and the deployment: what the gateway itself keeps."""

import sqlalchemy as sa
from alembic import op

from chain.sql import Json

revision = "0002_gateway"
down_revision = "0001_chain"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("tenant", sa.String(32), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(128), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "organisations",
        sa.Column("uscc", sa.String(64), nullable=False),
        sa.Column("entity_id", sa.LargeBinary(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("controller", sa.String(64), nullable=False),
        sa.Column("account", sa.LargeBinary(20), nullable=False),
        sa.Column("custodial", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_organisations")),
        sa.UniqueConstraint("entity_id", name=op.f("uq_organisations_entity_id")),
    )
    op.create_table(
        "policy_files",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("policy", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_policy_files")),
    )
    op.create_table(
        "deployments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("journal", Json, nullable=False),
        sa.Column("contracts", Json, nullable=True),
        sa.Column("start_block", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
    )


def downgrade() -> None:
    for table in ("deployments", "policy_files", "organisations", "idempotency_keys", "api_keys"):
        op.drop_table(table)
