"""Holds, refusals and rejections by reason."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, null, select

from app.applications.models import Application
from app.checks.models import Hold, HoldFinding
from app.claims.models import Claim
from app.evidence.models import EvidenceConflict
from app.indexer.models import ChainBlock, ChainEvent, Redemption
from app.indexer.rollups import begin_of_day
from app.indexer.values import short_text
from app.reports.figures import put_names
from app.reports.question import Question, Reading, Report
from app.reports.table import LABEL, NAME, SERVICE, Column, Row, Table, key
from chain.relay.models import GONE, Operation

SUBJECTS = {
    "claim_refused": ("合约拒绝兑现", "Claim refused by the contract"),
    "claim_held": ("兑现暂缓", "Claim held for a person"),
    "issue_refused": ("合约拒绝发放", "Issue refused by the contract"),
    "application_rejected": ("申领驳回", "Application rejected"),
    "redemption_rejected": ("兑现驳回", "Redemption rejected"),
    "evidence_refused": ("存证拒收", "Evidence refused"),
}
"""What is refused, in both languages."""
_COLUMNS = (
    key("subject", "text", "事项", "Subject"),
    Column("what", "text", LABEL, "说明", "What it is"),
    key("programme_id", "count", "项目", "Programme"),
    NAME,
    key("code", "text", "原因", "Reason"),
    Column("count", "count", SERVICE, "次数", "Times", adds=True),
)


def _read(reading: Reading) -> Table:
    zh = reading.question.language == "zh"
    rows: list[Row] = [
        {
            "subject": subject,
            "what": SUBJECTS[subject][0 if zh else 1],
            "programme_id": programme_id,
            "code": (short_text(code) if isinstance(code, bytes) else code) or "unknown",
            "count": number,
        }
        for query in _queries(reading.question)
        for subject, programme_id, code, number in reading.session.execute(query)
    ]
    rows.sort(key=lambda row: (row["subject"], row["programme_id"] or 0, row["code"]))
    return Table(_COLUMNS, put_names(reading, rows, "programmes"))


def _queries(question: Question) -> list[Select[Any]]:
    code = Operation.error["code"].as_string()
    claims = (
        select(literal("claim_refused"), Claim.programme_id, Claim.code, func.count())
        .where(Claim.state == "refused", *_in(Claim.updated_at, question))
        .group_by(Claim.programme_id, Claim.code)
    )
    held = (
        select(literal("claim_held"), Hold.programme_id, HoldFinding.check_code, func.count())
        .join(HoldFinding, HoldFinding.hold_id == Hold.id)
        .where(*_in(Hold.created_at, question))
        .group_by(Hold.programme_id, HoldFinding.check_code)
    )
    issues = (
        select(literal("issue_refused"), Application.programme_id, code, func.count())
        .join(Operation, Operation.id == Application.operation_id)
        .where(Operation.status.in_(GONE), *_in(Operation.updated_at, question))
        .group_by(Application.programme_id, code)
    )
    applications = (
        select(literal("application_rejected"), Application.programme_id, Application.reason_code, func.count())
        .where(Application.state == "rejected", *_in(Application.updated_at, question))
        .group_by(Application.programme_id, Application.reason_code)
    )
    redemptions = (
        select(literal("redemption_rejected"), Redemption.programme_id, Redemption.reason, func.count())
        .where(Redemption.state == "rejected")
        .group_by(Redemption.programme_id, Redemption.reason)
    )
    if question.first or question.last:
        redemptions = (
            redemptions.join(ChainEvent, ChainEvent.redemption_id == Redemption.id)
            .join(ChainBlock, ChainBlock.number == ChainEvent.block_number)
            .where(ChainEvent.event == "RedemptionRejected", *_in(ChainBlock.timestamp, question))
        )
    evidence = (
        select(literal("evidence_refused"), null(), literal("trade_id_reused"), func.count())
        .select_from(EvidenceConflict)
        .where(*_in(EvidenceConflict.received_at, question))
        .having(func.count() > 0)
    )
    number = question.programme_id
    if number is None:
        return [claims, held, issues, applications, redemptions, evidence]
    return [
        claims.where(Claim.programme_id == number),
        held.where(Hold.programme_id == number),
        issues.where(Application.programme_id == number),
        applications.where(Application.programme_id == number),
        redemptions.where(Redemption.programme_id == number),
    ]


def _in(moment: Any, question: Question) -> list[ColumnElement[bool]]:
    """Within the days that are asked for."""
    found: list[ColumnElement[bool]] = []
    if question.first is not None:
        found.append(moment >= begin_of_day(_number(question.first)))
    if question.last is not None:
        found.append(moment < begin_of_day(_number(question.last + timedelta(days=1))))
    return found


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


REFUSALS = Report(
    name="refusals",
    zh="暂缓、拒绝与驳回原因",
    en="Holds, refusals and rejections",
    about_zh="被合约拒绝、被检查暂缓、被审核或财政驳回的次数,按原因;按最后变动日期筛选。",
    about_en="How often something was refused by the contract, held by a check or rejected by a person, by reason, "
    "within days of the last change. States of claims are not kept by time, so there is no as-of.",
    takes=("first", "last", "programme_id", "language"),
    read=_read,
)
