"""Bodies of applications."""

from typing import Annotated, Any

from pydantic import Field

from app.schema import HexAddress, OrganisationNumber, Schema, UnixSeconds

MAX_FACE_FEN = 2**40 - 1
"""Largest face of one voucher on chain, in fen; larger entitlements are issued as several vouchers."""

StageRef = Annotated[int | str, Field(union_mode="left_to_right")]
"""A stage by its index, from 0, or by its name."""
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Signature = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$")]


class Document(Schema):
    """A document that was handed in; the file itself stays where it is kept.

    Attributes:
        stage: Name of the stage that demands it, where the policy names several with the same document.
        name: Name of the document in the policy, for example `business_licence`.
        sha256: Digest of the file, 64 lower-case hex digits.
    """

    stage: Annotated[str, Field(max_length=32)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


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
    documents: Annotated[list[Document], Field(max_length=100, default_factory=list)]
    facts: Annotated[
        dict[Annotated[str, Field(max_length=64)], int | bool | Annotated[str, Field(max_length=500)] | None],
        Field(max_length=50, default_factory=dict),
    ]


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
    """Why an application is rejected."""

    reason_code: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_-]*$")]
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]+$")]


class StageProgress(Schema):
    """How far a stage is."""

    index: int
    name: str
    required: int
    approvals: list[str]


class ApplicationView(Schema):
    """An application and how far it is.

    Attributes:
        state: submitted, under_review, approved, rejected, withdrawn, issued or refused (by the contract).
        stage: Index of the stage that it waits in; the number of stages when all approved.
        voucher_id: Number that the voucher has, or would have.
    """

    id: str
    programme_id: int
    uscc: str
    entity_id: str
    tier: str
    face_fen: int
    voucher_id: int
    valid_until: int
    period: int | None
    documents: list[dict[str, Any]]
    documents_digest: str
    facts: dict[str, Any]
    state: str
    stage: int
    stages: list[StageProgress]
    reason_code: str | None
    reason: str | None
    operation_id: str | None
    error: dict[str, Any] | None
    created_at: int
    updated_at: int


class ApplicationPage(Schema):
    """A page of applications; `next` is the cursor of the page after it."""

    items: list[ApplicationView]
    next: str | None


class ApprovalData(Schema):
    """What a reviewer signs outside, for `eth_signTypedData_v4`.

    Attributes:
        digest: The 32 bytes that the signature is over, to compare.
    """

    typed_data: dict[str, Any]
    digest: str
