"""Answers kept for repetition."""

from sqlalchemy import BigInteger, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Base, Hash32


class IdempotencyKey(Base):
    """A key that a tenant used, and the answer it got. Written in the transaction of the request itself."""

    __tablename__ = "idempotency_keys"

    tenant: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_sha256: Mapped[bytes] = mapped_column(Hash32)
    status: Mapped[int] = mapped_column(Integer)
    media_type: Mapped[str] = mapped_column(String(128))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[int] = mapped_column(BigInteger)
