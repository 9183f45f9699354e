"""Policy files as they were when a programme was made of them."""

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Base, Hash32


class PolicyFile(Base):
    """A policy file, byte for byte, by the digest that stands on chain."""

    __tablename__ = "policy_files"
    __table_args__ = (Index("uq_policy_files_policy_version", "policy", "version", unique=True),)

    digest: Mapped[bytes] = mapped_column(Hash32, primary_key=True)
    policy: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[int] = mapped_column(BigInteger)
