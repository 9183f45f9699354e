"""SQL of applications."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import BigInteger, Select, case, cast, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from app.applications.models import (
    Application,
    ApplicationApproval,
    ApplicationExchange,
    ApplicationStep,
    VoucherSerial,
)
from app.applications.states import IN_STAGE, UNDECIDED
from app.indexer.models import Approver, Period, Stage, Tier, Voucher
from chain.relay.models import GONE, Operation


def _state() -> ColumnElement[str]:
    """Whether a voucher was issued is the chain's to say, so it is read and never stored."""
    return case(
        (Voucher.id.is_not(None), "issued"),
        (Operation.status.in_(GONE), "refused"),
        else_=Application.state,
    )


def _joined() -> Select[Application, str, Operation]:
    programme_id = cast(Application.programme_id, BigInteger)
    voucher_id = programme_id * literal(2**32, BigInteger) + Application.voucher_serial
    return (
        select(Application, _state(), Operation)
        .outerjoin(Voucher, Voucher.id == voucher_id)
        .outerjoin(Operation, Operation.id == Application.operation_id)
    )


Found = tuple[Application, str, Operation | None]
"""An application, its state now, and the operation that issues its voucher."""


def find(session: Session, application_id: str) -> Found | None:
    """An application."""
    row = session.execute(_joined().where(Application.id == application_id)).first()
    return None if row is None else (row[0], row[1], row[2])


def lock(session: Session, application_id: str) -> None:
    """Holds an application against commands at the same time."""
    session.execute(select(Application.id).where(Application.id == application_id).with_for_update())


def page(
    session: Session,
    *,
    uscc: str | None,
    programme_id: int | None,
    state: str | None,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Found]:
    """Applications, oldest first."""
    query = _joined().order_by(Application.created_at, Application.id).limit(limit)
    if uscc is not None:
        query = query.where(Application.uscc == uscc)
    if programme_id is not None:
        query = query.where(Application.programme_id == programme_id)
    if state is not None:
        query = query.where(_state() == state)
    if after is not None:
        at, last = after
        query = query.where((Application.created_at > at) | ((Application.created_at == at) & (Application.id > last)))
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def on_their_way(session: Session, programme_id: int, entity_id: bytes) -> int:
    """Face, in fen, of an organisation's vouchers that are approved and not yet on chain."""
    query = _joined().where(
        Application.programme_id == programme_id, Application.entity_id == entity_id, _state() == "approved"
    )
    return sum(row[0].face_fen for row in session.execute(query))


def place_of(session: Session, application_id: str) -> tuple[int, str] | None:
    """Where an application stands in the order of pages."""
    row = session.execute(
        select(Application.created_at, Application.id).where(Application.id == application_id)
    ).first()
    return None if row is None else (row[0], row[1])


def approvals(session: Session, application_ids: Sequence[str]) -> dict[str, list[ApplicationApproval]]:
    """Approvals by application, in ascending order of signer, which is the contract's."""
    query = (
        select(ApplicationApproval)
        .where(ApplicationApproval.application_id.in_(application_ids))
        .order_by(ApplicationApproval.signer)
    )
    found: dict[str, list[ApplicationApproval]] = {name: [] for name in application_ids}
    for row in session.scalars(query):
        found[row.application_id].append(row)
    return found


def next_serial(session: Session, programme_id: int) -> int:
    """Takes the next serial of a programme; whoever asks at the same time waits and gets the one after it."""
    first = programme_id * 2**32
    issued = session.scalar(select(func.max(Voucher.id)).where(Voucher.id > first, Voucher.id < first + 2**32))
    # A database that was lost begins above what the chain has seen.
    floor = (issued or first) - first
    values = {"programme_id": programme_id, "last": floor + 1}
    row = (
        postgresql.insert(VoucherSerial).values(values)
        if session.get_bind().dialect.name == "postgresql"
        else sqlite.insert(VoucherSerial).values(values)
    )
    higher = case((VoucherSerial.last > floor, VoucherSerial.last), else_=floor) + 1
    statement = row.on_conflict_do_update(index_elements=["programme_id"], set_={"last": higher})
    return session.execute(statement.returning(VoucherSerial.last)).scalar_one()


def tiers(session: Session, programme_id: int) -> list[Tier]:
    """Tiers of a programme."""
    return list(session.scalars(select(Tier).where(Tier.programme_id == programme_id).order_by(Tier.index)))


def periods(session: Session, programme_id: int) -> list[Period]:
    """Periods of a programme."""
    return list(session.scalars(select(Period).where(Period.programme_id == programme_id).order_by(Period.index)))


