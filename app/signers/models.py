"""Tables of the signers' upkeep."""

from sqlalchemy import BigInteger, Boolean, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Address, Base, Hash32


class SignerBalance(Base):
    """What a key held when it was last looked at.

    Attributes:
        name: Key name in the settings.
        balance_wei: As text: wei exceed what SQL's integers hold.
        gas_free: Whether the chain asked nothing for gas, so that no balance is needed.
        low: Whether a warning was given that is not taken back.
        checked_at: Unix seconds.
    """

    __tablename__ = "signer_balances"

    address: Mapped[bytes] = mapped_column(Address, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    balance_wei: Mapped[str] = mapped_column(String(78))
    gas_free: Mapped[bool] = mapped_column(Boolean)
    low: Mapped[bool] = mapped_column(Boolean)
    checked_at: Mapped[int] = mapped_column(BigInteger)


class GasSpent(Base):
    """What a mined transaction cost.

    Attributes:
        fee_wei: Gas used × effective price; below 2**63 wei, which is 9 ether.
        signed_at: Unix seconds.
    """

    __tablename__ = "gas_spent"

    tx_hash: Mapped[bytes] = mapped_column(Hash32, primary_key=True)
    signer: Mapped[bytes] = mapped_column(Address)
    gas_used: Mapped[int] = mapped_column(BigInteger)
    fee_wei: Mapped[int] = mapped_column(BigInteger)
    signed_at: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_gas_spent_signer_signed_at", "signer", "signed_at"),)
