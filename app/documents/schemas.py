"""Bodies of documents."""

from typing import Annotated

from pydantic import Field

from app.schema import OrganisationNumber, Schema


class DocumentView(Schema):
    """A document that was handed in.

    Attributes:
        sha256: Digest of the file, by which applications name it.
        file_type: pdf, png, jpeg, ofd, xlsx or docx, told by its content.
        uscc: Organisation that it belongs to.
    """

    sha256: str
    file_type: str
    size: int
    uscc: str
    uploaded_at: int


class Erasure(Schema):
    """A request to erase a document.

    Attributes:
        uscc: Organisation that it belongs to; left out, the caller's own.
        reason: Kept with the erasure.
    """

    uscc: OrganisationNumber | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]+$")]
