"""Programmes: terms, lists, approvers."""

from collections.abc import Mapping
from typing import Any

from chain.jsonable import jsonable

from .models import Approver, Budget, ListedPlatform, ListedSupplier, Period, Programme, Stage, Tier
from .projector import Occurrence, handles
from .rows import Rows
from .values import account, cap, nonzero, short_text, text


@handles("ProgrammeCreated")
def _created(rows: Rows, e: Occurrence) -> None:
    terms, programme_id = e.args["terms"], e.args["programmeId"]
    rows.insert(
        Programme,
        id=programme_id,
        policy_hash=e.args["policyHash"],
        policy_uri=text(terms["policyURI"]),
        group_id=e.args["group"],
        status="draft",
        terms=jsonable(terms),
        last_traded_at=0,
        created_at=e.at,
        published_at=None,
        terminated_at=None,
        tx_hash=e.tx_hash,
        block_number=e.block_number,
    )
    for index, amount_fen in enumerate(terms["budgetsFen"]):
        rows.insert(
            Budget,
            programme_id=programme_id,
            index=index,
            amount_fen=amount_fen,
            reserved_fen=0,
            redeemed_fen=0,
            written_off_fen=0,
            recovered_fen=0,
        )
    for index, period in enumerate(terms["periods"]):
        rows.insert(
            Period,
            programme_id=programme_id,
            index=index,
            starts_at=period["startsAt"],
            ends_at=period["endsAt"],
            budget_index=period["budget"],
        )
    for index, tier in enumerate(terms["tiers"]):
        _insert_tier(rows, programme_id, index, tier)
    for index, stage in enumerate(terms["stages"]):
        rows.insert(
            Stage,
            programme_id=programme_id,
            index=index,
            name=short_text(stage["name"]),
            required=stage["required"],
        )
        for approver in stage["approvers"]:
            rows.put(Approver, programme_id=programme_id, stage=index, account=account(approver))


@handles("ProgrammePublished")
def _published(rows: Rows, e: Occurrence) -> None:
    rows.update(Programme, e.args["programmeId"], status="published", published_at=e.at)


@handles("ProgrammeTerminated")
def _terminated(rows: Rows, e: Occurrence) -> None:
    rows.update(Programme, e.args["programmeId"], status="terminated", terminated_at=e.at)


@handles("AgreementAdded")
def _agreement_added(rows: Rows, e: Occurrence) -> None:
    _insert_tier(rows, e.args["programmeId"], e.args["tierIndex"], e.args["tier"])


@handles("ApproverSet")
def _approver_set(rows: Rows, e: Occurrence) -> None:
    programme_id, stage, key = e.args["programmeId"], e.args["stage"], account(e.args["account"])
    if e.args["approver"]:
        rows.put(Approver, programme_id=programme_id, stage=stage, account=key)
    else:
        rows.delete(Approver, programme_id, stage, key)


@handles("SupplierListed")
def _supplier_listed(rows: Rows, e: Occurrence) -> None:
    programme_id, supplier_id = e.args["programmeId"], e.args["supplier"]
    if e.args["listed"]:
        rows.put(ListedSupplier, programme_id=programme_id, supplier_id=supplier_id)
    else:
        rows.delete(ListedSupplier, programme_id, supplier_id)


@handles("PlatformListed")
def _platform_listed(rows: Rows, e: Occurrence) -> None:
    programme_id, platform_id = e.args["programmeId"], e.args["platform"]
    if e.args["listed"]:
        rows.put(ListedPlatform, programme_id=programme_id, platform_id=platform_id)
    else:
        rows.delete(ListedPlatform, programme_id, platform_id)


def _insert_tier(rows: Rows, programme_id: int, index: int, tier: Mapping[str, Any]) -> None:
    rows.insert(
        Tier,
        programme_id=programme_id,
        index=index,
        name=short_text(tier["name"]),
        entity_id=nonzero(tier["entity"]),
        period_cap_fen=cap(tier["periodCapFen"]),
        total_cap_fen=cap(tier["totalCapFen"]),
        rate_bps=list(tier["rateBps"]),
    )
