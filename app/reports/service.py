"""Reads a report: who may, at which point, with which parameters."""

from dataclasses import fields, replace

from sqlalchemy.orm import Session

from app.auth.service import Principal, demand
from app.deployment import Deployment
from app.entities.repository import by_uscc
from app.errors import ApiError, Invalid, NotFound
from app.gateway import Gateway
from app.indexer.models import Voucher
from app.indexer.projected import OWN, SCOPE
from app.reports import point as points
from app.reports.catalogue import REPORTS
from app.reports.export import Export
from app.reports.question import Question, Reading, Report
from chain.contracts import Contracts

MAX_ROWS = {"json": 200_000, "csv": 200_000, "xlsx": 50_000, "pdf": 5_000}
"""Rows that a file may have, by format."""


def readable(caller: Principal) -> list[Report]:
    """The reports that a caller may read, those about itself included."""
    return [report for report in REPORTS.values() if caller.role in report.roles or report.own]


def read(
    session: Session, gateway: Gateway, caller: Principal, name: str, question: Question, *, file_format: str
) -> Export:
    """A report.

    Args:
        question: As asked; members that differ from their defaults were given.

    Raises:
        NotFound: There is no such report, supplier or voucher, or the caller may not know of it.
        Forbidden: The caller's role may not read it.
        Invalid: A parameter is not one of this report's, or has no such value.
        ApiError: 503 where blocks are missing; 422 for more rows than a file may have.
    """
    report = REPORTS.get(name)
    if report is None:
        raise NotFound("report", name)
    if not report.own:
        demand(caller, *report.roles)
    _check(report, question)
    question = _own(session, caller, report, question)
    contracts = _contracts(session, gateway)
    rpc = gateway.rpc if contracts.chain_id == gateway.contracts.chain_id else None
    point = points.at(session, contracts, rpc, question.as_of)
    table = report.read(Reading(session, question, point))
    if len(table.rows) > MAX_ROWS[file_format]:
        raise ApiError(
            422,
            "too_many_rows",
            f"The report has {len(table.rows)} rows; a {file_format} file may have {MAX_ROWS[file_format]}. "
            "Ask for fewer days, one programme, or months.",
            rows=len(table.rows),
        )
    return Export(report, question, contracts, point, points.parked_events(session, point), table)


def _contracts(session: Session, gateway: Gateway) -> Contracts:
    """Of the deployment that the session sees."""
    deployment = session.info.get(SCOPE, OWN)
    if deployment == OWN:
        return gateway.contracts
    return Contracts.from_dict(session.get_one(Deployment, deployment).contracts or {})


def _check(report: Report, question: Question) -> None:
    for member in fields(Question):
        given = getattr(question, member.name) != member.default
        if given and member.name not in report.takes:
            takes = ", ".join(report.takes)
            raise Invalid(f"query/{member.name}", "not_of_this_report", f"report {report.name} takes only: {takes}")
        if not given and member.name in report.needs:
            raise Invalid(f"query/{member.name}", "required", f"report {report.name} needs it")
    if question.first and question.last and question.first > question.last:
        raise Invalid("query/last", "not_before_first", "is before the first day")


def _own(session: Session, caller: Principal, report: Report, question: Question) -> Question:
    """The question with the registry's id of a supplier; refuses organisations what is not about themselves."""
    staff = caller.role in report.roles
    if question.supplier is not None:
        if not staff and question.supplier != caller.subject:
            raise NotFound("entity", question.supplier)
        organisation = by_uscc(session, question.supplier)
        if organisation is None:
            raise NotFound("entity", question.supplier)
        return replace(question, supplier=f"0x{organisation.entity_id.hex()}")
    if question.voucher_id is not None:
        voucher = session.get(Voucher, question.voucher_id)
        holder = None if staff else by_uscc(session, caller.subject)
        if voucher is None or not (staff or (holder is not None and holder.entity_id == voucher.entity_id)):
            raise NotFound("voucher", question.voucher_id)
    return question
