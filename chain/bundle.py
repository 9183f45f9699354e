"""Builds a proof bundle: what is known of a trade, and the receipts that prove it, fetched from any node."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from .abi import to_bytes
from .bundle_format import (
    FORMAT,
    Addresses,
    Bundle,
    Disclosed,
    EventRef,
    FurtherAnchor,
    ReceiptPart,
    RecordPart,
    RedemptionPart,
    encode,
)
from .contracts import ContractName, Contracts, Event, decode_event, event_topic
from .enums import KeyPurpose
from .evidence import BatchHeader, EvidenceProof
from .receipts import ProvenReceipt, ReceiptProof, fetch_proof, verify_proof
from .record import FIELD_NAMES, SCHEMA, SCHEMA_NAME, Record, field_values
from .rpc import RpcClient
from .state_part import fetch_state
from .trade import Trade

OUTCOMES = ("WrittenOff", "RedemptionRejected", "Recovered")


class BundleBuildError(Exception):
    """A bundle cannot be built; the text says what is missing."""


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Hashes (0x-hex) of the transactions that a bundle's events stand in.

    Attributes:
        append: of the BatchAppended.
        evidence_keys: of every KeyChanged of the platform's evidence key, in order.
        issued: of the VoucherIssued; None without a redemption.
        redeemed: of the Redeemed; None without a redemption.
        outcomes: of WrittenOff, RedemptionRejected, Recovered of the redemption, in order.
    """

    append: str
    evidence_keys: list[str]
    issued: str | None = None
    redeemed: str | None = None
    outcomes: list[str] = msgspec.field(default_factory=list)


def find_sources(
    rpc: RpcClient,
    contracts: Contracts,
    proof: EvidenceProof,
    *,
    redemption_id: int | None = None,
    from_block: int = 0,
) -> Sources:
    """Look the transactions up by their indexed topics.

    Args:
        from_block: block of the deployment; nodes that limit ranges may refuse an early one.

    Raises:
        BundleBuildError: one of them is not on chain.
        RpcError, RpcUnavailable: the node refused or does not answer.
    """

    def find(contract: ContractName, event: str, *topics: bytes | None) -> list[dict[str, Any]]:
        wanted = [event_topic(contract, event), *(None if topic is None else "0x" + topic.hex() for topic in topics)]
        query = {
            "address": contracts.addresses[contract],
            "topics": wanted,
            "fromBlock": hex(from_block),
            "toBlock": "latest",
        }
        found: list[dict[str, Any]] = rpc.call("eth_getLogs", query)
        return found

    def one(contract: ContractName, event: str, *topics: bytes | None) -> dict[str, Any]:
        found = find(contract, event, *topics)
        if not found:
            raise BundleBuildError(f"there is no {event} of this on chain (yet)")
        return found[0]

    batch = proof.batch
    keys = [
        log["transactionHash"]
        for log in find("EntityRegistry", "KeyChanged", batch.platform)
        if decode_event("EntityRegistry", log).args["purpose"] == KeyPurpose.EVIDENCE
    ]
    anchored = [
        log["transactionHash"]
        for log in find("EvidenceLog", "BatchAppended", batch.platform, batch.root)
        if decode_event("EvidenceLog", log).args["index"] == batch.index
    ]
    if not anchored:
        raise BundleBuildError("there is no BatchAppended of this on chain (yet)")
    append = anchored[0]
    if redemption_id is None:
        return Sources(append=append, evidence_keys=keys)
    word = redemption_id.to_bytes(32, "big")
    redeemed = one("VoucherLedger", "Redeemed", word)
    outcomes = [log for event in OUTCOMES for log in find("VoucherLedger", event, word)]
    outcomes.sort(key=lambda log: (int(log["blockNumber"], 16), int(log["logIndex"], 16)))
    return Sources(
        append=append,
        evidence_keys=keys,
        issued=one("VoucherLedger", "VoucherIssued", to_bytes(redeemed["topics"][2]))["transactionHash"],
        redeemed=redeemed["transactionHash"],
        outcomes=[log["transactionHash"] for log in outcomes],
    )


