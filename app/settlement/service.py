"""Writes off, rejects and recovers redemptions; the contract has the last word on each."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.checks import repository as checks
from app.entities.models import Organisation
from app.errors import Conflict, Invalid, NotFound
from app.gateway import Gateway
from app.indexer.models import Redemption
from app.operations.service import submit
from app.settlement import repository
from app.settlement.schemas import (
    LedgerLine,
    NewRecovery,
    NewRejection,
    NewWriteOff,
    SupplierLedger,
    reference_bytes,
)
from chain.relay.models import Operation

FINANCE = "finance"
"""Name of the key that settles."""


def write_off(session: Session, gateway: Gateway, body: NewWriteOff) -> Operation:
    """Settles redemptions against one payment, all or none.

    Raises:
        Invalid: A redemption is unknown, stands twice in the list, is not provisional, or was reopened by a refund.
    """
    rows = repository.redemptions(session, body.redemption_ids)
    for index, number in enumerate(body.redemption_ids):
        place = f"/redemption_ids/{index}"
        if number in body.redemption_ids[:index]:
            raise Invalid(place, "unique", f"{number} stands twice in the list")
        row = rows.get(number)
        if row is None:
            raise Invalid(place, "known_redemption", f"there is no redemption {number}")
        if row.state != repository.PROVISIONAL:
            raise Invalid(place, "provisional", f"redemption {number} is {row.state}")
    _demand_not_reopened(session, body.redemption_ids)
    refs = [_ref(rows[number]) for number in body.redemption_ids]
    args = [refs, reference_bytes(body.payment_ref)]
    return _call(session, gateway, "writeOff", args, body.payment_ref)


def _demand_not_reopened(session: Session, numbers: Sequence[int]) -> None:
    """Refuses to settle what a refund after payment reopened, until a person released it.

    Raises:
        Invalid: A redemption is held, or its trade was corrected a moment ago.
    """
    barred = checks.barred(session, numbers)
    fresh = checks.freshly_corrected(session, numbers)
    for index, number in enumerate(numbers):
        if number in barred:
            detail = f"hold {barred[number].id} on redemption {number} is {barred[number].state}"
            raise Invalid(f"/redemption_ids/{index}", "not_held", detail)
        if number in fresh:
            detail = f"a record corrects the trade of redemption {number}, and nobody has looked at it yet"
            raise Invalid(f"/redemption_ids/{index}", "not_corrected", detail)


def reject(session: Session, gateway: Gateway, redemption_id: int, body: NewRejection) -> Operation:
    """Undoes a provisional redemption.

    Raises:
        NotFound: There is no such redemption.
        Conflict: It is not provisional.
    """
    row = _in_state(session, redemption_id, repository.PROVISIONAL)
    reason = body.reason.encode().ljust(32, b"\0")
    args = [_ref(row), row.contract_key, reason, body.bar_trade]
    return _call(session, gateway, "reject", args, str(redemption_id))


def recover(session: Session, gateway: Gateway, redemption_id: int, body: NewRecovery) -> Operation:
    """Records money claimed back after payment.

    Raises:
        NotFound: There is no such redemption.
        Conflict: It is not written off.
        Invalid: More is asked back than was paid and not recovered yet.
    """
    row = _in_state(session, redemption_id, repository.WRITTEN_OFF)
    left = row.amount_fen - row.recovered_fen
    if body.amount_fen > left:
        raise Invalid("/amount_fen", "at_most_paid", f"{left} fen are left to recover")
    args = [_ref(row), body.amount_fen, reference_bytes(body.reference)]
    return _call(session, gateway, "recover", args, str(redemption_id))


def ledger(session: Session, supplier: Organisation) -> SupplierLedger:
    """What a supplier is owed and was paid, in all and by programme."""
    lines = [
        LedgerLine(**sums._asdict(), net_fen=sums.settled_fen - sums.recovered_fen)
        for sums in repository.supplier_sums(session, supplier.entity_id)
    ]
    return SupplierLedger(
        uscc=supplier.uscc,
        entity_id=f"0x{supplier.entity_id.hex()}",
        owed_fen=sum(line.owed_fen for line in lines),
        settled_fen=sum(line.settled_fen for line in lines),
        rejected_fen=sum(line.rejected_fen for line in lines),
        recovered_fen=sum(line.recovered_fen for line in lines),
        net_fen=sum(line.net_fen for line in lines),
        programmes=lines,
    )


def _ref(row: Redemption) -> dict[str, object]:
    """A redemption as the contract is told of it."""
    return {"redemptionId": row.id, "settlementKey": row.settlement_key}


def _in_state(session: Session, redemption_id: int, state: str) -> Redemption:
    row = repository.redemptions(session, [redemption_id]).get(redemption_id)
    if row is None:
        raise NotFound("redemption", redemption_id)
    if row.state != state:
        raise Conflict("redemption_state", f"Redemption {redemption_id} is {row.state}, not {state}.", state=row.state)
    return row


def _call(session: Session, gateway: Gateway, function: str, args: Sequence[object], ref: str) -> Operation:
    return submit(
        session,
        gateway,
        kind={"writeOff": "write_off"}.get(function, f"{function}_redemption"),
        signer=FINANCE,
        lane=f"settlement:{ref}",
        contract="VoucherLedger",
        function=function,
        args=args,
        ref=ref,
    )
