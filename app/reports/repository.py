"""SQL of reports: sums over the projection and over what was handed in, grouped by programme and one dimension."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Executable, Select, String, and_, case, cast, func, literal, null, select
from sqlalchemy.orm import Session

from app.applications.models import Application
from app.claims.models import Claim
from app.evidence.models import EvidenceConflict
from app.indexer.models import Budget, Entity, IndexState, Redemption, Tier, Voucher
from chain.enums import NO_PERIOD
from chain.relay.models import Operation, OperationStatus

Sums: TypeAlias = dict[tuple[int, str], dict[str, int]]
"""Totals by programme and key."""

NONE = "none"
KEY = "group_key"
"""Label by which rows are grouped: repeated, an expression would have other parameters and so be another to
PostgreSQL."""
PROVISIONAL, WRITTEN_OFF, REJECTED = "provisional", "written_off", "rejected"


@dataclass(frozen=True, slots=True)
class Dimension:
    """How rows are grouped.

    Attributes:
        application, voucher, redemption: The key of a row of each; None where it has none.
        holder: Whether the key needs the holder's registry record.
    """

    application: ColumnElement[str] | None
    voucher: ColumnElement[str] | None
    redemption: ColumnElement[str]
    holder: bool = False


def _tier(programme_id: Any, index: Any) -> ColumnElement[str]:
    return (
        select(Tier.name).where(Tier.programme_id == programme_id, Tier.index == index).correlate_except(Tier)
    ).scalar_subquery()


_region = func.coalesce(cast(Entity.region, String), NONE)
_kind = func.coalesce(Entity.kind, NONE)
_period = case((Application.period == NO_PERIOD, NONE), else_=cast(Application.period, String))
_voucher_tier = (
    select(Voucher.tier).where(Voucher.id == Redemption.voucher_id).correlate_except(Voucher).scalar_subquery()
)

DIMENSIONS: dict[str, Dimension] = {
    "programmes": Dimension(
        cast(Application.programme_id, String),
        cast(Voucher.programme_id, String),
        cast(Redemption.programme_id, String),
    ),
    "periods": Dimension(_period, func.coalesce(cast(Voucher.period, String), NONE), cast(Redemption.period, String)),
    "tiers": Dimension(
        _tier(Application.programme_id, Application.tier),
        _tier(Voucher.programme_id, Voucher.tier),
        _tier(Redemption.programme_id, _voucher_tier),
    ),
    "regions": Dimension(_region, _region, _region, holder=True),
    "kinds": Dimension(_kind, _kind, _kind, holder=True),
}


def index_state(session: Session, chain_id: int) -> tuple[int, bytes] | None:
    """Number and hash of the newest block in the projection."""
    row = session.execute(
        select(IndexState.block_number, IndexState.block_hash)
        .where(IndexState.chain_id == chain_id)
        .execution_options(populate_existing=True)
    ).first()
    return None if row is None else (row[0], row[1])


def totals(session: Session, dimension: Dimension, moment: int) -> Sums:
    """Totals by programme and key of a dimension."""
    found: Sums = {}
    if dimension.application is not None:
        _add(found, session, _applications(dimension.application, holder=dimension.holder))
    if dimension.voucher is not None:
        _add(found, session, _vouchers(dimension.voucher, moment, holder=dimension.holder))
    _add(found, session, _redemptions(dimension.redemption, holder=dimension.holder))
    return found


def supplier_totals(session: Session) -> dict[tuple[int, bytes], dict[str, int]]:
    """Totals of redemptions by programme and supplier."""
    query = _redemption_sums(Redemption.supplier_id).group_by(Redemption.programme_id, KEY)
    return {(row[0], row[1]): _numbers(row._mapping) for row in session.execute(query)}


def budgets(session: Session) -> list[Budget]:
    """All budgets."""
    query = select(Budget).order_by(Budget.programme_id, Budget.index)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def refusals(session: Session) -> list[tuple[str, int | None, str, int]]:
    """Subject, programme, code and count of what was refused or rejected."""
    gone = Operation.status.in_((OperationStatus.REFUSED, OperationStatus.FAILED))
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


def _vouchers(key: ColumnElement[str], moment: int, *, holder: bool) -> Select[*tuple[Any, ...]]:
    usable = and_(Voucher.state.in_(("live", "frozen")), Voucher.valid_until >= moment)
    query = select(
        Voucher.programme_id,
        key.label(KEY),
        func.count().label("issued"),
        func.sum(Voucher.face_fen).label("issued_fen"),
        func.sum(Voucher.returned_fen).label("returned_fen"),
        _sum_if(usable, Voucher.face_fen - Voucher.redeemed_fen).label("remaining_fen"),
    )
    if holder:
        query = query.outerjoin(Entity, Entity.id == Voucher.entity_id)
    return query.group_by(Voucher.programme_id, KEY)


def _redemptions(key: ColumnElement[str], *, holder: bool) -> Select[*tuple[Any, ...]]:
    query = _redemption_sums(key)
    if holder:
        query = query.outerjoin(Entity, Entity.id == Redemption.entity_id)
    return query.group_by(Redemption.programme_id, KEY)


def _redemption_sums(key: Any) -> Select[*tuple[Any, ...]]:
    stands, written_off = Redemption.state != REJECTED, Redemption.state == WRITTEN_OFF
    rejected = Redemption.state == REJECTED
    amount = Redemption.amount_fen
    return select(
        Redemption.programme_id,
        key.label(KEY),
        _count_if(stands).label("redeemed"),
        _sum_if(stands, amount).label("redeemed_fen"),
        _sum_if(Redemption.state == PROVISIONAL, amount).label("provisional_fen"),
        _count_if(written_off).label("written_off"),
        _sum_if(written_off, amount).label("written_off_fen"),
        _count_if(rejected).label("rejected"),
        _sum_if(rejected, amount).label("rejected_fen"),
        func.sum(Redemption.recovered_fen).label("recovered_fen"),
    )


def _add(found: Sums, session: Session, query: Select[*tuple[Any, ...]]) -> None:
    for row in session.execute(query):
        found.setdefault((row[0], row[1]), {}).update(_numbers(row._mapping))


def _numbers(row: Mapping[Any, Any]) -> dict[str, int]:
    # The first two columns are programme and key; PostgreSQL sums BIGINT as NUMERIC.
    return {str(name): int(value) for name, value in list(row.items())[2:]}


def _sum_if(condition: ColumnElement[bool], value: Any) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, value), else_=0)), 0)


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
