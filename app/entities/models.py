"""What is known of organisations off chain. The registry on chain knows them by a keyed digest only."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Address, Base, Hash32, Json


class Organisation(Base):
    """An organisation by its number.

    Attributes:
        uscc: 统一社会信用代码, or `maker:<document number>` for those who have none.
        entity_id: Keyed digest of `uscc`, the id on chain.
        controller: Name or number of the controlling group, empty where there is none.
        account: Its account at registration; `entities` has the present one.
        custodial: Whether the gateway keeps the key of that account.
    """

    __tablename__ = "organisations"

    uscc: Mapped[str] = mapped_column(String(64), primary_key=True)
    entity_id: Mapped[bytes] = mapped_column(Hash32, unique=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(32))
    region: Mapped[str] = mapped_column(String(6))
    controller: Mapped[str] = mapped_column(String(64))
    account: Mapped[bytes] = mapped_column(Address)
    custodial: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[int] = mapped_column(BigInteger)


class ConfirmedFacts(Base):
    """What an officer confirmed of an organisation, as policies ask for it: in the zone or not, revenue, filings.

    Attributes:
        facts: Fields of app.policies.question.Claimant by name; what is not there is not known.
        confirmed_by: Id of the API key.
    """

    __tablename__ = "confirmed_facts"

    uscc: Mapped[str] = mapped_column(ForeignKey(Organisation.uscc), primary_key=True)
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    confirmed_by: Mapped[str] = mapped_column(String(32))
    confirmed_at: Mapped[int] = mapped_column(BigInteger)
