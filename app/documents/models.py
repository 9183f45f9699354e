"""Tables of documents. The files themselves are in the document store."""

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from chain.sql import Base, Hash32


class Document(Base):
    """A file, once for each content.

    Attributes:
        sha256: Its digest, which stays when the file is erased.
        file_type: One of app.policies.model.FileType, told by its content.
        size: Bytes.
    """

    __tablename__ = "documents"

    sha256: Mapped[bytes] = mapped_column(Hash32, primary_key=True)
    file_type: Mapped[str] = mapped_column(String(8))
    size: Mapped[int] = mapped_column(BigInteger)


class DocumentHolding(Base):
    """That an organisation handed a file in, or somebody did for it.

    Attributes:
        uploaded_by: Id of the API key.
        uploader: What that key acts for, empty for officers without a name.
        erased_at: Unix seconds, null while the organisation keeps it here.
    """

    __tablename__ = "document_holdings"

    uscc: Mapped[str] = mapped_column(String(64), primary_key=True)
    sha256: Mapped[bytes] = mapped_column(ForeignKey(Document.sha256), primary_key=True, index=True)
    uploaded_by: Mapped[str] = mapped_column(String(32))
    uploader: Mapped[str] = mapped_column(String(64))
    uploaded_at: Mapped[int] = mapped_column(BigInteger)
    erased_at: Mapped[int | None] = mapped_column(BigInteger)
    erased_by: Mapped[str | None] = mapped_column(String(32))
    erase_reason: Mapped[str | None] = mapped_column(String(500))
