"""The trade-evidence record (存证): what a platform posts about one settled trade, and the trade it becomes on chain.

A flat JSON object, so that each field can be disclosed alone. Names follow FOCUS (the FinOps billing specification) in
snake case where it has one: charge_period_start, charge_period_end, charge_class, consumed_quantity, consumed_unit,
contracted_unit_price, list_cost, sku_id. The record itself stays off chain; see `chain.field_digests`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from . import identifiers, text_rules
from .enums import ComputeType, TradeAttributes, TradeKind
from .field_digests import FieldSchema
from .trade import Trade

SCHEMA_NAME = "suanquan-record/1"
MAX_FEN = 2**48 - 1
MAX_INTEGER = 2**53 - 1
MAX_IDENTIFIER = 64
MAX_TEXT = 128

Fen: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_FEN)]
Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
# What more is demanded of them is in chain.text_rules.
Identifier: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_IDENTIFIER)]
Party: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_IDENTIFIER)]
Moment: TypeAlias = Annotated[str, msgspec.Meta(min_length=20, max_length=20)]
Region: TypeAlias = Annotated[str, msgspec.Meta(min_length=6, max_length=6)]
Sha256: TypeAlias = Annotated[str, msgspec.Meta(min_length=64, max_length=64)]
Quantity: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class Record(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """One settled trade. Amounts in fen; times RFC 3339 in UTC to the second, "2024-07-01T08:00:00Z".

    Attributes:
        trade_id: the platform's own number of the trade; unique on the platform.
        buyer: USCC, or `maker:<document number>` for a claimant who is not a legal person (创客).
        supplier: USCC or `maker:…` of whoever delivered.
        platform: USCC of the platform that settled the trade.
        kind: what was bought.
        compute_type: 通算 general, 智算 intelligent, 超算 super; none where the trade is not one of compute.
        domestic_chip: whether the chip is a domestic one.
        region_id: six-digit GB/T 2260 code of the place of delivery.
        traded_at: when the settlement was concluded on the platform; the ordering key.
        contract_signed_at: when the agreement was signed.
        contract_number: number of the agreement; upper and lower case count as one.
        contract_fen: value of the agreement.
        settled_fen: amount settled.
        invoice_id: number of the invoice; upper and lower case count as one.
        other_support_fen: public support from elsewhere for the same trade.
        buyer_paid: whether the buyer has paid its own share.
        consumed_quantity: decimal number as text, since JSON numbers are rounded.
        utilisation_bps: in basis points.
        charge_class: "correction" for a record that mends an earlier one.
        corrects: `trade_id` of the record that this one corrects or refunds.
        unified_dispatch: whether the compute is under the city's unified dispatch (纳入本市统筹调度).
    """

    trade_id: Identifier
    buyer: Party
    supplier: Party
    platform: Party
    kind: Literal["compute", "data", "deployment", "investment", "project_cost"]
    compute_type: Literal["none", "general", "intelligent", "super"]
    domestic_chip: bool
    region_id: Region
    traded_at: Moment
    contract_signed_at: Moment
    contract_number: Identifier
    contract_fen: Fen
    settled_fen: Fen
    invoice_id: Identifier
    other_support_fen: Fen
    buyer_paid: bool
    buyer_region_id: Region | None = None
    supplier_region_id: Region | None = None
    contract_version: Identifier | None = None
    contract_document_sha256: Sha256 | None = None
    contract_term_start: Moment | None = None
    contract_term_end: Moment | None = None
    order_id: Identifier | None = None
    chip_model: Text | None = None
    sku_id: Identifier | None = None
    contracted_unit_price_fen: Fen | None = None
    list_cost_fen: Fen | None = None
    task_type: Text | None = None
    model_filing_number: Text | None = None
    charge_period_start: Moment | None = None
    charge_period_end: Moment | None = None
    consumed_unit: Literal["card_hour", "core_hour", "token"] | None = None
    consumed_quantity: Quantity | None = None
    usage_log_sha256: Sha256 | None = None
    utilisation_bps: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    delivery_proof_sha256: Sha256 | None = None
    charge_class: Literal["correction"] | None = None
    corrects: Identifier | None = None
    paid_fen: Fen | None = None
    paid_at: Moment | None = None
    refunded_fen: Fen | None = None
    unified_dispatch: bool | None = None


FIELD_NAMES = tuple(sorted(Record.__struct_fields__))
SCHEMA = FieldSchema(SCHEMA_NAME, FIELD_NAMES)
field_values: Callable[[Record], tuple[Any, ...]] = attrgetter(*FIELD_NAMES)


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a record.

    Attributes:
        pointer: JSON pointer (RFC 6901) to the member, "" for the record as a whole.
        rule: stable name of the rule that is broken.
        message: the rule in words.
    """

    pointer: str
    rule: str
    message: str


