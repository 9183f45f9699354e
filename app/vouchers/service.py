"""What is known of vouchers and redemptions, and what officers do to vouchers."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.auth.service import Principal
from app.clock import now
from app.entities.repository import by_uscc
from app.errors import NotFound
from app.gateway import Gateway
from app.indexer.models import ChainEvent, Redemption
from app.operations.service import submit
from app.vouchers import repository
from app.vouchers.schemas import (
    HistoryItem,
    PublicVoucher,
    RedemptionPage,
    RedemptionView,
    VoucherDetail,
    VoucherPage,
    VoucherView,
)
from chain.relay.models import Operation

ENDED = (repository.EXPIRED, repository.CANCELLED)


def visible_to(caller: Principal) -> str | None:
    """The organisation whose records alone a caller may see; None for staff, who see all."""
    return None if caller.is_staff else caller.subject


def own_id(session: Session, uscc: str) -> bytes:
    """Registry id of an organisation; for one that is not known, an id that nobody has."""
    row = by_uscc(session, uscc)
    return row.entity_id if row else bytes(32)


def find(session: Session, caller: Principal, voucher_id: int) -> repository.Found:
    """A voucher that the caller may see.

    Raises:
        NotFound: There is none, or it is another organisation's.
    """
    found = repository.find(session, voucher_id, now())
    subject = visible_to(caller)
    if found is None or (subject is not None and found[0].entity_id != own_id(session, subject)):
        raise NotFound("voucher", voucher_id)
    return found


def detail(session: Session, caller: Principal, voucher_id: int) -> VoucherDetail:
    """A voucher with its history."""
    found = find(session, caller, voucher_id)
    view = _views(session, [found])[0]
    events = repository.history(session, voucher_id)
    return VoucherDetail(**view.model_dump(), history=[_history_item(event, at) for event, at in events])


def page(
    session: Session,
    caller: Principal,
    *,
    programme_id: int | None,
    uscc: str | None,
    status: str | None,
    after: int,
    limit: int,
) -> VoucherPage:
    """Vouchers that the caller may see."""
    wanted = visible_to(caller) or uscc
    entity_id = None if wanted is None else own_id(session, wanted)
    rows = repository.page(
        session, now(), programme_id=programme_id, entity_id=entity_id, status=status, after=after, limit=limit
    )
    return VoucherPage(items=_views(session, rows), next=str(rows[-1][0].id) if len(rows) == limit else None)


def public(session: Session, gateway: Gateway, voucher_id: int) -> PublicVoucher:
    """What anybody may know of a voucher."""
    found = repository.find(session, voucher_id, now())
    if found is None:
        raise NotFound("voucher", voucher_id)
    row, status, _ = found
    return PublicVoucher(
        voucher_id=row.id,
        programme_id=row.programme_id,
        status=status,
        face_fen=row.face_fen,
        redeemed_fen=row.redeemed_fen,
        valid_until=row.valid_until,
        chain_id=gateway.contracts.chain_id,
        ledger=gateway.contracts.ledger,
    )


def redemption(session: Session, caller: Principal, redemption_id: int) -> Redemption:
    """A redemption that the caller may see: as staff, holder, supplier or platform.

    Raises:
        NotFound: There is none, or the caller has no part in it.
    """
    row = repository.redemption(session, redemption_id)
    if row is not None and (subject := visible_to(caller)) is not None:
        own = own_id(session, subject)
        row = row if own in (row.entity_id, row.supplier_id, row.platform_id) else None
    if row is None:
        raise NotFound("redemption", redemption_id)
    return row


def redemption_page(
    session: Session,
    caller: Principal,
    *,
    programme_id: int | None,
    voucher_id: int | None,
    uscc: str | None,
    state: str | None,
    after: int,
    limit: int,
) -> RedemptionPage:
    """Redemptions that the caller may see."""
    subject = visible_to(caller)
    rows = repository.redemptions(
        session,
        programme_id=programme_id,
        voucher_id=voucher_id,
        entity_id=None if uscc is None else own_id(session, uscc),
        party_id=None if subject is None else own_id(session, subject),
        state=state,
        after=after,
        limit=limit,
    )
    items = redemption_views(session, rows)
    return RedemptionPage(items=items, next=str(rows[-1].id) if len(rows) == limit else None)


def redemption_views(session: Session, rows: Sequence[Redemption]) -> list[RedemptionView]:
    """Redemptions as callers see them."""
    names = repository.numbers_of(session, [x for row in rows for x in (row.entity_id, row.supplier_id)])
    evidence = repository.evidence_of(session, rows)
    return [
        RedemptionView(
            redemption_id=row.id,
            voucher_id=row.voucher_id,
            programme_id=row.programme_id,
            period=row.period,
            state=row.state,
            amount_fen=row.amount_fen,
            recovered_fen=row.recovered_fen,
            rate_bps=row.rate_bps,
            limit=row.limit,
            settled_fen=row.settled_fen,
            traded_at=row.traded_at,
            buyer_id=_hex(row.entity_id),
            buyer_uscc=names.get(row.entity_id),
            supplier_id=_hex(row.supplier_id),
            supplier_uscc=names.get(row.supplier_id),
            platform_id=_hex(row.platform_id),
            region=f"{row.region:06d}",
            settlement_key=_hex(row.settlement_key),
            leaf=_hex(row.leaf),
            evidence_id=evidence.get(row.leaf),
            payment_ref=_reference(row.payment_ref),
            redeemed_at=row.redeemed_at,
            written_off_at=row.written_off_at,
            tx_hash=_hex(row.tx_hash),
        )
        for row in rows
    ]


def act(
    session: Session, gateway: Gateway, voucher_id: int, *, function: str, signer: str, reason: str | None = None
) -> Operation:
    """Puts freeze, unfreeze, cancel or expire of a voucher into the outbox; whether it may be done, the contract says.

    Raises:
        NotFound: There is no such voucher.
    """
    if repository.find(session, voucher_id, now()) is None:
        raise NotFound("voucher", voucher_id)
    args: list[object] = [voucher_id]
    if reason is not None:
        args.append(reason.encode().ljust(32, b"\0"))
    return submit(
        session,
        gateway,
        kind=f"voucher_{function}",
        signer=signer,
        lane=f"voucher:{voucher_id}",
        contract="VoucherLedger",
        function=function,
        args=args,
        ref=str(voucher_id),
    )


def _views(session: Session, rows: Sequence[repository.Found]) -> list[VoucherView]:
    names = repository.numbers_of(session, [row.entity_id for row, _, _ in rows])
    return [
        VoucherView(
            voucher_id=row.id,
            programme_id=row.programme_id,
            entity_id=_hex(row.entity_id),
            uscc=names.get(row.entity_id),
            tier=row.tier,
            tier_name=tier_name,
            period=row.period,
            status=status,
            face_fen=row.face_fen,
            redeemed_fen=row.redeemed_fen,
            written_off_fen=row.written_off_fen,
            remaining_fen=0 if status in ENDED else row.face_fen - row.redeemed_fen,
            issued_at=row.issued_at,
            valid_until=row.valid_until,
        )
        for row, status, tier_name in rows
    ]


def _history_item(event: ChainEvent, occurred_at: int | None) -> HistoryItem:
    return HistoryItem(
        event=event.event,
        tx_hash=_hex(event.tx_hash),
        block_number=event.block_number,
        log_index=event.log_index,
        occurred_at=occurred_at,
        args=event.args,
    )


def _hex(value: bytes) -> str:
    return f"0x{value.hex()}"


def _reference(value: bytes | None) -> str | None:
    """A reference as it was given: its ASCII if that is what it holds, else hex."""
    if value is None:
        return None
    text = value.rstrip(b"\0")
    return text.decode("ascii") if all(0x21 <= c <= 0x7E for c in text) else _hex(value)
