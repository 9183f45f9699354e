"""SQL of the signers' upkeep."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.indexer.models import OfficerRole
from app.signers.models import GasSpent, SignerBalance
from chain.relay.models import ChainTransaction, Operation, OperationStatus, TransactionStatus

_MINED = (TransactionStatus.MINED, TransactionStatus.FINAL)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a key spent since a moment."""

    fee_wei: int
    gas_used: int
    transactions: int


def balances(session: Session) -> Sequence[SignerBalance]:
    """What every key held, by name."""
    return session.scalars(select(SignerBalance).order_by(SignerBalance.name, SignerBalance.address)).all()


def lock_balance(session: Session, address: bytes) -> SignerBalance | None:
    """What a key held, locked; None at its first look."""
    return session.get(SignerBalance, address, with_for_update=True, populate_existing=True)


def uncounted(session: Session, limit: int) -> Sequence[ChainTransaction]:
    """Mined transactions whose cost is not known yet."""
    query = (
        select(ChainTransaction)
        .outerjoin(GasSpent, GasSpent.tx_hash == ChainTransaction.hash)
        .where(ChainTransaction.status.in_(_MINED), GasSpent.tx_hash.is_(None))
        .order_by(ChainTransaction.id)
        .limit(limit)
    )
    return session.scalars(query).all()


def spent(session: Session, address: bytes, since: int) -> Spent:
    """What a key spent on transactions signed since a moment, Unix seconds."""
    query = select(func.sum(GasSpent.fee_wei), func.sum(GasSpent.gas_used), func.count()).where(
        GasSpent.signer == address, GasSpent.signed_at >= since
    )
    fee_wei, gas_used, transactions = session.execute(query).one()
    return Spent(int(fee_wei or 0), int(gas_used or 0), transactions)


def queued(session: Session, name: str) -> int:
    """Operations that wait for a key."""
    query = select(func.count()).where(Operation.status == OperationStatus.QUEUED, Operation.signer == name)
    return session.scalar(query) or 0


def in_flight(session: Session, address: bytes) -> int:
    """Nonces of a key that are signed and not mined."""
    query = select(func.count(ChainTransaction.nonce.distinct())).where(
        ChainTransaction.signer == address, ChainTransaction.status == TransactionStatus.SIGNED
    )
    return session.scalar(query) or 0


def roles(session: Session, address: bytes) -> list[str]:
    """Roles that a key holds on chain."""
    return sorted(session.scalars(select(OfficerRole.role).where(OfficerRole.account == address)))