class RecordError(ValueError):
    """A record breaks rules; `problems` lists them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{one.pointer or 'record'}: {one.message}" for one in problems))
        self.problems = problems


def parse(data: bytes | str, *, now: int | None = None) -> Record:
    """The record in a JSON text.

    Args:
        data: one JSON object in UTF-8.
        now: Unix seconds; see `validate`.

    Raises:
        RecordError: not JSON, not of this schema, or against its rules.
    """
    try:
        record = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError([_schema_problem(error)]) from error
    problems = validate(record, now=now)
    if problems:
        raise RecordError(problems)
    return record


def from_dict(content: dict[str, Any], *, now: int | None = None) -> Record:
    """The record in a decoded JSON object; as `parse`."""
    try:
        record = msgspec.convert(content, Record)
    except msgspec.ValidationError as error:
        raise RecordError([_schema_problem(error)]) from error
    problems = validate(record, now=now)
    if problems:
        raise RecordError(problems)
    return record


def to_dict(record: Record) -> dict[str, Any]:
    """The JSON object of a record, absent fields left out."""
    return {name: value for name in record.__struct_fields__ if (value := getattr(record, name)) is not None}


def validate(record: Record, *, now: int | None = None) -> list[Problem]:
    """What the types of `Record` do not say.

    Args:
        record: one that was decoded by its types.
        now: Unix seconds; trades and payments after it are refused, as a batch with them could not be anchored.

    Returns:
        Problems in order of field; none for a good record.
    """
    values = msgspec.structs.astuple(record)
    found = []
    for index, pointer, check in _CHECKS:
        value = values[index]
        if value is not None and (broken := check(value)) is not None:
            found.append(Problem(pointer, *broken))
    found += _contradictions(record)
    # Times are compared once they are known to be times.
    return found or list(_disorder(record, now))


def to_trade(record: Record, salt: bytes, key: bytes, *, custody: bool = False) -> Trade:
    """The trade that stands for a record on chain.

    Args:
        record: one without problems.
        salt: 32 secret random bytes, of this record alone.
        key: jurisdiction key, 32 bytes.
        custody: whether the gateway signs it with a key that it keeps for the platform.
    """
    attributes = 0
    if record.domestic_chip:
        attributes |= _DOMESTIC_CHIP
    if record.buyer_paid:
        attributes |= _BUYER_PAID
    if record.unified_dispatch:
        attributes |= _UNIFIED_DISPATCH
    if custody:
        attributes |= _CUSTODY_SIGNED
    return Trade(
        platform=identifiers.entity_id(key, record.platform),
        trade_id=identifiers.trade_id(key, record.platform, record.trade_id),
        buyer=identifiers.entity_id(key, record.buyer),
        supplier=identifiers.entity_id(key, record.supplier),
        kind=_KINDS[record.kind],
        compute_type=_COMPUTE_TYPES[record.compute_type],
        attributes=attributes,
        region=int(record.region_id),
        traded_at=_seconds(record.traded_at),
        contract_signed_at=_seconds(record.contract_signed_at),
        settled_fen=record.settled_fen,
        contract_fen=record.contract_fen,
        other_support_fen=record.other_support_fen,
        settlement_key=identifiers.settlement_key(key, record.invoice_id),
        contract_key=identifiers.contract_key(key, record.buyer, record.supplier, record.contract_number),
        details=SCHEMA.details(SCHEMA.digests(field_values(record), salt)),
    )


def unix_seconds(moment: str) -> int:
    """Unix seconds of a time in the record's format.

    Raises:
        ValueError: not such a time.
    """
    broken = text_rules.moment(moment)
    if broken:
        raise ValueError(f"{moment!r} {broken[1]}")
    return _seconds(moment)


@lru_cache(maxsize=1024)
def rfc3339(seconds: int) -> str:
    """The record's format of Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_decode = msgspec.json.Decoder(Record).decode

# Plain integers: combining members of an IntFlag takes longer than all digests of identifiers.
_DOMESTIC_CHIP = int(TradeAttributes.DOMESTIC_CHIP)
_BUYER_PAID = int(TradeAttributes.BUYER_PAID)
_UNIFIED_DISPATCH = int(TradeAttributes.UNIFIED_DISPATCH)
_CUSTODY_SIGNED = int(TradeAttributes.CUSTODY_SIGNED)
_KINDS = {kind.name.lower(): int(kind) for kind in TradeKind}
_COMPUTE_TYPES = {kind.name.lower(): int(kind) for kind in ComputeType}

