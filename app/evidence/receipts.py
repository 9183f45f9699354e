"""What a platform is answered: receipts, and problems that name each bad record."""

from collections.abc import Iterable, Sequence
from typing import Literal

from app.clock import now
from app.errors import ApiError, Conflict
from app.evidence.checking import Checked, Faults
from app.evidence.models import EvidenceSubmission
from app.evidence.open_stream import Taken
from app.evidence.schemas import ItemReceipt, Receipt

MAX_ERRORS = 100
"""Errors that one answer lists."""


def receipt(
    uscc: str, submission: EvidenceSubmission | Taken | None, items: list[ItemReceipt], *, custody: bool
) -> Receipt:
    """The receipt for some records; `submission` holds those that were stored, None where none was."""
    counts = dict.fromkeys(("stored", "duplicate", "refused"), 0)
    for one in items:
        counts[one.status] += 1
    return Receipt(
        platform=uscc,
        sequence=submission.sequence if submission else None,
        root=f"0x{submission.root.hex()}" if submission else None,
        count=submission.count if submission else 0,
        custody=custody,
        received_at=submission.received_at if submission else now(),
        stored=counts["stored"],
        duplicates=counts["duplicate"],
        refused=counts["refused"],
        items=items,
    )


def item(position: int, status: Literal["stored", "duplicate"], evidence_id: str, trade_id: str) -> ItemReceipt:
    """A record that is there."""
    return ItemReceipt(position, status, evidence_id, trade_id)


def refused(bad: Iterable[Faults]) -> list[ItemReceipt]:
    """Records that are not taken."""
    return [
        ItemReceipt(position=one.position, status="refused", id=None, trade_id=one.trade_id, errors=one.errors)
        for one in bad
    ]


def fault(one: Checked, rule: str, detail: str, member: str = "trade_id") -> Faults:
    """A good record that cannot be taken."""
    error = {"pointer": f"/records/{one.position}/{member}", "rule": rule, "detail": detail}
    return Faults(one.position, one.trade_id, [error])


def invalid(bad: Sequence[Faults], detail: str) -> ApiError:
    """422 for a submission that is refused whole."""
    errors = _errors(bad)
    return ApiError(422, "invalid_records", detail, errors=errors[:MAX_ERRORS], error_count=len(errors))


def repeated(bad: Sequence[Faults]) -> Conflict:
    """409 for a signed submission of which a part was posted before."""
    errors = _errors(bad)
    return Conflict(
        "duplicate_records",
        "Some records were posted before; sign a submission without them.",
        errors=errors[:MAX_ERRORS],
        error_count=len(errors),
    )


def contradicted(bad: Sequence[Faults]) -> Conflict:
    """409 for trade numbers that were posted before with other content."""
    errors = _errors(bad)
    return Conflict(
        "trade_id_conflict",
        "A trade number was posted before with other content. Corrections are new records that name the old one in "
        "`corrects`.",
        errors=errors[:MAX_ERRORS],
        error_count=len(errors),
    )


def _errors(bad: Sequence[Faults]) -> list[dict[str, str]]:
    return [error for fault in bad for error in fault.errors]
