"""Programmes: their terms are those of the policy's text, and what changes later is allowed."""

from collections.abc import Mapping
from typing import Any

from app.audit.book import Account
from app.audit.plays import Stage, plays
from app.audit.terms import facts_of, tier_of
from app.indexer.projector import Occurrence
from app.indexer.values import account
from app.programmes.facts import Budget
from chain.enums import ProgrammeStatus, Role

_RUNNING = (ProgrammeStatus.DRAFT, ProgrammeStatus.PUBLISHED)


@plays("ProgrammeCreated")
def _created(stage: Stage, e: Occurrence) -> None:
    book, number, terms = stage.book, e.args["programmeId"], e.args["terms"]
    subject, wanted = f"programme {number}", len(book.programmes) + 1
    require = stage.findings.require
    require(number == wanted, "numbers-are-counted", subject, expected=wanted, found=number)
    stated = (terms["policyHash"], terms["group"])
    require(
        (e.args["policyHash"], e.args["group"]) == stated,
        "terms-are-the-policys",
        subject,
        expected=stated,
        found=(e.args["policyHash"], e.args["group"]),
    )
    part, by_text = stage.texts.terms_of(number, terms, stage.findings)
    rules = facts_of(by_text)
    book.programmes[number] = Account(
        number,
        rules,
        by_text["group"],
        by_text["challengeSeconds"],
        [Budget(fen) for fen in by_text["budgetsFen"]],
        tuple(tier_of(tier) for tier in by_text["tiers"]),
        [{account(one) for one in found["approvers"]} for found in terms["stages"]],
        part,
        agreements={index: tier["entity"] for index, tier in enumerate(terms["tiers"]) if any(tier["entity"])},
    )
    for index, found in enumerate(terms["stages"]):
        for approver in found["approvers"]:
            _require_reviewer(stage, f"approver of stage {index} of {subject}", account(approver))
        enough = 0 < found["required"] <= len(found["approvers"])
        require(enough, "stages-can-pass", f"stage {index} of {subject}", expected="approvers enough", found=found)


@plays("ProgrammePublished", "ProgrammeTerminated")
def _moved(stage: Stage, e: Occurrence) -> None:
    one = _known(stage, e)
    if one is None:
        return
    published = e.name == "ProgrammePublished"
    allowed = (ProgrammeStatus.DRAFT,) if published else _RUNNING
    _require_status(stage, one, allowed, e.name)
    one.status = ProgrammeStatus.PUBLISHED if published else ProgrammeStatus.TERMINATED


@plays("AgreementAdded")
def _agreement_added(stage: Stage, e: Occurrence) -> None:
    one, index, tier = _known(stage, e), e.args["tierIndex"], e.args["tier"]
    if one is None:
        return
    _require_status(stage, one, (ProgrammeStatus.PUBLISHED,), e.name)
    subject, require = f"agreement {index} of programme {one.number}", stage.findings.require
    require(index == len(one.tiers), "numbers-are-counted", subject, expected=len(one.tiers), found=index)
    require(any(tier["entity"]), "agreements-name-one", subject, expected="an organisation", found=tier["entity"])
    _require_allowed(stage, one, subject, tier)
    one.tiers = (*one.tiers, tier_of(tier))
    one.agreements[index] = tier["entity"]


@plays("ApproverSet")
def _approver_set(stage: Stage, e: Occurrence) -> None:
    one, place = _known(stage, e), e.args["stage"]
    if one is None:
        return
    _require_status(stage, one, _RUNNING, e.name)
    subject = f"approver of stage {place} of programme {one.number}"
    if place >= len(one.approvers):
        stage.findings.add("known", subject, expected=f"one of {len(one.approvers)} stages", found=place)
        return
    approver = account(e.args["account"])
    if e.args["approver"]:
        _require_reviewer(stage, subject, approver)
        one.approvers[place].add(approver)
    else:
        one.approvers[place].discard(approver)


@plays("SupplierListed", "PlatformListed")
def _listed(stage: Stage, e: Occurrence) -> None:
    one = _known(stage, e)
    if one is None:
        return
    _require_status(stage, one, _RUNNING, e.name)
    which, party = ("suppliers", "supplier") if e.name == "SupplierListed" else ("platforms", "platform")
    listed: frozenset[bytes] = getattr(one, which)
    named = frozenset((e.args[party],))
    setattr(one, which, listed | named if e.args["listed"] else listed - named)


def _require_allowed(stage: Stage, one: Account, subject: str, tier: Mapping[str, Any]) -> None:
    """What the policy's text says of agreements."""
    if one.part is None:
        return
    highest = 0 if one.part.agreements is None else one.part.agreements.max_rate_bps
    found = max(tier["rateBps"])
    stage.findings.require(
        found <= highest, "agreements-are-the-policys", subject, expected=f"at most {highest} bps", found=found
    )


def _require_reviewer(stage: Stage, subject: str, officer: bytes) -> None:
    stage.findings.require(
        (Role.REVIEWER.value, officer) in stage.book.officers,
        "approvers-are-reviewers",
        subject,
        expected="an account with the reviewer's role",
        found=officer,
    )


def _require_status(stage: Stage, one: Account, allowed: tuple[ProgrammeStatus, ...], event: str) -> None:
    if one.status not in allowed:
        expected = " or ".join(status.name.lower() for status in allowed)
        found = f"{event} while {one.status.name.lower()}"
        stage.findings.add("state-by-own-operations", f"programme {one.number}", expected=expected, found=found)


def _known(stage: Stage, e: Occurrence) -> Account | None:
    number = e.args["programmeId"]
    found = stage.book.programmes.get(number)
    if found is None:
        stage.findings.add("known", f"programme {number} of {e.name}", expected="created", found="unknown")
    return found