def build(
    rpc: RpcClient,
    contracts: Contracts,
    sources: Sources,
    *,
    trade: Trade,
    proof: EvidenceProof,
    record: Record | None = None,
    salt: bytes | None = None,
    disclose: Iterable[str] = FIELD_NAMES,
    redemption_id: int | None = None,
    further: Sequence[FurtherAnchor] = (),
) -> bytes:
    """The file of a bundle. It is not verified here: `chain.verify` does that.

    Args:
        rpc: any node that has the blocks.
        sources: the transactions, from `find_sources` or an index.
        trade: the trade.
        proof: its evidence proof.
        record: the record behind it; None leaves that part out.
        salt: the record's salt, 32 bytes; needed with a record.
        disclose: names of the fields to show. Absent fields are shown as null.
        redemption_id: redemption of the trade; None for evidence alone.
        further: anchors of the same submission on other chains, from `further_anchor`.

    Raises:
        BundleBuildError: an event is not where the sources say, or a field has no such name.
        ReceiptProofError: a receipt cannot be proved.
        StateProofError: the node proves no storage.
        RpcError, RpcUnavailable: the node refused or does not answer.
    """
    receipts = _Receipts(rpc, contracts)
    platform = proof.batch.platform
    keys = receipts.find_all(
        sources.evidence_keys,
        lambda event: (
            event.name == "KeyChanged" and event.args["id"] == platform and event.args["purpose"] == KeyPurpose.EVIDENCE
        ),
    )
    append = receipts.find(
        sources.append,
        "BatchAppended",
        lambda event: (event.args["platform"], event.args["index"]) == (platform, proof.batch.index),
    )
    redemption = None
    if redemption_id is not None:
        programme = contracts.read(rpc, "VoucherLedger", "programme", [redemption_id >> 32])
        redemption = _redemption(receipts, sources, redemption_id, group=programme["group"])
    addresses = (contracts.registry, contracts.evidence, contracts.ledger)
    registry, evidence, ledger = map(to_bytes, addresses)
    bundle = Bundle(
        format=FORMAT,
        chain_id=contracts.chain_id,
        contracts=Addresses(registry=registry, evidence=evidence, ledger=ledger),
        trade=trade,
        leaf=trade.leaf(),
        record=None if record is None else _record_part(record, salt, disclose),
        proof=proof,
        evidence_keys=keys,
        append=append,
        redemption=redemption,
        state=fetch_state(
            rpc,
            contracts,
            proof,
            settlement_key=trade.settlement_key,
            redemption=redemption,
            receipt_blocks=receipts.blocks,
        ),
        further=sorted(further, key=lambda anchor: anchor.chain_id),
        receipts=[],
        digest=b"",
    )
    return encode(receipts.put_into(bundle))


def further_anchor(
    rpc: RpcClient, contracts: Contracts, tx_hash: str, *, batch: BatchHeader, submission_path: Sequence[bytes]
) -> FurtherAnchor:
    """An anchor on another chain.

    Args:
        rpc: a node of that chain.
        contracts: the deployment there.
        tx_hash: of the append.

    Raises:
        BundleBuildError, ReceiptProofError, RpcError, RpcUnavailable: as `build`.
    """
    receipts = _Receipts(rpc, contracts)
    key = (batch.platform, batch.index)
    ref = receipts.find(tx_hash, "BatchAppended", lambda event: (event.args["platform"], event.args["index"]) == key)
    return FurtherAnchor(
        chain_id=contracts.chain_id,
        evidence=to_bytes(contracts.evidence),
        batch=batch,
        submission_path=list(submission_path),
        receipt=receipts.proof(tx_hash),
        log=ref.log,
    )


def _record_part(record: Record, salt: bytes | None, disclose: Iterable[str]) -> RecordPart:
    if salt is None:
        raise BundleBuildError("a record needs its salt")
    values = dict(zip(FIELD_NAMES, field_values(record), strict=True))
    names = sorted(set(disclose))
    unknown = [name for name in names if name not in values]
    if unknown:
        raise BundleBuildError(f"{SCHEMA_NAME} has no field {', '.join(unknown)}")
    return RecordPart(
        schema=SCHEMA_NAME,
        digests=SCHEMA.digests(list(values.values()), salt),
        disclosed=[Disclosed(name=name, value=values[name], salt=SCHEMA.salt(salt, name)) for name in names],
    )


