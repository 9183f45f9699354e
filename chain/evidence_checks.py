"""That a trade is evidence: its record, its place in submission and batch, its anchor, the platform's signature."""

from collections.abc import Callable
from typing import Any

from eth_hash.auto import keccak

from .enums import ComputeType, KeyPurpose, TradeAttributes, TradeKind
from .field_digests import Value
from .identifiers import contract_key, entity_id, settlement_key, trade_id
from .merkle import verify as leads_to
from .proven import ProvenBundle
from .record import FIELD_NAMES, SCHEMA, SCHEMA_NAME, rfc3339
from .report import Checklist, Refused
from .signatures import recover
from .trade import Trade
from .typed_data import Submission, submission_digest

NO_CODE = keccak(b"")
ONLY_ON_CHAIN = "can be checked on chain only: name a node with --rpc"


def check_evidence(proven: ProvenBundle, checklist: Checklist, jurisdiction_key: bytes | None) -> None:
    """Take the steps that need no node."""
    if proven.bundle.record is not None:
        checklist.take("record", lambda: _record(proven, jurisdiction_key))
    checklist.take("leaf", lambda: _leaf(proven))
    checklist.take("submission", lambda: _submission(proven))
    checklist.take("batch", lambda: _batch(proven))
    checklist.take("receipts", lambda: _receipts(proven))
    checklist.take("anchor", lambda: _anchor(proven))
    checklist.take("signature", lambda: _signature(proven))


def key_in_force(proven: ProvenBundle) -> tuple[str, bool]:
    """The platform's evidence key when the batch was appended, as far as the bundle's history goes, and whether the
    gateway kept it.

    Raises:
        Refused: there was none, or the history is not that of the platform.
    """
    batch = proven.bundle.proof.batch
    found: tuple[str, bool] | None = None
    previous = (-1, -1, -1)
    for ref in proven.bundle.evidence_keys:
        event = proven.event(ref, "EntityRegistry", "KeyChanged")
        if event.args["id"] != batch.platform or event.args["purpose"] != KeyPurpose.EVIDENCE:
            raise Refused("a key in the history is not an evidence key of the platform")
        if proven.place(ref) <= previous:
            raise Refused("the key history is not in order")
        previous = proven.place(ref)
        # As EntityRegistry.evidenceKeyAt decides: the latest one of that second or before.
        if proven.timestamp(ref) <= batch.appended_at:
            found = event.args["key"], event.args["custodial"]
    if found is None:
        raise Refused("the platform had no evidence key when the batch was appended")
    return found


def is_contract(proven: ProvenBundle, key: str) -> bool:
    """Whether the bundle proves that a key has code, and so signs as ERC-1271 says."""
    account = proven.state.get(key)
    return account is not None and account.code_hash != NO_CODE


def _record(proven: ProvenBundle, jurisdiction_key: bytes | None) -> str:
    trade, record = proven.bundle.trade, proven.bundle.record
    if record is None or record.schema != SCHEMA_NAME:
        raise Refused(f"this program knows records of schema {SCHEMA_NAME} only")
    if SCHEMA.details(record.digests) != trade.details:
        raise Refused("the digests of the fields do not give the trade's details")
    digests = dict(zip(FIELD_NAMES, record.digests, strict=True))
    shown: dict[str, Value] = {}
    for field in record.disclosed:
        if field.name not in digests:
            raise Refused(f"{SCHEMA_NAME} has no field {field.name!r}")
        if SCHEMA.digest(field.name, field.value, field.salt) != digests[field.name]:
            raise Refused(f"the value of {field.name} is not the one that the trade commits to")
        shown[field.name] = field.value
    _require_members(trade, shown)
    if jurisdiction_key is not None:
        _require_identifiers(trade, shown, jurisdiction_key)
    return f"{len(shown)} of {len(digests)} fields are disclosed and proved"


def _require_members(trade: Trade, shown: dict[str, Value]) -> None:
    """A platform could commit to other values in the record than in the trade."""
    flags = trade.attributes
    dispatched = bool(flags & TradeAttributes.UNIFIED_DISPATCH)
    members: dict[str, tuple[Value, ...]] = {
        "kind": (TradeKind(trade.kind).name.lower(),),
        "compute_type": (ComputeType(trade.compute_type).name.lower(),),
        "domestic_chip": (bool(flags & TradeAttributes.DOMESTIC_CHIP),),
        "buyer_paid": (bool(flags & TradeAttributes.BUYER_PAID),),
        "unified_dispatch": (True,) if dispatched else (False, None),
        "region_id": (str(trade.region),),
        "traded_at": (rfc3339(trade.traded_at),),
        "contract_signed_at": (rfc3339(trade.contract_signed_at),),
        "settled_fen": (trade.settled_fen,),
        "contract_fen": (trade.contract_fen,),
        "other_support_fen": (trade.other_support_fen,),
    }
    for name in shown.keys() & members.keys():
        # By type too: true is not 1.
        if not any(type(shown[name]) is type(one) and shown[name] == one for one in members[name]):
            raise Refused(f"the record's {name} is {shown[name]!r}, the trade says {members[name][0]!r}")