def stages(session: Session, programme_ids: Sequence[int]) -> dict[int, list[Stage]]:
    """Stages by programme, in order."""
    query = select(Stage).where(Stage.programme_id.in_(programme_ids)).order_by(Stage.programme_id, Stage.index)
    found: dict[int, list[Stage]] = {number: [] for number in programme_ids}
    for row in session.scalars(query):
        found[row.programme_id].append(row)
    return found


def is_approver(session: Session, programme_id: int, stage: int, address: bytes) -> bool:
    """Whether an address may approve a stage."""
    return session.get(Approver, (programme_id, stage, address)) is not None


def approvers(session: Session, programme_ids: Iterable[int]) -> dict[tuple[int, int], list[bytes]]:
    """Addresses that may approve, by programme and stage."""
    query = select(Approver).where(Approver.programme_id.in_(list(programme_ids))).order_by(Approver.account)
    found: dict[tuple[int, int], list[bytes]] = {}
    for row in session.scalars(query):
        found.setdefault((row.programme_id, row.stage), []).append(row.account)
    return found


def steps(session: Session, application_ids: Sequence[str]) -> dict[str, list[ApplicationStep]]:
    """What was done to applications, in order."""
    query = (
        select(ApplicationStep).where(ApplicationStep.application_id.in_(application_ids)).order_by(ApplicationStep.id)
    )
    found: dict[str, list[ApplicationStep]] = {name: [] for name in application_ids}
    for row in session.scalars(query):
        found[row.application_id].append(row)
    return found


def actors(session: Session, application_id: str, actions: Collection[str]) -> set[str]:
    """All names of those who took one of the actions: key ids, what the keys act for, addresses that signed."""
    query = select(ApplicationStep.actor, ApplicationStep.key_id, ApplicationStep.signer).where(
        ApplicationStep.application_id == application_id, ApplicationStep.action.in_([str(one) for one in actions])
    )
    found = set()
    for actor, key_id, signer in session.execute(query):
        found |= {actor, key_id} if signer is None else {actor, key_id, f"0x{signer.hex()}"}
    return found - {""}


def exchanges(
    session: Session, application_ids: Sequence[str], kind: str | None = None
) -> dict[str, list[ApplicationExchange]]:
    """Questions, objections and appeals of applications, in order."""
    query = (
        select(ApplicationExchange)
        .where(ApplicationExchange.application_id.in_(application_ids))
        .order_by(ApplicationExchange.raised_at, ApplicationExchange.kind, ApplicationExchange.number)
    )
    if kind is not None:
        query = query.where(ApplicationExchange.kind == kind)
    found: dict[str, list[ApplicationExchange]] = {name: [] for name in application_ids}
    for row in session.scalars(query):
        found[row.application_id].append(row)
    return found


def open_exchanges(session: Session, application_id: str, kind: str) -> list[ApplicationExchange]:
    """Those of a kind that nobody answered yet."""
    return [row for row in exchanges(session, [application_id], kind)[application_id] if row.outcome is None]


def rests_on(session: Session, uscc: str, sha256: str) -> bool:
    """Whether an application of an organisation that is not decided has a document."""
    query = select(Application.documents).where(Application.uscc == uscc, Application.state.in_(UNDECIDED))
    return any(one["sha256"] == sha256 for documents in session.scalars(query) for one in documents)


def publicity_over(session: Session, moment: int, limit: int) -> list[str]:
    """Applications whose time on public display is over, and to which no objection is open."""
    objected = (
        select(ApplicationExchange.application_id)
        .where(ApplicationExchange.kind == "objection", ApplicationExchange.outcome.is_(None))
        .where(ApplicationExchange.application_id == Application.id)
    )
    query = (
        select(Application.id)
        .where(Application.publicity_until <= moment, ~objected.exists())
        .order_by(Application.publicity_until)
        .limit(limit)
    )
    return list(session.scalars(query))


def on_display(session: Session, programme_id: int | None) -> list[Application]:
    """Applications that are on public display, in order of their ends."""
    query = select(Application).where(Application.publicity_until.is_not(None))
    if programme_id is not None:
        query = query.where(Application.programme_id == programme_id)
    return list(session.scalars(query.order_by(Application.publicity_until, Application.id)))


def states(session: Session, programme_id: int) -> dict[str, int]:
    """How many applications of a programme are in each state."""
    found = _joined().where(Application.programme_id == programme_id)
    shown = found.with_only_columns(_state().label("state")).subquery()
    query = select(shown.c.state, func.count()).group_by(shown.c.state).order_by(shown.c.state)
    return {row[0]: row[1] for row in session.execute(query)}


def waiting(session: Session, programme_id: int) -> dict[str, int]:
    """Applications of a programme that wait in a stage, and in which."""
    query = select(Application.id, Application.stage).where(
        Application.programme_id == programme_id, Application.state.in_(IN_STAGE)
    )
    return {row[0]: row[1] for row in session.execute(query)}
