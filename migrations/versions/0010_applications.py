"""Applications: documents, drafts, history, questions, objections, appeals, publicity."""

import sqlalchemy as sa
from alembic import op

from chain.sql import Json, RowId

revision = "0010_applications"
down_revision = "0009_outstanding_index"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("file_type", sa.String(length=8), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_documents")),
    )
    op.create_table(
        "document_holdings",
        sa.Column("uscc", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("uploaded_by", sa.String(length=32), nullable=False),
        sa.Column("uploader", sa.String(length=64), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.Column("erased_by", sa.String(length=32), nullable=True),
        sa.Column("erase_reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["sha256"], ["documents.sha256"], name=op.f("fk_document_holdings_sha256_documents")),
        sa.PrimaryKeyConstraint("uscc", "sha256", name=op.f("pk_document_holdings")),
    )
    op.create_index(op.f("ix_document_holdings_sha256"), "document_holdings", ["sha256"], unique=False)
    op.create_table(
        "application_drafts",
        sa.Column("id", sa.String(length=35), nullable=False),
        sa.Column("uscc", sa.String(length=64), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("created_by", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_drafts")),
    )
    op.create_index(op.f("ix_application_drafts_uscc"), "application_drafts", ["uscc"], unique=False)
    op.create_index(op.f("ix_application_drafts_created_by"), "application_drafts", ["created_by"], unique=False)
    op.create_table(
        "application_steps",
        sa.Column("id", RowId, autoincrement=True, nullable=False),
        sa.Column("application_id", sa.String(length=35), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("before", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("signer", sa.LargeBinary(length=20), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_application_steps_application_id_applications")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_steps")),
    )
    op.create_index(op.f("ix_application_steps_application_id"), "application_steps", ["application_id"], unique=False)
    op.create_table(
        "application_exchanges",
        sa.Column("application_id", sa.String(length=35), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=4000), nullable=False),
        sa.Column("raised_by", sa.String(length=64), nullable=False),
        sa.Column("raised_key", sa.String(length=32), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reply", sa.String(length=4000), nullable=True),
        sa.Column("replied_by", sa.String(length=64), nullable=True),
        sa.Column("replied_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_application_exchanges_application_id_applications")
        ),
        sa.PrimaryKeyConstraint("application_id", "kind", "number", name=op.f("pk_application_exchanges")),
    )
    # Digests of applications from before were made without a salt: they have none, and no manifest.
    op.add_column("applications", sa.Column("salt", sa.LargeBinary(length=32), nullable=True))
    op.add_column("applications", sa.Column("publicity_until", sa.BigInteger(), nullable=True))
    op.add_column("applications", sa.Column("appeal_until", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_applications_publicity_until"), "applications", ["publicity_until"], unique=False)
    # What is known of the history of applications from before: that they were handed in, and where they are now.
    op.execute(
        "INSERT INTO application_steps (application_id, at, action, before, state, stage, actor, role, key_id) "
        "SELECT id, created_at, 'submit', NULL, 'submitted', 0, '', '', submitted_by FROM applications"
    )
    op.execute(
        "INSERT INTO application_steps (application_id, at, action, before, state, stage, actor, role, key_id) "
        "SELECT id, updated_at, CASE state WHEN 'rejected' THEN 'reject' WHEN 'withdrawn' THEN 'withdraw' "
        "WHEN 'approved' THEN 'approve' ELSE 'sign' END, 'submitted', state, stage, '', '', '' "
        "FROM applications WHERE state <> 'submitted'"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_applications_publicity_until"), table_name="applications")
    op.drop_column("applications", "appeal_until")
    op.drop_column("applications", "publicity_until")
    op.drop_column("applications", "salt")
    op.drop_table("application_exchanges")
    op.drop_table("application_steps")
    op.drop_table("application_drafts")
    op.drop_table("document_holdings")
    op.drop_table("documents")
