"""Trades as a platform states them, and their anchoring."""

from datetime import UTC, datetime

from app.policies import question
from chain.enums import ComputeType, Role, TradeAttributes, TradeKind
from chain.evidence import NO_HEAD, BatchHeader, EvidenceProof, SignedSubmission
from chain.merkle import MerkleTree
from chain.trade import Trade
from chain.typed_data import Submission, submission_digest
from tests.differential.chain_side import ChainSide
from tests.differential.programmes import digest, platform_key

LATEST = int(datetime(2026, 6, 15, tzinfo=UTC).timestamp())


def stated(
    trade: question.Trade, buyer: bytes, supplier: bytes, platform: bytes, *, dispatched: bool, mark: str
) -> Trade:
    """The trade of a question; what is not known is put as something harmless.

    Args:
        dispatched: whether it is under the city's unified dispatch.
        mark: what tells its numbers from those of other trades.
    """
    attributes = TradeAttributes(0)
    for flag, given in (
        (TradeAttributes.DOMESTIC_CHIP, trade.domestic_chip),
        (TradeAttributes.BUYER_PAID, trade.paid),
        (TradeAttributes.UNIFIED_DISPATCH, dispatched),
    ):
        if given:
            attributes |= flag
    signed_on = trade.contract_signed_on or "2025-01-01"
    return Trade(
        platform=platform,
        trade_id=digest(f"trade of {mark}"),
        buyer=buyer,
        supplier=supplier,
        kind=TradeKind[(trade.kind or "compute").upper()],
        compute_type=ComputeType[(trade.compute_type or "none").upper()],
        attributes=int(attributes),
        region=int(trade.supplier.region or "410100"),
        traded_at=trade.traded_at or LATEST,
        contract_signed_at=int(datetime.fromisoformat(f"{signed_on}T12:00:00+08:00").timestamp()),
        settled_fen=trade.settled_fen or 0,
        contract_fen=trade.contract_fen or 0,
        other_support_fen=trade.other_support_fen or 0,
        settlement_key=digest(f"invoice of {mark}"),
        contract_key=digest(f"contract of {mark}"),
        details=bytes(32),
    )


def anchored(chain: ChainSide, trades: list[Trade]) -> dict[bytes, EvidenceProof]:
    """Proofs by trade id: each platform's trades in its first submission, in a batch of its own."""
    proofs = {}
    for platform in {trade.platform for trade in trades}:
        own = [trade for trade in trades if trade.platform == platform]
        leaves = [trade.leaf() for trade in own]
        root = MerkleTree(leaves).root
        submission = Submission(platform=platform, sequence=1, root=root, count=len(leaves))
        signature = platform_key(platform).sign_digest(submission_digest(chain.contracts, submission))
        signed = SignedSubmission(sequence=1, root=root, count=len(leaves), signature=signature)
        arguments = [platform, 1, 1, signed.leaf(platform), len(leaves), chain.now, chain.now]
        event = chain.contracts.decode_event(chain.send((Role.RELAYER, "EvidenceLog", "append", arguments))[0][0])
        assert event is not None
        header = BatchHeader.of_event(event.args, NO_HEAD, chain.now)
        for place, trade in enumerate(own):
            proofs[trade.trade_id] = EvidenceProof.assemble(header, [signed], 1, leaves, place)
    return proofs
