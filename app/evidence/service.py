"""Takes submissions of evidence, and tells how far each record is.

A receipt is given for what is durable, once, in the platform's own sequence. Two ways in:

- signed: the platform chose salts, sequence and signature. The signature covers the root over all records, so one bad
  record refuses the submission whole: without it the root would be another.
- custody: the gateway keeps the platform's key; it salts, counts and signs. Bad records are reported one by one and the
  good ones stored, unless `atomic` is set.

The same trade number with the same content is answered with the first receipt; with other content it is refused and
kept for the auditor. Parties need not be registered: a claim on such a trade is refused by the contract later.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.auth.service import Principal
from app.clock import now
from app.custody import evidence_signer_of
from app.entities.repository import by_uscc, evidence_key
from app.errors import ApiError, Conflict, Invalid, NotFound
from app.evidence import repository
from app.evidence.body import Posted
from app.evidence.checking import Checked, Checker, Faults
from app.evidence.models import EvidenceStream, EvidenceSubmission
from app.evidence.schemas import ItemReceipt, Receipt, StreamView
from app.gateway import Gateway
from chain.identifiers import entity_id
from chain.merkle import MerkleTree
from chain.signatures import recover
from chain.typed_data import Submission, submission_digest

MAX_SEQUENCE = 2**63 - 1
MAX_ERRORS = 100
"""Errors that one answer lists."""


class Refused(Exception):
    """A submission that is refused although something of it must be kept: the problem is the answer, and the
    transaction commits."""

    def __init__(self, problem: ApiError) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def take(session: Session, gateway: Gateway, caller: Principal, posted: Posted) -> tuple[int, Receipt]:
    """Takes a submission; returns the HTTP status and the receipt.

    Raises:
        ApiError: It is refused; nothing of it is kept.
        Refused: It is refused, and contradictions in it are kept.
    """
    envelope = posted.envelope
    if caller.subject != envelope.platform:
        raise ApiError(403, "other_platform", "Your key posts for another platform.", platform=caller.subject)
    platform_id = entity_id(gateway.jurisdiction_key, envelope.platform)
    key = evidence_key(session, platform_id)
    if key is None:
        raise Conflict("platform_not_registered", "The platform has no evidence key in the registry yet.")
    if (envelope.sequence is None) != (envelope.signature is None):
        missing = "/sequence" if envelope.sequence is None else "/signature"
        raise Invalid(missing, "together", "a signed submission has both sequence and signature, custody neither")
    stream = repository.lock_stream(session, platform_id, envelope.platform)
    if envelope.sequence is None or envelope.signature is None:
        custodian = evidence_signer_of(gateway, envelope.platform)
        if bytes.fromhex(custodian.address[2:]) != key.key:
            raise Conflict(
                "own_key", "The platform's registered key is its own, so it signs: send sequence and signature."
            )
        return _take_custody(session, gateway, stream, posted)
    signature = _signature(envelope.signature)
    return _take_signed(session, gateway, stream, posted, signature=signature, key=key.key)


def _signature(text: str) -> bytes:
    try:
        signature = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        signature = b""
    if not text.startswith("0x") or len(signature) != 65:
        raise Invalid("/signature", "signature", "must be 0x and 130 hex digits")
    return signature


def _take_signed(
    session: Session,
    gateway: Gateway,
    stream: EvidenceStream,
    posted: Posted,
    *,
    signature: bytes,
    key: bytes,
) -> tuple[int, Receipt]:
    sequence = int(posted.envelope.sequence or 0)
    if not 1 <= sequence <= MAX_SEQUENCE:
        raise Invalid("/sequence", "range", "must be from 1 to 2^63 - 1")
    if sequence > stream.next_sequence:
        raise Conflict(
            "sequence_gap",
            f"The next sequence is {stream.next_sequence}, not {sequence}.",
            expected=stream.next_sequence,
            given=sequence,
        )
    good, bad = _checked(gateway, posted, custody=False)
    if bad:
        raise _all_refused(
            bad, "A record breaks a rule. The signature covers the root over all records, so none is taken."
        )
    root = MerkleTree([one.leaf for one in good]).root
    digest = submission_digest(gateway.contracts, Submission(stream.platform_id, sequence, root, len(good)))
    signer = recover(digest, signature)
    if signer is None or bytes.fromhex(signer[2:]) != key:
        raise Invalid(
            "/signature",
            "signature",
            f"is not that of the registered key 0x{key.hex()} over this sequence, root 0x{root.hex()} and count",
            code="bad_signature",
        )
    if sequence < stream.next_sequence:
        return _replay(session, stream, sequence, root)

    twice = _twice(good)
    known = repository.same_trades(session, stream.platform_id, [one.record.trade_id for one in good])
    conflicts = [one for one in good if _contradicts(one, known.get(one.record.trade_id))]
    if conflicts:
        _keep_conflicts(session, stream, conflicts, known)
        raise Refused(_conflict([_conflict_fault(one, known[one.record.trade_id][0]) for one in conflicts]))
    if twice:
        raise _all_refused(twice, "A trade number stands twice in the submission.")
    if known and len(known) == len(good):
        # The whole submission came before under another sequence; its receipt is the answer, no sequence is used up.
        items = [_item(one, "duplicate", known[one.record.trade_id][0]) for one in good]
        return 200, _receipt(stream, None, items, custody=False)
    if known:
        faults = [
            Faults(one.position, one.record.trade_id, [_error(one, "duplicate", _posted_before(known, one))])
            for one in good
            if one.record.trade_id in known
        ]
        raise Conflict(
            "duplicate_records",
            "Some records were posted before; sign a submission without them.",
            errors=[error for fault in faults[:MAX_ERRORS] for error in fault.errors],
        )
    return 201, _store(session, stream, good, root, signature, custody=False)


def _take_custody(session: Session, gateway: Gateway, stream: EvidenceStream, posted: Posted) -> tuple[int, Receipt]:
    checked, bad = _checked(gateway, posted, custody=True)
    known = repository.same_trades(session, stream.platform_id, [one.record.trade_id for one in checked])
    first: dict[str, Checked] = {}
    fresh, repeated, conflicts = [], [], []
    for one in checked:
        trade_id = one.record.trade_id
        if _contradicts(one, known.get(trade_id)):
            conflicts.append(one)
            bad.append(_conflict_fault(one, known[trade_id][0]))
        elif trade_id in known:
            repeated.append(one)
        elif trade_id not in first:
            first[trade_id] = one
            fresh.append(one)
        elif first[trade_id].content_digest == one.content_digest:
            repeated.append(one)
        else:
            detail = f"the same number as /records/{first[trade_id].position} with other content"
            bad.append(Faults(one.position, trade_id, [_error(one, "conflict", detail)]))
    _keep_conflicts(session, stream, conflicts, known)
    if bad and (posted.envelope.atomic or not (fresh or repeated)):
        if conflicts:
            raise Refused(_conflict(bad))
        raise _all_refused(bad, "A record breaks a rule, so none is taken.")
    if not fresh:
        items = [_item(one, "duplicate", known[one.record.trade_id][0]) for one in repeated]
        return 200, _receipt(stream, None, items + _refused(bad), custody=True)
    root = MerkleTree([one.leaf for one in fresh]).root
    subject = Submission(stream.platform_id, stream.next_sequence, root, len(fresh))
    digest = submission_digest(gateway.contracts, subject)
    signature = evidence_signer_of(gateway, stream.uscc).sign_digest(digest)
    receipt = _store(session, stream, fresh, root, signature, custody=True)
    ids = {item.trade_id: item.id for item in receipt.items}
    for one in repeated:
        trade_id = one.record.trade_id
        receipt.items.append(_item(one, "duplicate", known[trade_id][0] if trade_id in known else str(ids[trade_id])))
    receipt.items.extend(_refused(bad))
    receipt.items.sort(key=lambda item: item.position)
    receipt.duplicates, receipt.refused = len(repeated), len(bad)
    return 201, receipt


def _checked(gateway: Gateway, posted: Posted, *, custody: bool) -> tuple[list[Checked], list[Faults]]:
    checker = Checker(platform=posted.envelope.platform, custody=custody, key=gateway.jurisdiction_key, now=now())
    good: list[Checked] = []
    bad: list[Faults] = []
    for position, text in enumerate(posted.records):
        found = checker.check(position, text)
        if isinstance(found, Checked):
            good.append(found)
        else:
            bad.append(found)
    return good, bad


def _store(
    session: Session,
    stream: EvidenceStream,
    good: Sequence[Checked],
    root: bytes,
    signature: bytes,
    *,
    custody: bool,
) -> Receipt:
    """Stores the next submission of a stream."""
    sequence, at = stream.next_sequence, now()
    # Time first, so that the index grows at its end.
    base = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"
    times = [one.trade.traded_at for one in good]
    rows = [
        (
            f"ev_{base}{place:08x}",
            stream.platform_id,
            sequence,
            place,
            one.record.trade_id,
            one.trade.trade_id,
            one.leaf,
            one.trade.settlement_key,
            one.trade.buyer,
            one.trade.supplier,
            one.trade.traded_at,
            one.trade.settled_fen,
            one.content,
            one.salt,
            one.content_digest,
        )
        for place, one in enumerate(good)
    ]
    submission = {
        "platform_id": stream.platform_id,
        "sequence": sequence,
        "root": root,
        "count": len(good),
        "signature": signature,
        "custody": custody,
        "first_traded_at": min(times),
        "last_traded_at": max(times),
        "received_at": at,
    }
    stream.next_sequence = sequence + 1
    repository.add_submission(session, submission, rows)
    items = [_item(one, "stored", row[0]) for one, row in zip(good, rows, strict=True)]
    return _receipt(stream, EvidenceSubmission(**submission), items, custody=custody)


def _replay(session: Session, stream: EvidenceStream, sequence: int, root: bytes) -> tuple[int, Receipt]:
    """The first receipt of a submission that was posted again."""
    first = repository.submission(session, stream.platform_id, sequence)
    if first is None or first.root != root:
        raise Conflict(
            "sequence_reused",
            f"Sequence {sequence} holds another submission; the next is {stream.next_sequence}.",
            expected=stream.next_sequence,
            given=sequence,
        )
    rows = repository.receipts(session, stream.platform_id, sequence)
    items = [
        ItemReceipt(position=place, status="stored", id=evidence_id, trade_id=trade_id)
        for place, (evidence_id, trade_id) in enumerate(rows)
    ]
    return 200, _receipt(stream, first, items, custody=first.custody)


def _receipt(
    stream: EvidenceStream, submission: EvidenceSubmission | None, items: list[ItemReceipt], *, custody: bool
) -> Receipt:
    counts = dict.fromkeys(("stored", "duplicate", "refused"), 0)
    for item in items:
        counts[item.status] += 1
    return Receipt(
        platform=stream.uscc,
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


def _item(one: Checked, status: Any, evidence_id: str) -> ItemReceipt:
    # Not validated again: it takes longer than storing the record.
    return ItemReceipt.model_construct(
        position=one.position, status=status, id=evidence_id, trade_id=one.record.trade_id, errors=None
    )


def _refused(bad: Sequence[Faults]) -> list[ItemReceipt]:
    return [
        ItemReceipt(position=one.position, status="refused", id=None, trade_id=one.trade_id, errors=one.errors)
        for one in bad
    ]


def _twice(good: Sequence[Checked]) -> list[Faults]:
    first: dict[str, int] = {}
    found = []
    for one in good:
        before = first.setdefault(one.record.trade_id, one.position)
        if before != one.position:
            found.append(
                Faults(one.position, one.record.trade_id, [_error(one, "unique", f"stands at /records/{before} too")])
            )
    return found


def _contradicts(one: Checked, known: tuple[str, bytes] | None) -> bool:
    return known is not None and known[1] != one.content_digest


def _error(one: Checked, rule: str, detail: str) -> dict[str, str]:
    return {"pointer": f"/records/{one.position}/trade_id", "rule": rule, "detail": detail}


def _posted_before(known: dict[str, tuple[str, bytes]], one: Checked) -> str:
    return f"was posted before, as {known[one.record.trade_id][0]}"


def _conflict_fault(one: Checked, evidence_id: str) -> Faults:
    return Faults(
        one.position,
        one.record.trade_id,
        [_error(one, "conflict", f"was posted before with other content, as {evidence_id}")],
    )


def _keep_conflicts(
    session: Session, stream: EvidenceStream, conflicts: Sequence[Checked], known: dict[str, tuple[str, bytes]]
) -> None:
    rows = [
        {
            "platform_id": stream.platform_id,
            "trade_id": one.record.trade_id,
            "evidence_id": known[one.record.trade_id][0],
            "content_digest": one.content_digest,
            "record": one.content,
            "received_at": now(),
        }
        for one in conflicts
    ]
    repository.add_conflicts(session, rows)


def _all_refused(bad: Sequence[Faults], detail: str) -> ApiError:
    errors = [error for fault in bad for error in fault.errors]
    return ApiError(422, "invalid_records", detail, errors=errors[:MAX_ERRORS], error_count=len(errors))


def _conflict(bad: Sequence[Faults]) -> Conflict:
    errors = [error for fault in bad for error in fault.errors]
    return Conflict(
        "trade_id_conflict",
        "A trade number was posted before with other content. Corrections are new records that name the old one in "
        "`corrects`.",
        errors=errors[:MAX_ERRORS],
        error_count=len(errors),
    )


def stream_view(session: Session, gateway: Gateway, caller: Principal, uscc: str) -> StreamView:
    """Where a platform's stream stands; for staff and the platform itself.

    Raises:
        NotFound: There is no such platform, or it is not the caller's to see.
    """
    organisation = by_uscc(session, uscc)
    if organisation is None or not (caller.is_staff or caller.subject == uscc):
        raise NotFound("platform", uscc)
    platform_id = organisation.entity_id
    stream = repository.stream(session, platform_id)
    newest = repository.newest_batch(session, platform_id)
    key = evidence_key(session, platform_id)
    return StreamView(
        uscc=uscc,
        platform_id=f"0x{platform_id.hex()}",
        next_sequence=stream.next_sequence if stream else 1,
        anchored_to=newest.to_sequence if newest else 0,
        batches=newest.index + 1 if newest else 0,
        head=f"0x{newest.head.hex()}" if newest else None,
        pending=repository.pending_anchor(session, platform_id) is not None,
        custody=key.custodial if key else None,
        evidence_key=f"0x{key.key.hex()}" if key else None,
    )
