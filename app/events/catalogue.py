"""The types of events, who sees them, and filters over them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, or_

from app.applications.states import State
from app.events.models import Event
from chain.relay.models import UNFINISHED, OperationStatus

CHAIN_TYPES: Mapping[str, str] = {
    "EntityRegistered": "entity.registered",
    "EntityUpdated": "entity.updated",
    "StandingSet": "entity.standing_set",
    "EntityFrozen": "entity.frozen",
    "EntityUnfrozen": "entity.unfrozen",
    "KeyProposed": "entity.key_proposed",
    "KeyChanged": "entity.key_changed",
    "BatchAppended": "evidence.anchored",
    "ProgrammeCreated": "programme.created",
    "ProgrammePublished": "programme.published",
    "ProgrammeTerminated": "programme.terminated",
    "AgreementAdded": "programme.agreement_added",
    "ApproverSet": "programme.approver_set",
    "SupplierListed": "programme.supplier_listed",
    "PlatformListed": "programme.platform_listed",
    "VoucherIssued": "voucher.issued",
    "VoucherFrozen": "voucher.frozen",
    "VoucherUnfrozen": "voucher.unfrozen",
    "VoucherCancelled": "voucher.cancelled",
    "VoucherExpired": "voucher.expired",
    "IssueRefused": "voucher.issue_refused",
    "Redeemed": "voucher.redeemed",
    "WrittenOff": "voucher.written_off",
    "RedemptionRejected": "voucher.redemption_rejected",
    "RedemptionRefused": "voucher.redemption_refused",
    "Recovered": "voucher.recovered",
}
"""Event of the contracts to event type. One that a reorganisation undoes is followed by `<type>.reversed`."""
EVERYONE = bytes(32)
"""Party of events that all callers may see; no organisation has this id."""
PUBLIC = frozenset({"programme.published", "programme.terminated"})

CLAIM_HELD = "claim.held"
CLAIM_HOLD_DECIDED = "claim.hold_decided"
CLAIM_HOLD_PASSED = "claim.hold_passed"
EVIDENCE_ORPHANED = "evidence.orphaned"
OPERATION_REVERSED = "operation.reversed"
SIGNER_LOW = "signer.balance_low"
SIGNER_RECOVERED = "signer.balance_recovered"
OPERATION_TYPES = tuple(f"operation.{status.value}" for status in OperationStatus if status not in UNFINISHED)
APPLICATION_TYPES = tuple(f"application.{state}" for state in State if state not in (State.ISSUED, State.REFUSED))
"""An application came into a state, or something was done in it; what the chain makes of it is told by `voucher.issued`
and `operation.refused`."""

TYPES = frozenset(
    {
        *APPLICATION_TYPES,
        *CHAIN_TYPES.values(),
        *(f"{kind}.reversed" for kind in CHAIN_TYPES.values()),
        *OPERATION_TYPES,
        CLAIM_HELD,
        CLAIM_HOLD_DECIDED,
        CLAIM_HOLD_PASSED,
        EVIDENCE_ORPHANED,
        OPERATION_REVERSED,
        SIGNER_LOW,
        SIGNER_RECOVERED,
    }
)
STAFF_PREFIXES = ("operation.", "signer.")
"""Types that concern the service itself; only staff see them."""


def is_pattern(pattern: str) -> bool:
    """Whether a filter means something: `*`, a type, or a stem with `.*` that some type has."""
    if pattern.endswith("*"):
        stem = pattern[:-1]
        return not stem or (stem.endswith(".") and any(kind.startswith(stem) for kind in TYPES))
    return pattern in TYPES


def matches(kind: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns fits a type."""
    return any(kind.startswith(one[:-1]) if one.endswith("*") else kind == one for one in patterns)


def condition(patterns: Sequence[str]) -> ColumnElement[bool]:
    """The same in SQL."""
    stems = [one[:-1] for one in patterns if one.endswith("*")]
    whole = Event.type.in_([one for one in patterns if not one.endswith("*")])
    return or_(whole, *(Event.type.startswith(stem, autoescape=True) for stem in stems))