_FIELDS_BY_RULE: dict[Callable[[str], text_rules.Broken], tuple[str, ...]] = {
    text_rules.uscc: ("platform",),
    text_rules.party: ("buyer", "supplier"),
    text_rules.identifier: (
        "trade_id",
        "contract_number",
        "contract_version",
        "invoice_id",
        "order_id",
        "sku_id",
        "corrects",
    ),
    text_rules.region: ("region_id", "buyer_region_id", "supplier_region_id"),
    text_rules.moment: (
        "traded_at",
        "contract_signed_at",
        "contract_term_start",
        "contract_term_end",
        "charge_period_start",
        "charge_period_end",
        "paid_at",
    ),
    text_rules.sha256: ("contract_document_sha256", "usage_log_sha256", "delivery_proof_sha256"),
    text_rules.quantity: ("consumed_quantity",),
    text_rules.text: ("chip_model", "task_type", "model_filing_number"),
}
_CHECKS = sorted(
    (
        (Record.__struct_fields__.index(field), f"/{field}", rule)
        for rule, fields in _FIELDS_BY_RULE.items()
        for field in fields
    ),
    key=lambda check: check[0],
)
_PAIRS = tuple(
    (attrgetter(one, other), one, other)
    for one, other in (
        ("consumed_unit", "consumed_quantity"),
        ("charge_class", "corrects"),
        ("contract_term_start", "contract_term_end"),
        ("charge_period_start", "charge_period_end"),
    )
)
_SPANS = _PAIRS[2:]
_PAST = ("traded_at", "contract_signed_at", "paid_at")
_past = attrgetter(*_PAST)


@lru_cache(maxsize=65_536)  # contracts and periods begin at the same moments in very many trades
def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


def _contradictions(record: Record) -> Iterator[Problem]:
    for pair, one, other in _PAIRS:
        first, second = pair(record)
        if (first is None) != (second is None):
            missing = other if second is None else one
            yield Problem(f"/{missing}", "together", f"{one} and {other} come together")
    if record.corrects is not None and record.corrects == record.trade_id:
        yield Problem("/corrects", "corrects", "a record cannot correct itself")
    if record.paid_at is not None and record.paid_fen is None:
        yield Problem("/paid_fen", "together", "paid_at needs paid_fen")
    if record.kind == "compute" and record.compute_type == "none":
        yield Problem("/compute_type", "compute_type", "a trade of compute names its compute type")


def _disorder(record: Record, now: int | None) -> Iterator[Problem]:
    # Texts of this format are in order of time when they are in order of characters.
    for span, start, end in _SPANS:
        first, last = span(record)
        if (first or "") > (last or ""):
            yield Problem(f"/{end}", "order", f"must not be before {start}")
    if now is None:
        return
    present = rfc3339(now)
    for field, value in zip(_PAST, _past(record), strict=True):
        if (value or "") > present:
            yield Problem(f"/{field}", "future", f"lies in the future; it is {present} now")


_AT = re.compile(r"^(.*) - at `\$\.?([^`]*)`$", re.DOTALL)
_FIELD = re.compile(r"^Object (missing required|contains unknown) field `(.*)`$", re.DOTALL)
_RULES = (
    ("Expected `str` of length", "length"),
    ("Expected `int` ", "range"),
    ("Number out of range", "range"),
    ("Expected ", "type"),
    ("Invalid enum value", "choice"),
)


def _schema_problem(error: Exception) -> Problem:
    """A problem from msgspec's message, which holds the place at its end and a member's name in backquotes."""
    if not isinstance(error, msgspec.ValidationError):
        return Problem("", "json", f"is not JSON in UTF-8: {error}")
    text = str(error)
    named = _FIELD.match(text)
    if named:
        rule = "required" if named[1] == "missing required" else "unknown"
        words = "is required" if rule == "required" else f"is not a field of {SCHEMA_NAME}"
        return Problem(f"/{_escaped(named[2])}", rule, words)
    at = _AT.match(text)
    message, pointer = (at[1], f"/{_escaped(at[2])}") if at else (text, "")
    rule = next((rule for start, rule in _RULES if message.startswith(start)), "type")
    # "Expected `int`, got `str`" is about the type, "Expected `int` <= 10" about the range.
    return Problem(pointer, "type" if ", got " in message else rule, message)


def _escaped(name: str) -> str:
    """A member's name in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
