"""What changed of vouchers' value and of reserves, by day; applications by day. The projection is emptied: the indexer
makes it anew. Applications that are there are counted from their steps."""

from collections import defaultdict
from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0014_report_sums"
down_revision = "0013_effects"
branch_labels = None
depends_on = None

PROJECTION = (
    "approvers",
    "budgets",
    "chain_blocks",
    "chain_events",
    "entities",
    "entity_use",
    "evidence_batches",
    "evidence_keys",
    "listed_platforms",
    "listed_suppliers",
    "officer_roles",
    "outstanding",
    "parked_events",
    "periods",
    "programmes",
    "redemptions",
    "refusals",
    "rollups",
    "stages",
    "tiers",
    "vouchers",
    "projection_undo",
    "index_state",
)
COLUMNS = ("reserved_fen", "left_fen")
COUNTED = ("applied", "approved", "rejected", "withdrawn")
NO_PERIOD = 255
DAY, CHINA = 86_400, 8 * 3_600
PARTS = {
    "submitted": "review",
    "under_review": "review",
    "clarification": "clarification",
    "publicity": "publicity",
}


def upgrade() -> None:
    table = op.create_table(
        "application_rollups",
        sa.Column("span", sa.String(length=10), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        *(sa.Column(f"{name}{unit}", sa.BigInteger(), nullable=False) for name in COUNTED for unit in ("", "_fen")),
        sa.PrimaryKeyConstraint("span", "dimension", "programme_id", "key", name=op.f("pk_application_rollups")),
    )
    stages = op.create_table(
        "stage_rollups",
        sa.Column("span", sa.String(length=10), nullable=False),
        sa.Column("programme_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("passages", "seconds", "longest_s")),
        sa.PrimaryKeyConstraint("span", "programme_id", "stage", "kind", name=op.f("pk_stage_rollups")),
    )
    op.create_index("ix_application_steps_at", "application_steps", ["at"])
    waiting = sa.text("state IN ('submitted', 'under_review', 'clarification', 'publicity', 'appealed')")
    op.create_index(
        "ix_applications_undecided",
        "applications",
        ["programme_id", "stage"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    _count(op.get_bind(), table)
    _measure(op.get_bind(), stages)
    for name in PROJECTION:
        op.execute(sa.table(name).delete())
    with op.batch_alter_table("rollups") as batch:
        for name in COLUMNS:
            batch.add_column(sa.Column(name, sa.BigInteger(), nullable=False))
        batch.create_index("ix_rollups_dimension", ["deployment_id", "dimension", "span"])
    op.drop_index("ix_outstanding_valid_day", "outstanding")
    op.create_index("ix_outstanding_dimension", "outstanding", ["deployment_id", "dimension", "valid_day"])


def downgrade() -> None:
    for name in PROJECTION:
        op.execute(sa.table(name).delete())
    op.drop_index("ix_outstanding_dimension", "outstanding")
    op.create_index("ix_outstanding_valid_day", "outstanding", ["deployment_id", "valid_day"])
    with op.batch_alter_table("rollups") as batch:
        batch.drop_index("ix_rollups_dimension")
        for name in reversed(COLUMNS):
            batch.drop_column(name)
    op.drop_index("ix_applications_undecided", "applications")
    op.drop_index("ix_application_steps_at", "application_steps")
    op.drop_table("stage_rollups")
    op.drop_table("application_rollups")


def _count(connection: sa.Connection, table: sa.Table) -> None:
    """Adds up what was done to applications so far; region and kind are the present ones."""
    query = sa.text(
        "SELECT s.at, s.action, s.before, s.state, a.programme_id, a.period, a.face_fen, t.name, e.region, e.kind"
        " FROM application_steps s JOIN applications a ON a.id = s.application_id"
        ' LEFT JOIN tiers t ON t.deployment_id = 1 AND t.programme_id = a.programme_id AND t."index" = a.tier'
        " LEFT JOIN entities e ON e.deployment_id = 1 AND e.id = a.entity_id"
    )
    lines: dict[tuple[str, str, int, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for at, action, before, state, programme_id, period, face_fen, tier, region, kind in connection.execute(query):
        changes = {"applied": 1} if action == "submit" else {}
        # What the chain refused was approved here.
        was = "approved" if before == "refused" else before
        if was != state:
            changes |= {name: by for name, by in ((was, -1), (state, 1)) if name in COUNTED}
        day = _day(at)
        keys = {
            "programmes": str(programme_id),
            "periods": "none" if period == NO_PERIOD else str(period),
            "tiers": tier or "none",
            "regions": str(region or "none"),
            "kinds": kind or "none",
        }
        for dimension, key in keys.items():
            for span in ("total", day[:7], day):
                for name, by in changes.items():
                    lines[span, dimension, programme_id, key][name] += by
                    lines[span, dimension, programme_id, key][f"{name}_fen"] += by * face_fen
    empty = dict.fromkeys([f"{name}{unit}" for name in COUNTED for unit in ("", "_fen")], 0)
    names = ("span", "dimension", "programme_id", "key")
    rows = [dict(zip(names, line, strict=True)) | empty | amounts for line, amounts in lines.items()]
    if rows:
        connection.execute(table.insert(), rows)


def _measure(connection: sa.Connection, table: sa.Table) -> None:
    """Adds up the time that applications spent in the stages that they left."""
    query = sa.text(
        "SELECT s.application_id, s.at, s.state, s.stage, a.programme_id FROM application_steps s"
        " JOIN applications a ON a.id = s.application_id ORDER BY s.application_id, s.id"
    )
    lines: dict[tuple[str, int, int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    before, spent = None, defaultdict(int)
    for step in connection.execute(query):
        if before is not None and before.application_id == step.application_id and before.state in PARTS:
            spent[PARTS[before.state]] += step.at - before.at
            if step.stage != before.stage or step.state not in PARTS:
                for span in ("total", _day(step.at)[:7]):
                    for kind, seconds in spent.items():
                        line = lines[span, before.programme_id, before.stage, kind]
                        line[:] = line[0] + 1, line[1] + seconds, max(line[2], seconds)
                spent.clear()
        else:
            spent.clear()
        before = step
    names = ("span", "programme_id", "stage", "kind", "passages", "seconds", "longest_s")
    if lines:
        connection.execute(
            table.insert(), [dict(zip(names, (*line, *sums), strict=True)) for line, sums in lines.items()]
        )


def _day(at: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=(at + CHINA) // DAY)).isoformat()
