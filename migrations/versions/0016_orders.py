"""Orders, facts that officers confirmed, and what the rules say of an applicant."""

import sqlalchemy as sa
from alembic import op

from chain.sql import Json

revision = "0016_orders"
down_revision = "0015_rounds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "confirmed_facts",
        sa.Column("uscc", sa.String(length=64), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("confirmed_by", sa.String(length=32), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["uscc"], ["organisations.uscc"], name=op.f("fk_confirmed_facts_uscc_organisations")),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_confirmed_facts")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=35), nullable=False),
        sa.Column("platform", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("buyer", sa.String(length=64), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("application_id", sa.String(length=35), nullable=True),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("missing", Json, nullable=False),
        sa.Column("posted_by", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_orders_application_id_applications")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
    )
    op.create_index(op.f("uq_orders_platform_number"), "orders", ["platform", "number"], unique=True)
    op.create_index(op.f("ix_orders_buyer_state"), "orders", ["buyer", "state"], unique=False)
    op.create_index(op.f("ix_orders_created_at"), "orders", ["created_at"], unique=False)
    with op.batch_alter_table("applications") as table:
        table.add_column(sa.Column("finding", Json, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("applications") as table:
        table.drop_column("finding")
    op.drop_table("orders")
    op.drop_table("confirmed_facts")
