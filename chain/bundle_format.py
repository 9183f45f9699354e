"""The portable proof bundle as a file.

One JSON object in canonical form (RFC 8785: keys sorted, nothing but what is needed) and a newline at the end. Bytes
are 0x-hex in lower case. `digest` is the sha256 of the canonical form without that member. Reading is strict: a member
too many or too few, another spelling of the same content, a byte changed anywhere: each is refused. The digest does not
make the content true (whoever changes a file can compute it anew); `chain.verify` decides that.
"""

from functools import cache
from hashlib import sha256
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

import msgspec

from .contracts import Contracts
from .evidence import BatchHeader, EvidenceProof
from .field_digests import Value
from .receipts import ReceiptProof
from .state_proofs import AccountProof
from .trade import Trade

FORMAT = "suanquan-bundle/2"
# Far above any real bundle (20 to 40 kB); keeps a hostile one from filling the memory.
MAX_BYTES = 16 * 1024 * 1024


class BundleError(ValueError):
    """A file is no bundle: the text says where and why."""


class Disclosed(msgspec.Struct, frozen=True, kw_only=True):
    """A field of the record that is shown, with the salt that proves it."""

    name: str
    value: Value
    salt: bytes


class RecordPart(msgspec.Struct, frozen=True, kw_only=True):
    """The record behind the trade.

    Attributes:
        schema: name of its schema.
        digests: of all fields, in order of field name.
        disclosed: the fields that are shown, in order of name.
    """

    schema: str
    digests: list[bytes]
    disclosed: list[Disclosed]


class EventRef(msgspec.Struct, frozen=True, kw_only=True):
    """An event: which of the bundle's receipts, which of the receipt's logs."""

    receipt: int
    log: int