def _redemption(receipts: "_Receipts", sources: Sources, redemption_id: int, *, group: int) -> RedemptionPart:
    if sources.issued is None or sources.redeemed is None:
        raise BundleBuildError("the sources name no transactions of the redemption")

    def ours(event: Event) -> bool:
        return bool(event.args["redemptionId"] == redemption_id)

    redeemed = receipts.find(sources.redeemed, "Redeemed", ours)
    voucher_id = int(receipts.event(redeemed).args["voucherId"])
    return RedemptionPart(
        redemption_id=redemption_id,
        voucher_id=voucher_id,
        group=group,
        issued=receipts.find(sources.issued, "VoucherIssued", lambda event: event.args["voucherId"] == voucher_id),
        redeemed=redeemed,
        outcomes=receipts.find_all(sources.outcomes, lambda event: event.name in OUTCOMES and ours(event)),
    )


class _Receipts:
    """The bundle's receipts, each fetched once; ordered when all are there."""

    def __init__(self, rpc: RpcClient, contracts: Contracts) -> None:
        self._rpc = rpc
        self._contracts = contracts
        self._parts: dict[str, tuple[ReceiptPart, ProvenReceipt]] = {}

    def find(self, tx_hash: str, name: str, wanted: Callable[[Event], bool]) -> EventRef:
        """The event of this name in a transaction."""
        found = self.find_all([tx_hash], lambda event: event.name == name and wanted(event))
        if not found:
            raise BundleBuildError(f"transaction {tx_hash} has no {name} of this")
        return found[0]

    def find_all(self, tx_hashes: Sequence[str], wanted: Callable[[Event], bool]) -> list[EventRef]:
        """The events of some transactions, which are named in order of time."""
        found = []
        for tx_hash in dict.fromkeys(tx_hashes):
            number = self._add(tx_hash)
            for place, log in enumerate(self._parts[tx_hash][1].logs):
                event = self._contracts.decode_event(log.as_rpc())
                if event is not None and wanted(event):
                    found.append(EventRef(receipt=number, log=place))
        return found

    def event(self, ref: EventRef) -> Event:
        """A found event, decoded."""
        log = list(self._parts.values())[ref.receipt][1].logs[ref.log]
        event = self._contracts.decode_event(log.as_rpc())
        if event is None:
            raise BundleBuildError("the event is not of these contracts")
        return event

    @property
    def blocks(self) -> list[int]:
        """Numbers of the receipts' blocks."""
        return [receipt.block_number for _, receipt in self._parts.values()]

    def proof(self, tx_hash: str) -> ReceiptProof:
        """The proof of a transaction's receipt that was found."""
        return self._parts[tx_hash][0].proof()

    def put_into(self, bundle: Bundle) -> Bundle:
        """The bundle with the receipts in order of block and index, references following."""
        found = list(self._parts.values())
        order = sorted(range(len(found)), key=lambda number: (found[number][1].block_number, found[number][0].index))
        places = {number: place for place, number in enumerate(order)}

        def moved(ref: EventRef) -> EventRef:
            return EventRef(receipt=places[ref.receipt], log=ref.log)

        redemption = bundle.redemption
        if redemption is not None:
            redemption = msgspec.structs.replace(
                redemption,
                issued=moved(redemption.issued),
                redeemed=moved(redemption.redeemed),
                outcomes=[moved(ref) for ref in redemption.outcomes],
            )
        return msgspec.structs.replace(
            bundle,
            evidence_keys=[moved(ref) for ref in bundle.evidence_keys],
            append=moved(bundle.append),
            redemption=redemption,
            receipts=[found[number][0] for number in order],
        )

    def _add(self, tx_hash: str) -> int:
        if tx_hash not in self._parts:
            proof = fetch_proof(self._rpc, tx_hash)
            part = ReceiptPart(tx_hash=to_bytes(tx_hash), header=proof.header, index=proof.index, path=proof.path)
            self._parts[tx_hash] = part, verify_proof(proof)
        return list(self._parts).index(tx_hash)
