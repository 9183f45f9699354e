"""Bodies of reports."""

from app.schema import Schema


class Anchor(Schema):
    """What a report was read from: anyone can derive it again from the chain at this block.

    Attributes:
        contracts: Addresses by contract.
        block_number: Newest block whose events are counted; null before the first.
        rows_sha256: SHA-256 of the report's rows as sorted compact JSON, in 0x-hex.
    """

    chain_id: int
    contracts: dict[str, str]
    block_number: int | None
    block_hash: str | None
    rows_sha256: str


class Totals(Schema):
    """Counts and sums, in fen.

    Attributes:
        applied: Applications handed in; `approved` of them by all stages.
        redeemed: Redemptions that stand, written off or not.
        provisional_fen: Redeemed and not yet written off.
        rejected_fen: Redemptions that were undone.
        recovered_fen: Claimed back after payment.
        returned_fen: Unused value of vouchers that were cancelled or expired.
        remaining_fen: What vouchers that can still be used are good for: the most that may yet be claimed.
    """

    applied: int = 0
    applied_fen: int = 0
    approved: int = 0
    approved_fen: int = 0
    issued: int = 0
    issued_fen: int = 0
    redeemed: int = 0
    redeemed_fen: int = 0
    provisional_fen: int = 0
    written_off: int = 0
    written_off_fen: int = 0
    rejected: int = 0
    rejected_fen: int = 0
    recovered_fen: int = 0
    returned_fen: int = 0
    remaining_fen: int = 0


class Line(Totals):
    """Totals of one value of a dimension within a programme."""

    programme_id: int
    key: str


class BudgetLine(Schema):
    """Where a budget stands, in fen."""

    programme_id: int
    budget: int
    amount_fen: int
    reserved_fen: int
    redeemed_fen: int
    written_off_fen: int
    recovered_fen: int
    available_fen: int


class Overview(Schema):
    """The overview of all programmes (总览).

    Attributes:
        programmes: One line a programme; `key` is its number.
        periods: By period; `key` is its index, or `none` for vouchers that hold no budget and for applications to
            such programmes.
        tiers: By name of the tier.
        regions: By the holder's place of registration, a GB/T 2260 code.
        kinds: By kind of the holder.
        suppliers: By supplier: its number, or its registry id where this gateway does not know it. Redemptions only.
    """

    anchor: Anchor
    budgets: list[BudgetLine]
    programmes: list[Line]
    periods: list[Line]
    tiers: list[Line]
    regions: list[Line]
    kinds: list[Line]
    suppliers: list[Line]


class RefusalLine(Schema):
    """How often something was refused for one reason.

    Attributes:
        subject: claim or issue, refused by the contract with the error `code`; application, rejected by a reviewer
            with the reason code; evidence, a trade number posted again with other content.
    """

    subject: str
    programme_id: int | None
    code: str
    count: int


class Refusals(Schema):
    """Refusals and rejections by reason."""

    anchor: Anchor
    rows: list[RefusalLine]


class Flow(Schema):
    """What happened in a span, in fen and numbers: all redemptions count, rejections on the day that they happen."""

    span: str
    programme_id: int
    key: str
    issued: int
    issued_fen: int
    redeemed: int
    redeemed_fen: int
    written_off: int
    written_off_fen: int
    rejected: int
    rejected_fen: int
    recovered: int
    recovered_fen: int
    returned: int
    returned_fen: int


class Flows(Schema):
    """By day or month in China (UTC+8), programme and one dimension."""

    anchor: Anchor
    rows: list[Flow]