class ReceiptPart(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction's receipt, proved from the block hash. The transaction's hash only says where to look it up."""

    tx_hash: bytes
    header: bytes
    index: int
    path: list[bytes]

    def proof(self) -> ReceiptProof:
        """The proof alone."""
        return ReceiptProof(header=self.header, index=self.index, path=self.path)


class StatePart(msgspec.Struct, frozen=True, kw_only=True):
    """The contracts' storage in one block, whose hash is all that is left to trust.

    Attributes:
        header: RLP of the block's header.
        ancestors: headers of the blocks before it, newest first, as far as they bind receipts to it.
        accounts: storage that is proved, in order of address; see `chain.state_facts`.
    """

    header: bytes
    ancestors: list[bytes]
    accounts: list[AccountProof]


class FurtherAnchor(msgspec.Struct, frozen=True, kw_only=True):
    """The same submission anchored in the log of another chain, in a batch of its own there.

    Attributes:
        evidence: address of that log, 20 bytes.
        submission_path: from the submission to the batch's root.
        receipt: of the append.
        log: which of its logs is the BatchAppended.
    """

    chain_id: int
    evidence: bytes
    batch: BatchHeader
    submission_path: list[bytes]
    receipt: ReceiptProof
    log: int


class RedemptionPart(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the trade.

    Attributes:
        redemption_id: on the ledger.
        voucher_id: voucher that was used.
        group: group of programmes in which the trade can be redeemed once.
        issued: VoucherIssued.
        redeemed: Redeemed.
        outcomes: WrittenOff or RedemptionRejected, then any Recovered, in order; empty while provisional.
    """

    redemption_id: int
    voucher_id: int
    group: int
    issued: EventRef
    redeemed: EventRef
    outcomes: list[EventRef]


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """The deployment's contracts, 20 bytes each."""

    registry: bytes
    evidence: bytes
    ledger: bytes


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that proves one trade, and one redemption of it where there is one.

    Attributes:
        chain_id: chain of the contracts.
        trade: the trade.
        leaf: its Merkle leaf.
        record: None where the platform or the law does not let anything of it be shown.
        proof: trade ∈ submission ∈ batch, with the platform's signature.
        evidence_keys: KeyChanged of the platform's evidence key, from the first on.
        append: BatchAppended.
        redemption: None for evidence that was not redeemed.
        state: what proves the facts from one block hash.
        further: anchors on other chains, in order of chain id.
        receipts: receipts that the events stand in, in order of block and index.
        digest: see `digest_of`.
    """

    format: str
    chain_id: int
    contracts: Addresses
    trade: Trade
    leaf: bytes
    record: RecordPart | None
    proof: EvidenceProof
    evidence_keys: list[EventRef]
    append: EventRef
    redemption: RedemptionPart | None
    state: StatePart
    further: list[FurtherAnchor]
    receipts: list[ReceiptPart]
    digest: bytes

    def deployment(self) -> Contracts:
        """The contracts that the bundle speaks of."""
        addresses = (self.contracts.registry, self.contracts.evidence, self.contracts.ledger)
        return Contracts(self.chain_id, *("0x" + address.hex() for address in addresses))

    def events(self) -> list[EventRef]:
        """Every event that the bundle refers to."""
        found = [*self.evidence_keys, self.append]
        if self.redemption is not None:
            found += [self.redemption.issued, self.redemption.redeemed, *self.redemption.outcomes]
        return found


def encode(bundle: Bundle) -> bytes:
    """The file of a bundle; its digest is computed here."""
    plain = _plain(bundle)
    return _canonical({**plain, "digest": "0x" + digest_of(plain).hex()}) + b"\n"


def decode(data: bytes) -> Bundle:
    """The bundle in a file.

    Raises:
        BundleError: not canonical, not of this format, or its digest is that of other content.
    """
    if len(data) > MAX_BYTES:
        raise BundleError(f"the file has more than {MAX_BYTES} bytes")
    try:
        content = msgspec.json.decode(data)
        canonical = _canonical(content) + b"\n"
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BundleError(f"the file is not JSON: {error}") from error
    if canonical != data:
        raise BundleError("the file is not in canonical form: keys sorted, no spaces, one newline at the end")
    bundle = cast("Bundle", _read(Bundle, content, ""))
    if bundle.format != FORMAT:
        raise BundleError(f"/format is {bundle.format!r}, this program reads {FORMAT!r}")
    if bundle.digest != digest_of(content):
        raise BundleError("/digest is not that of the file: something in it was changed")
    _require_shape(bundle)
    return bundle


def digest_of(content: dict[str, Any]) -> bytes:
    """sha256 of a bundle's canonical form without its member `digest`, 32 bytes."""
    return sha256(_canonical({name: value for name, value in content.items() if name != "digest"})).digest()


def _require_shape(bundle: Bundle) -> None:
    referred = {event.receipt for event in bundle.events()}
    if referred != set(range(len(bundle.receipts))):
        raise BundleError("/receipts has one that no event stands in, or lacks one that an event stands in")
    if any(len(address) != 20 for address in msgspec.structs.astuple(bundle.contracts)):
        raise BundleError("/contracts has an address without 20 bytes")
    proved = [account.address for account in bundle.state.accounts]
    if proved != sorted(set(proved)):
        raise BundleError("/state/accounts has one twice, or is not in order of address")
    chains = [bundle.chain_id, *(anchor.chain_id for anchor in bundle.further)]
    if len(set(chains)) < len(chains) or chains[1:] != sorted(chains[1:]):
        raise BundleError("/further names a chain twice, or is not in order of chain id")
    if bundle.record is not None:
        names = [field.name for field in bundle.record.disclosed]
        if names != sorted(set(names)):
            raise BundleError("/record/disclosed is not in order of name, or shows a field twice")


def _canonical(content: Any) -> bytes:
    return msgspec.json.encode(content, order="sorted")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)  # an enum's member is its number
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: Any, at: str) -> Any:
    """A value of exactly this type."""
    if isinstance(kind, UnionType):
        return _read_union(kind, value, at)
    if get_origin(kind) is list:
        if not isinstance(value, list):
            raise BundleError(f"{at} must be an array")
        return [_read(get_args(kind)[0], one, f"{at}/{index}") for index, one in enumerate(value)]
    if kind is bytes:
        return _read_hex(value, at)
    if kind is int:
        if type(value) is not int or not 0 <= value < 2**256:
            raise BundleError(f"{at} must be an integer from 0")
        return value
    if issubclass(kind, msgspec.Struct):
        return _read_struct(kind, value, at)
    if type(value) is not kind:
        raise BundleError(f"{at} must be {kind.__name__}")
    return value


def _read_union(kind: Any, value: Any, at: str) -> Any:
    kinds = get_args(kind)
    if value is None and NoneType in kinds:
        return None
    for one in kinds:
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return _read(one, value, at)
    if type(value) not in kinds or (type(value) is int and not 0 <= value < 2**53):
        raise BundleError(f"{at} must be a text, an integer, true, false or null")
    return value


def _read_struct(kind: type[Any], value: Any, at: str) -> Any:
    hints = _hints(cast("Any", kind))
    if not isinstance(value, dict):
        raise BundleError(f"{at or 'the file'} must be an object")
    for name in value.keys() ^ hints.keys():
        raise BundleError(f"{at}/{name} is {'missing' if name in hints else 'not a member of this format'}")
    return kind(**{name: _read(hint, value[name], f"{at}/{name}") for name, hint in hints.items()})


def _read_hex(value: Any, at: str) -> bytes:
    try:
        found = bytes.fromhex(value[2:])
    except (TypeError, ValueError):
        found = b""
    if not isinstance(value, str) or value != "0x" + found.hex():
        raise BundleError(f"{at} must be 0x and hex in lower case")
    return found
