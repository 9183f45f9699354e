"""Proves a bundle's facts from the state of one recent block, fetched from any node that offers `eth_getProof`."""

from collections.abc import Sequence
from typing import Any

from . import state_facts as facts
from .bundle_format import RedemptionPart, StatePart
from .contracts import Contracts
from .evidence import EvidenceProof
from .receipts import header_rlp
from .rpc import RpcClient, RpcError
from .signatures import recover
from .state_proofs import AccountProof, fetch_account
from .storage_layout import Place
from .typed_data import Submission, submission_digest

ANCESTORS = 64
"""Blocks before the proved one whose headers a bundle may carry: half a kilobyte each."""


def fetch_state(
    rpc: RpcClient,
    contracts: Contracts,
    proof: EvidenceProof,
    *,
    settlement_key: bytes,
    redemption: RedemptionPart | None,
    receipt_blocks: Sequence[int],
) -> StatePart:
    """The part of a bundle; the block is the newest final one, or the newest where that is before a receipt.

    Raises:
        StateProofError: the node offers no proofs.
        ReceiptProofError: the chain hashes its headers in its own way.
        RpcError, RpcUnavailable: the node refused or does not answer.
    """
    block = _block(rpc, max(receipt_blocks))
    number = int(block["number"], 16)
    platform = proof.batch.platform
    former = _read(rpc, contracts.registry, facts.former_keys(platform), block)
    registry = facts.key_slots(platform, min(former, facts.MAX_KEYS))
    accounts = [fetch_account(rpc, contracts.evidence, [facts.head(platform, proof.batch.index).slot], block["number"])]
    if redemption is not None:
        voucher = facts.voucher(redemption.voucher_id)
        holder = _read(rpc, contracts.ledger, voucher.member("entity"), block)
        registry.append(facts.entity_of_number(holder).slot)
        slots = [voucher.slot, facts.redemption(redemption.group, settlement_key).slot]
        accounts.append(fetch_account(rpc, contracts.ledger, slots, block["number"]))
    accounts.append(fetch_account(rpc, contracts.registry, registry, block["number"]))
    key = contracts.read(rpc, "EntityRegistry", "evidenceKeyAt", [platform, proof.batch.appended_at])
    if _signer(contracts, proof) != key:
        # A contract that signs in its own way (ERC-1271): that it is one is all that can be shown here.
        accounts.append(fetch_account(rpc, key, [], block["number"]))
    within = [one for one in receipt_blocks if number - ANCESTORS <= one < number]
    return StatePart(
        header=header_rlp(block),
        ancestors=_ancestors(rpc, block, min(within, default=number)),
        accounts=_in_order(accounts),
    )


def _block(rpc: RpcClient, newest: int) -> dict[str, Any]:
    try:
        final: dict[str, Any] | None = rpc.call("eth_getBlockByNumber", "finalized", False)
    except RpcError:
        final = None  # a chain that knows no such tag
    if final is not None and int(final["number"], 16) >= newest:
        return final
    latest: dict[str, Any] = rpc.call("eth_getBlockByNumber", "latest", False)
    return latest


def _ancestors(rpc: RpcClient, block: dict[str, Any], oldest: int) -> list[bytes]:
    """Headers from the block's parent back to the oldest."""
    found = []
    while int(block["number"], 16) > oldest:
        block = rpc.call("eth_getBlockByHash", block["parentHash"], False)
        found.append(header_rlp(block))
    return found


def _read(rpc: RpcClient, address: str, place: Place, block: dict[str, Any]) -> int:
    word = int(rpc.call("eth_getStorageAt", address, f"0x{place.slot:064x}", block["number"]), 16)
    return place.read({place.slot: word})


def _signer(contracts: Contracts, proof: EvidenceProof) -> str | None:
    submission = proof.submission
    message = Submission(proof.batch.platform, submission.sequence, submission.root, submission.count)
    return recover(submission_digest(contracts, message), submission.signature)


def _in_order(accounts: list[AccountProof]) -> list[AccountProof]:
    return sorted(accounts, key=lambda account: account.address)
