"""API keys. Only a digest of the secret is stored."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Base, Hash32


class ApiKey(Base):
    """A key of a machine or, on the embedded default, of an officer.

    Attributes:
        id: Public part of the key.
        role: One of `app.auth.roles.Role`.
        subject: What it acts for: the USCC of a platform or enterprise, the signer name of a reviewer, else empty.
        secret_sha256: SHA-256 of the secret part, which has 256 bits of entropy and so needs no salt.
        revoked_at: Unix seconds, null while valid.
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    role: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    secret_sha256: Mapped[bytes] = mapped_column(Hash32)
    created_at: Mapped[int] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
