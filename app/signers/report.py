"""The report on the signers, from SQL alone: the service and `suanquan signers` tell the same."""

from pydantic import Field
from sqlalchemy.orm import Session

from app.clock import now
from app.schema import Schema
from app.signers import repository
from app.signers.models import SignerBalance

DAY_S = 86400
MONTH_DAYS = 30
OFF_CHAIN = frozenset({"reviewer"})
"""Roles that sign and send nothing, so they need no balance."""


class SignerView(Schema):
    """A key of the service.

    Attributes:
        roles: Held on chain.
        balance_wei: As text, as wei exceed JavaScript's integers; so are the other amounts.
        queued: Operations that wait for it.
        in_flight: Nonces that are signed and not mined. A key may be retired when both are 0.
        days_left: How long the balance lasts at the rate of the last 30 days; null without a rate.
        needs_balance: Whether it sends and gas costs something.
        checked_at: When the balance was looked up, Unix seconds.
    """

    name: str
    address: str
    roles: list[str]
    balance_wei: str
    queued: int
    in_flight: int
    spent_24h_wei: str
    spent_30d_wei: str
    transactions_30d: int
    days_left: float | None = Field(examples=[12.5])
    needs_balance: bool
    low: bool
    note: str
    checked_at: int


def report(session: Session) -> list[SignerView]:
    """Every key that was looked at."""
    return [view(session, balance) for balance in repository.balances(session)]


def view(session: Session, balance: SignerBalance) -> SignerView:
    """One key."""
    at = now()
    held = repository.roles(session, balance.address)
    month = repository.spent(session, balance.address, at - MONTH_DAYS * DAY_S)
    sends = not held or not OFF_CHAIN.issuperset(held)
    return SignerView(
        name=balance.name,
        address=f"0x{balance.address.hex()}",
        roles=held,
        balance_wei=balance.balance_wei,
        queued=repository.queued(session, balance.name),
        in_flight=repository.in_flight(session, balance.address),
        spent_24h_wei=str(repository.spent(session, balance.address, at - DAY_S).fee_wei),
        spent_30d_wei=str(month.fee_wei),
        transactions_30d=month.transactions,
        days_left=days_left(int(balance.balance_wei), month.fee_wei),
        needs_balance=sends and not balance.gas_free,
        low=balance.low,
        note=_note(balance, sends=sends),
        checked_at=balance.checked_at,
    )


def days_left(balance_wei: int, spent_30d_wei: int) -> float | None:
    """Days that a balance lasts at the rate of the last 30 days; None if nothing was spent."""
    return round(balance_wei * MONTH_DAYS / spent_30d_wei, 1) if spent_30d_wei else None


def _note(balance: SignerBalance, *, sends: bool) -> str:
    if not sends:
        return "signs approvals and sends nothing: no balance is needed"
    if balance.gas_free:
        return "gas is free on this chain: no balance is needed"
    return "the balance is low: send it more" if balance.low else ""
