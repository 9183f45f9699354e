"""Bodies of applications."""

from typing import Annotated, Any, Literal

from pydantic import Field

from app.schema import HexAddress, OrganisationNumber, Schema, UnixSeconds

MAX_FACE_FEN = 2**40 - 1
"""Largest face of one voucher on chain, in fen; larger entitlements are issued as several vouchers."""

StageRef = Annotated[int | str, Field(union_mode="left_to_right")]
"""A stage by its index, from 0, or by its name."""
Paragraph = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]+$")]
Signature = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$")]


class Document(Schema):
    """A document that was handed in before, by `PUT /v1/documents/{sha256}`.

    Attributes:
        stage: Name of the stage that demands it, where the policy names several with the same document.
        name: Name of the document in the policy, for example `business_licence`.
        sha256: Digest of the file, 64 lower-case hex digits.
    """

    stage: Annotated[str, Field(max_length=32)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


Documents = Annotated[list[Document], Field(max_length=100, default_factory=list)]
Facts = Annotated[
    dict[Annotated[str, Field(max_length=64)], int | bool | Annotated[str, Field(max_length=500)] | None],
    Field(max_length=50, default_factory=dict),
]


class NewApplication(Schema):
    """An application to hand in.

    Attributes:
        tier: Name of the tier.
        face_fen: Value asked for; left out, the most that the tier could ever pay.
        facts: What the applicant states of itself; its digest goes on chain with that of the documents.
    """

    programme_id: Annotated[int, Field(ge=1, le=65535)]
    uscc: OrganisationNumber
    tier: Annotated[str, Field(min_length=1, max_length=32)]
    face_fen: Annotated[int, Field(gt=0, le=MAX_FACE_FEN)] | None = None
    documents: Documents
    facts: Facts


class NewDraft(Schema):
    """An application as far as it is filled in; its members are those of an application."""

    programme_id: Annotated[int, Field(ge=1, le=65535)]
    uscc: OrganisationNumber
    tier: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    face_fen: Annotated[int, Field(gt=0, le=MAX_FACE_FEN)] | None = None
    documents: Documents
    facts: Facts


class DraftView(Schema):
    """A draft.

    Attributes:
        missing: What would still be refused, each with pointer, rule and detail.
    """

    id: str
    content: dict[str, Any]
    missing: list[dict[str, Any]]
    created_at: int
    updated_at: int


class Said(Schema):
    """A question, an objection, the grounds of an appeal."""

    text: Paragraph


class Answer(Schema):
    """An answer to a question.

    Attributes:
        documents: New ones, and others in place of those of the same stage and name.
        facts: New ones, and others in place of those of the same name.
    """

    text: Paragraph
    documents: Documents
    facts: Facts


class Resolution(Schema):
    """The decision on an objection, and why."""

    outcome: Literal["upheld", "dismissed"]
    text: Paragraph


class AppealDecision(Schema):
    """The decision on an appeal, and why."""

    outcome: Literal["granted", "denied"]
    text: Paragraph


class NewApproval(Schema):
    """An approval of one stage: signed here with the caller's custodial key, or outside.

    Attributes:
        deadline: Last Unix second at which the approval can be used; 30 days from now where it is signed here.
        signer: Address that signed outside.
        signature: Its 65 bytes over the typed data of `approval-data`.
    """

    stage: StageRef
    deadline: UnixSeconds | None = None
    signer: HexAddress | None = None
    signature: Signature | None = None


class Rejection(Schema):
    """Why an application is rejected; the codes of a programme are in its form."""

    reason_code: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_-]*$")]
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]+$")]
