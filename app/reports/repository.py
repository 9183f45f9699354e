"""SQL of reports: the indexer's rollups, and sums over what was handed in, by programme and one dimension."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    String,
    case,
    cast,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.orm import Session

from app.applications.models import Application
from app.claims.models import Claim
from app.evidence.models import EvidenceConflict
from app.indexer.models import Budget, Entity, IndexState, Tier, Voucher
from app.indexer.rollup_models import Outstanding, Rollup
from app.indexer.rollups import NONE, TOTAL, day_of, end_of_day
from chain.contracts import Contracts
from chain.enums import NO_PERIOD
from chain.relay.models import GONE, Operation

Sums: TypeAlias = dict[tuple[int, str], dict[str, int]]
"""Totals by programme and key."""

KEY = "group_key"
"""Label by which rows are grouped: repeated, an expression would have other parameters and so be another to
PostgreSQL."""
DIMENSIONS = ("programmes", "periods", "tiers", "regions", "kinds", "suppliers")


def _tier(programme_id: Any, index: Any) -> ColumnElement[str]:
    return (
        select(Tier.name).where(Tier.programme_id == programme_id, Tier.index == index).correlate_except(Tier)
    ).scalar_subquery()


_period = case((Application.period == NO_PERIOD, NONE), else_=cast(Application.period, String))
_APPLICATION_KEYS: dict[str, ColumnElement[str]] = {
    "programmes": cast(Application.programme_id, String),
    "periods": _period,
    "tiers": _tier(Application.programme_id, Application.tier),
    "regions": func.coalesce(cast(Entity.region, String), NONE),
    "kinds": func.coalesce(Entity.kind, NONE),
}
_VOUCHER_KEYS: dict[str, ColumnElement[str]] = {
    "programmes": cast(Voucher.programme_id, String),
    "periods": func.coalesce(cast(Voucher.period, String), NONE),
    "tiers": _tier(Voucher.programme_id, Voucher.tier),
    "regions": cast(Voucher.holder_region, String),
    "kinds": Voucher.holder_kind.expression,
}


def index_state(session: Session, contracts: Contracts) -> tuple[int, bytes] | None:
    """Number and hash of the newest block in the projection."""
    row = session.execute(
        select(IndexState.block_number, IndexState.block_hash)
        .where(IndexState.chain_id == contracts.chain_id, IndexState.deployment == contracts.ledger)
        .execution_options(populate_existing=True)
    ).first()
    return None if row is None else (row[0], row[1])


def totals(session: Session, moment: int) -> dict[str, Sums]:
    """For each dimension, totals by programme and key."""
    found: dict[str, Sums] = {dimension: {} for dimension in DIMENSIONS}
    for rollup in session.scalars(select(Rollup).where(Rollup.span == TOTAL)):
        found[rollup.dimension][rollup.programme_id, rollup.key] = _sums(rollup)
    for dimension, programme_id, key, left_fen in _remaining(session, moment):
        sums = found[dimension][programme_id, key]
        sums["remaining_fen"] = sums.get("remaining_fen", 0) + int(left_fen)
    for dimension, column in _APPLICATION_KEYS.items():
        query = _applications(column, holder=dimension in ("regions", "kinds"))
        for row in session.execute(query):
            found[dimension].setdefault((row[0], row[1]), {}).update(_numbers(row._mapping))
    return found


def flows(session: Session, dimension: str, first: str, last: str, length: int) -> list[Rollup]:
    """What happened in each span from `first` to `last`, spans being texts of a length."""
    query = (
        select(Rollup)
        .where(Rollup.span.between(first, last), func.length(Rollup.span) == length, Rollup.dimension == dimension)
        .order_by(Rollup.span, Rollup.programme_id, Rollup.key)
    )
    return list(session.scalars(query))


def _sums(row: Rollup) -> dict[str, int]:
    """Figures of the overview: redemptions count while they stand."""
    redeemed_fen = row.redeemed_fen - row.rejected_fen
    return {
        "issued": row.issued,
        "issued_fen": row.issued_fen,
        "redeemed": row.redeemed - row.rejected,
        "redeemed_fen": redeemed_fen,
        "provisional_fen": redeemed_fen - row.written_off_fen,
        "written_off": row.written_off,
        "written_off_fen": row.written_off_fen,
        "rejected": row.rejected,
        "rejected_fen": row.rejected_fen,
        "recovered_fen": row.recovered_fen,
        "returned_fen": row.returned_fen,
    }


def _remaining(session: Session, moment: int) -> list[tuple[str, int, str, int]]:
    """Dimension, programme, key and what vouchers that are valid at a moment are still good for."""
    today = day_of(moment)
    later = (
        select(Outstanding.dimension, Outstanding.programme_id, Outstanding.key, func.sum(Outstanding.left_fen))
        .where(Outstanding.valid_day > today)
        .group_by(Outstanding.dimension, Outstanding.programme_id, Outstanding.key)
    )
    rows = [(row[0], row[1], row[2], row[3]) for row in session.execute(later)]
    # Of the vouchers that end today, some ended a moment ago.
    ending = Voucher.state.in_(("live", "frozen")) & Voucher.valid_until.between(moment, end_of_day(today))
    for dimension, column in _VOUCHER_KEYS.items():
        query = (
            select(Voucher.programme_id, column.label(KEY), func.sum(Voucher.face_fen - Voucher.redeemed_fen))
            .where(ending)
            .group_by(Voucher.programme_id, KEY)
        )
        rows += [(dimension, row[0], row[1], row[2]) for row in session.execute(query)]
    return rows


def budgets(session: Session) -> list[Budget]:
    """All budgets."""
    query = select(Budget).order_by(Budget.programme_id, Budget.index)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def refusals(session: Session) -> list[tuple[str, int | None, str, int]]:
    """Subject, programme, code and count of what was refused or rejected."""
    gone = Operation.status.in_(GONE)
    code = Operation.error["code"].as_string()
    queries: tuple[Executable, ...] = (
        select(literal("claim"), Claim.programme_id, Claim.code, func.count())
        .where(Claim.state.in_(("refused", "held")))
        .group_by(Claim.programme_id, Claim.code),
        select(literal("issue"), Application.programme_id, code, func.count())
        .join(Operation, Operation.id == Application.operation_id)
        .where(gone)
        .group_by(Application.programme_id, code),
        select(literal("application"), Application.programme_id, Application.reason_code, func.count())
        .where(Application.state == "rejected")
        .group_by(Application.programme_id, Application.reason_code),
        select(literal("evidence"), null(), literal("trade_id_reused"), func.count())
        .select_from(EvidenceConflict)
        .having(func.count() > 0),
    )
    rows = [(row[0], row[1], row[2], row[3]) for query in queries for row in session.execute(query)]
    return sorted(rows, key=lambda row: (row[0], row[1] or 0, row[2]))


def _applications(key: ColumnElement[str], *, holder: bool) -> Select[*tuple[Any, ...]]:
    approved = Application.state == "approved"
    query = select(
        Application.programme_id,
        key.label(KEY),
        func.count().label("applied"),
        func.sum(Application.face_fen).label("applied_fen"),
        _count_if(approved).label("approved"),
        _sum_if(approved, Application.face_fen).label("approved_fen"),
    )
    if holder:
        query = query.outerjoin(Entity, Entity.id == Application.entity_id)
    return query.group_by(Application.programme_id, KEY)


def _numbers(row: Mapping[Any, Any]) -> dict[str, int]:
    # The first two columns are programme and key; PostgreSQL sums BIGINT as NUMERIC.
    return {str(name): int(value) for name, value in list(row.items())[2:]}


def _sum_if(condition: ColumnElement[bool], value: Any) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, value), else_=0)), 0)


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
