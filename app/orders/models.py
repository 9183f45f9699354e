"""The table of orders."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.applications.models import Application
from chain.sql import Base, Json


class Order(Base):
    """An order that a platform posted under a programme of mode automatic; its number is the platform's own.

    Attributes:
        id: `or_` and 32 hex digits.
        platform: USCC of the platform; `buyer` that of the organisation that is to buy.
        content: The body as posted, members of schemas.NewOrder.
        state: granted (a voucher is issued for it), refused (by the policy's rules), or incomplete: it is decided once
            officers confirmed what is missing.
        application_id: Under which the voucher is issued.
        reasons: `{code, text_zh, text_en}` each.
        missing: Fields of a quotation that are not known.
        decided_at: Unix seconds.
    """

    __tablename__ = "orders"
    __table_args__ = (
        Index("uq_orders_platform_number", "platform", "number", unique=True),
        Index("ix_orders_buyer_state", "buyer", "state"),
    )

    id: Mapped[str] = mapped_column(String(35), primary_key=True)
    platform: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(64))
    programme_id: Mapped[int] = mapped_column(Integer)
    buyer: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(16))
    application_id: Mapped[str | None] = mapped_column(ForeignKey(Application.id))
    reasons: Mapped[list[dict[str, str]]] = mapped_column(Json)
    missing: Mapped[list[str]] = mapped_column(Json)
    posted_by: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[int] = mapped_column(BigInteger, index=True)
    decided_at: Mapped[int] = mapped_column(BigInteger)
