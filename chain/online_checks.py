"""What only a node can tell: that the blocks are canonical, the code ours, and how things stand now."""

from typing import Any

from .abi import to_bytes
from .contract_error import ContractError
from .contracts import ContractName
from .deployed_code import check_code
from .enums import Basis, Limit, RedemptionState, TradeAttributes
from .evidence_checks import key_in_force
from .proven import ProvenBundle
from .redemption_checks import FULL_BPS, issued, outcome, redeemed
from .report import Checklist, Refused
from .rpc import RpcClient


class OnlineChecks:
    """The steps that need a node. State is read as of one block, so that they agree with each other."""

    def __init__(self, proven: ProvenBundle, rpc: RpcClient) -> None:
        self._proven = proven
        self._rpc = rpc
        self._block = "latest"

    def run(self, checklist: Checklist) -> None:
        """Take all steps."""
        checklist.take("chain", self._chain)
        checklist.take("code", self._code)
        checklist.take("blocks", self._blocks)
        checklist.take("transactions", self._transactions)
        checklist.take("head", self._head)
        checklist.take("key history", self._key)
        checklist.take("contract's verdict", self._verdict)
        if self._proven.bundle.redemption is not None:
            checklist.take("redemption now", self._redemption_now)
            checklist.take("rule", self._rule)

    def _read(self, contract: ContractName, function: str, *args: Any) -> Any:
        return self._proven.contracts.read(self._rpc, contract, function, args, block=self._block)

    def _chain(self) -> str:
        chain_id = int(self._rpc.call("eth_chainId"), 16)
        if chain_id != self._proven.bundle.chain_id:
            raise Refused(f"the node is of chain {chain_id}, the bundle of chain {self._proven.bundle.chain_id}")
        self._block = self._rpc.call("eth_blockNumber")
        return f"chain {chain_id}, asked as of block {int(self._block, 16)}"

    def _code(self) -> str:
        check_code(self._rpc, self._proven.contracts, self._block)
        return "the contracts' code is that of this version"

    def _blocks(self) -> str:
        blocks = {receipt.block_number: receipt.block_hash for receipt in self._proven.receipts}
        blocks.setdefault(self._proven.block_number, self._proven.block_hash)
        if blocks[self._proven.block_number] != self._proven.block_hash:
            raise Refused("the bundle has two blocks of one number")
        for number, block_hash in blocks.items():
            block = self._rpc.call("eth_getBlockByNumber", hex(number), False)
            if block is None or to_bytes(block["hash"]) != block_hash:
                raise Refused(f"block {number} of the chain is not 0x{block_hash.hex()}")
        if set(blocks.values()) != {self._proven.block_hash, *(one.block_hash for one in self._proven.receipts)}:
            raise Refused("the bundle has two blocks of one number")
        return f"{len(blocks)} blocks are on the chain"

    def _transactions(self) -> str:
        for part, receipt in zip(self._proven.bundle.receipts, self._proven.receipts, strict=True):
            tx_hash = "0x" + part.tx_hash.hex()
            found = self._rpc.call("eth_getTransactionReceipt", tx_hash)
            if found is None or to_bytes(found["blockHash"]) != receipt.block_hash:
                raise Refused(f"transaction {tx_hash} is not in block {receipt.block_number}")
            if int(found["transactionIndex"], 16) != part.index:
                raise Refused(f"transaction {tx_hash} has another place in its block")
        return f"{len(self._proven.receipts)} transactions are where the bundle says"

    def _head(self) -> str:
        batch = self._proven.bundle.proof.batch
        if self._read("EvidenceLog", "headAt", batch.platform, batch.index) != batch.head():
            raise Refused(f"the chain has another head for batch {batch.index}")
        return f"batch {batch.index} is anchored"

    def _key(self) -> str:
        batch = self._proven.bundle.proof.batch
        key = self._read("EntityRegistry", "evidenceKeyAt", batch.platform, batch.appended_at)
        stated, _ = key_in_force(self._proven)
        if key != stated:
            raise Refused(f"the platform's key when the batch was appended was {key}, not {stated}")
        return f"{key} was the platform's key"

    def _verdict(self) -> str:
        bundle = self._proven.bundle
        self._read("EvidenceLog", "verify", bundle.trade.platform, bundle.trade.leaf(), bundle.proof.to_abi())
        return "EvidenceLog.verify accepts the evidence"

    def _redemption_now(self) -> str:
        proven, part, event = self._proven, self._proven.redemption, redeemed(self._proven)
        state, recovered_fen = outcome(proven)
        try:
            found = self._read("VoucherLedger", "redemption", part.redemption_id, proven.bundle.trade.settlement_key)
        except ContractError as refusal:
            later_id = refusal.arguments.get("keyOf") if refusal.name == "VoucherLedger_KeyMismatch" else None
            # Only a rejected record gives way, to the next claim of its trade.
            if not later_id or state is RedemptionState.WRITTEN_OFF:
                raise
            return f"rejected, and its trade was claimed anew as redemption {later_id}"
        stated = {
            "voucherId": part.voucher_id,
            "amountFen": event["quote"]["amountFen"],
            "period": event["quote"]["period"],
            "redeemedAt": proven.timestamp(part.redeemed),
        }
        for name, value in stated.items():
            if found[name] != value:
                raise Refused(f"the ledger's {name} is {found[name]}, the bundle's {value}")
        if found["state"] != state and state is not RedemptionState.PROVISIONAL:
            raise Refused(f"the ledger has it {found['state'].name}, the bundle {state.name}")
        if found["recoveredFen"] < recovered_fen:
            raise Refused(f"the ledger has {found['recoveredFen']} fen recovered, the bundle {recovered_fen}")
        now = found["state"].name.lower().replace("_", " ")
        later = "" if (found["state"], found["recoveredFen"]) == (state, recovered_fen) else ", later than the bundle"
        return f"{now}, {found['amountFen']} fen, {found['recoveredFen']} fen recovered{later}"

    def _rule(self) -> str:
        trade, event, order = self._proven.bundle.trade, redeemed(self._proven), issued(self._proven)
        quote = event["quote"]
        voucher = self._read("VoucherLedger", "voucher", self._proven.redemption.voucher_id)
        programme = self._read("VoucherLedger", "programme", voucher["programmeId"])
        tier = self._read("VoucherLedger", "tier", voucher["programmeId"], voucher["tier"])
        if (voucher["faceFen"], voucher["tier"]) != (order["faceFen"], order["tier"]):
            raise Refused("the ledger's voucher is not the one that was issued")
        if voucher["entity"] != self._read("EntityRegistry", "numberOf", trade.buyer):
            raise Refused("the voucher's holder is not the trade's buyer")
        rate_bps = tier["rateBps"][rate_index(trade.kind, trade.compute_type, trade.attributes)]
        if quote["rateBps"] != rate_bps:
            raise Refused(f"the tier's rate is {rate_bps} basis points, {quote['rateBps']} were applied")
        basis_fen = trade.settled_fen if programme["basis"] is Basis.SETTLED else trade.contract_fen
        share_fen = basis_fen * rate_bps // FULL_BPS
        ceiling_fen = max(0, basis_fen * programme["supportCeilingBps"] // FULL_BPS - trade.other_support_fen)
        most_fen = min(share_fen, ceiling_fen)
        exact = quote["limit"] in (Limit.NONE, Limit.SUPPORT_CEILING)
        if quote["amountFen"] > most_fen or (exact and quote["amountFen"] != most_fen):
            raise Refused(f"the rule gives {most_fen} fen, {quote['amountFen']} were redeemed")
        return f"⌊{basis_fen} fen × {rate_bps} ‱⌋ = {share_fen} fen, limit {quote['limit'].name.lower()}"


def rate_index(kind: int, compute_type: int, attributes: int) -> int:
    """Index of a rate in a tier's table (contracts/src/libraries/Rules.sol)."""
    return kind * 8 + compute_type * 2 + (1 if attributes & TradeAttributes.DOMESTIC_CHIP else 0)
