"""That logs on other chains hold the same submission: each is proved from one block hash of its own chain, which a node
of that chain confirms."""

from collections.abc import Sequence
from functools import partial

from .abi import checksum_address, to_bytes
from .bundle_format import Bundle, FurtherAnchor
from .contracts import decode_event
from .deployed_code import require_code
from .merkle import verify as leads_to
from .receipts import ProvenReceipt, verify_proof
from .report import Checklist, Refused, TrustedBlock
from .rpc import RpcClient


def check_further(
    bundle: Bundle, checklist: Checklist, nodes: Sequence[tuple[int | None, RpcClient]]
) -> list[TrustedBlock]:
    """Take the steps.

    Returns:
        The blocks that vouch for the evidence besides that of the bundle's own chain, and that no node confirmed.

    Args:
        nodes: chain id and node.
    """
    blocks: list[TrustedBlock] = []
    for anchor in bundle.further:
        proved: list[TrustedBlock] = []
        checklist.take(f"further anchor {anchor.chain_id}", partial(_check, bundle, anchor, proved))
        asked = [node for chain_id, node in nodes if chain_id == anchor.chain_id]
        for node in asked if proved else ():
            checklist.take(f"further block {anchor.chain_id}", partial(_confirm, anchor, proved[0], node))
        blocks += [] if asked else proved
    return blocks


def _check(bundle: Bundle, anchor: FurtherAnchor, blocks: list[TrustedBlock]) -> str:
    submission, batch = bundle.proof.submission, anchor.batch
    if batch.platform != bundle.trade.platform:
        raise Refused("the batch is another platform's")
    if not batch.from_sequence <= submission.sequence <= batch.to_sequence:
        raise Refused(f"submission {submission.sequence} is not one of {batch.from_sequence} to {batch.to_sequence}")
    if not leads_to(batch.root, submission.leaf(batch.platform), anchor.submission_path):
        raise Refused("the path does not lead from the submission to the batch's root")
    receipt = verify_proof(anchor.receipt)
    _require_append(anchor, receipt)
    block = TrustedBlock(anchor.chain_id, receipt.block_number, f"0x{receipt.block_hash.hex()}")
    blocks.append(block)
    return f"batch {batch.index} was appended to 0x{anchor.evidence.hex()} in block {block.number}"


def _confirm(anchor: FurtherAnchor, block: TrustedBlock, node: RpcClient) -> str:
    found = node.call("eth_getBlockByNumber", hex(block.number), False)
    if found is None or to_bytes(found["hash"]) != to_bytes(block.hash):
        raise Refused(f"block {block.number} of chain {block.chain_id} is not {block.hash}")
    require_code(node, "EvidenceLog", checksum_address(anchor.evidence))
    return f"block {block.number} is on the chain, and the log's code is that of this version"


def _require_append(anchor: FurtherAnchor, receipt: ProvenReceipt) -> None:
    if not receipt.succeeded or anchor.log >= len(receipt.logs):
        raise Refused(f"the transaction failed, or has no log {anchor.log} to be a BatchAppended")
    log = receipt.logs[anchor.log]
    if log.address != checksum_address(anchor.evidence):
        raise Refused(f"the BatchAppended was logged by {log.address}, which is not that evidence log")
    event = decode_event("EvidenceLog", log.as_rpc())
    if event.name != "BatchAppended" or event.args["head"] != anchor.batch.head():
        raise Refused("another batch was appended")
    if anchor.batch.appended_at != receipt.timestamp:
        raise Refused("the batch's time is not that of its block")
