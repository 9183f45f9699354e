"""Verifies a proof bundle with no service and no database: from the file alone, or against a node.

The file alone proves everything given one block hash and the contracts' addresses; a verification ends by naming that
block. The facts are in the contracts' storage in that block. The receipts add the history; those of blocks that no
header in the file binds to that block say which transaction it was, and prove no more than that it fits. A node then
tells whether the blocks are on the chain, whether the code at the addresses is ours, and how things stand now.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .bundle_format import MAX_BYTES, Bundle, decode
from .evidence_checks import check_evidence
from .further_checks import check_further
from .online_checks import OnlineChecks
from .proven import ProvenBundle
from .redemption_checks import check_redemption, issued, redeemed
from .report import Checklist, Report, Step, TrustedBlock
from .rpc import RpcClient, RpcError, RpcUnavailable
from .state_checks import check_state, redemption_at_block

__all__ = ["Report", "Step", "TrustedBlock", "verify", "verify_file"]


def verify(data: bytes, *nodes: RpcClient, jurisdiction_key: bytes | None = None) -> Report:
    """Check a bundle.

    Args:
        data: the file's bytes.
        nodes: nodes that you trust, of the bundle's chain and of its further anchors' chains; without one of a chain,
            that is checked offline.
        jurisdiction_key: 32 bytes, for auditors: the digests of disclosed identifiers are checked too.

    Returns:
        The steps taken. It never raises for what the file or the node says.
    """
    checklist = Checklist()
    found: list[Bundle] = []

    def read() -> str:
        found.append(decode(data))
        return f"{len(data)} bytes in canonical form, digest 0x{found[0].digest.hex()}"

    checklist.take("file", read)
    if not found:
        return Report(steps=checklist.steps, trust=[], further=[], facts={}, online=bool(nodes))
    proven = ProvenBundle(found[0])
    check_evidence(proven, checklist, jurisdiction_key)
    if found[0].redemption is not None:
        check_redemption(proven, checklist)
    check_state(proven, checklist)
    known = [(_chain_id(node), node) for node in nodes]
    further = check_further(found[0], checklist, known)
    elsewhere = {anchor.chain_id for anchor in found[0].further}
    # One of a chain that the bundle does not name is asked too, and then refused for it.
    own = [node for chain_id, node in known if chain_id not in elsewhere]
    for node in own:
        OnlineChecks(proven, node).run(checklist)
    holds = all(step.ok for step in checklist.steps)
    return Report(
        steps=checklist.steps,
        trust=[_block(proven)] if holds and not own else [],
        further=further if holds else [],
        facts=_facts(proven) if holds else {},
        online=bool(own),
    )


def verify_file(path: str | Path, rpc_urls: Sequence[str] = (), *, jurisdiction_key: bytes | None = None) -> Report:
    """Check a bundle in a file; as `verify`.

    Args:
        rpc_urls: JSON-RPC of nodes that you trust.

    Raises:
        OSError: the file cannot be read.
        ValueError: one of `rpc_urls` is no http address.
    """
    with Path(path).open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    with ExitStack() as stack:
        nodes = [stack.enter_context(RpcClient(url)) for url in rpc_urls]
        return verify(data, *nodes, jurisdiction_key=jurisdiction_key)


def _chain_id(node: RpcClient) -> int | None:
    """The node's chain; None where it does not say."""
    try:
        return int(node.call("eth_chainId"), 16)
    except (RpcError, RpcUnavailable, TypeError, ValueError):
        return None


def _block(proven: ProvenBundle) -> TrustedBlock:
    return TrustedBlock(proven.bundle.chain_id, proven.block_number, f"0x{proven.block_hash.hex()}")


def _facts(proven: ProvenBundle) -> dict[str, Any]:
    bundle = proven.bundle
    facts: dict[str, Any] = {
        "chain_id": bundle.chain_id,
        "contracts": {name: address for name, address in proven.contracts.to_dict().items() if name != "chain_id"},
        "platform": "0x" + bundle.trade.platform.hex(),
        "buyer": "0x" + bundle.trade.buyer.hex(),
        "supplier": "0x" + bundle.trade.supplier.hex(),
        "traded_at": bundle.trade.traded_at,
        "settled_fen": bundle.trade.settled_fen,
        "anchored_at": bundle.proof.batch.appended_at,
        "disclosed": {} if bundle.record is None else {field.name: field.value for field in bundle.record.disclosed},
    }
    if bundle.redemption is not None:
        state, recovered_fen = redemption_at_block(proven)
        facts |= {
            "redemption_id": bundle.redemption.redemption_id,
            "voucher_id": bundle.redemption.voucher_id,
            "face_fen": issued(proven)["faceFen"],
            "amount_fen": redeemed(proven)["quote"]["amountFen"],
            "rate_bps": redeemed(proven)["quote"]["rateBps"],
            "state": state.name.lower(),
            "recovered_fen": recovered_fen,
        }
    return facts