def _require_identifiers(trade: Trade, shown: dict[str, Value], key: bytes) -> None:
    """What only a holder of the jurisdiction key can see: that the digests are those of the disclosed identifiers."""
    known: dict[str, Any] = {name: value for name, value in shown.items() if isinstance(value, str)}
    claims: list[tuple[tuple[str, ...], bytes, Callable[..., bytes]]] = [
        (("buyer",), trade.buyer, entity_id),
        (("supplier",), trade.supplier, entity_id),
        (("platform",), trade.platform, entity_id),
        (("invoice_id",), trade.settlement_key, settlement_key),
        (("platform", "trade_id"), trade.trade_id, trade_id),
        (("buyer", "supplier", "contract_number"), trade.contract_key, contract_key),
    ]
    for names, digest, keyed in claims:
        if all(name in known for name in names) and keyed(key, *(known[name] for name in names)) != digest:
            raise Refused(f"the trade's digest is not that of the disclosed {', '.join(names)}")


def _leaf(proven: ProvenBundle) -> str:
    if proven.bundle.trade.leaf() != proven.bundle.leaf:
        raise Refused("the leaf is not that of the trade")
    return f"0x{proven.bundle.leaf.hex()}"


def _submission(proven: ProvenBundle) -> str:
    proof = proven.bundle.proof
    if not leads_to(proof.submission.root, proven.bundle.trade.leaf(), proof.trade_path):
        raise Refused("the path does not lead from the trade to the submission's root")
    return f"one of {proof.submission.count} trades in submission {proof.submission.sequence}"


def _batch(proven: ProvenBundle) -> str:
    proof = proven.bundle.proof
    batch, sequence = proof.batch, proof.submission.sequence
    if batch.platform != proven.bundle.trade.platform:
        raise Refused("the batch is another platform's")
    if not batch.from_sequence <= sequence <= batch.to_sequence:
        raise Refused(f"submission {sequence} is not one of {batch.from_sequence} to {batch.to_sequence}")
    if not leads_to(batch.root, proof.submission.leaf(batch.platform), proof.submission_path):
        raise Refused("the path does not lead from the submission to the batch's root")
    return f"batch {batch.index} of the platform, submissions {batch.from_sequence} to {batch.to_sequence}"


def _receipts(proven: ProvenBundle) -> str:
    blocks = {receipt.block_hash for receipt in proven.receipts}
    bound = len(blocks & proven.bound_blocks)
    text = f"{len(proven.receipts)} receipts proved from {len(blocks)} block headers"
    if bound == len(blocks):
        return f"{text}, all bound to block {proven.block_number}"
    return f"{text}; {len(blocks) - bound} not bound to block {proven.block_number} only say which transaction it was"


def _anchor(proven: ProvenBundle) -> str:
    batch, ref = proven.bundle.proof.batch, proven.bundle.append
    head = batch.head()
    if proven.event(ref, "EvidenceLog", "BatchAppended").args["head"] != head:
        raise Refused("another batch was appended")
    if batch.appended_at != proven.timestamp(ref):
        raise Refused("the batch's time is not that of its block")
    return f"head 0x{head.hex()} was appended in block {proven.place(ref)[0]}"


def _signature(proven: ProvenBundle) -> str:
    batch, submission = proven.bundle.proof.batch, proven.bundle.proof.submission
    key, custodial = key_in_force(proven)
    message = Submission(batch.platform, submission.sequence, submission.root, submission.count)
    signer = recover(submission_digest(proven.contracts, message), submission.signature)
    if signer != key and is_contract(proven, key):
        return f"the platform's key {key} is a contract, so whether it signed {ONLY_ON_CHAIN}"
    if signer != key:
        raise Refused(f"{signer or 'nobody'} signed the submission, the platform's key then was {key}")
    return f"signed with {key}, which {'the gateway keeps for the platform' if custodial else 'the platform keeps'}"
