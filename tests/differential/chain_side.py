"""The contracts on an embedded node whose clock the test sets, and the shortest way to send and to ask.

Time is set by hand, so a run is the same on every machine and a boundary can be met to the second.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from eth_hash.auto import keccak

from chain.contract_error import ContractError
from chain.contracts import ContractName, Contracts, encode_call
from chain.deploy import deploy
from chain.enums import Role
from chain.keys import LocalSigner, derive
from chain.node import EmbeddedNode
from chain.rpc import RpcClient
from chain.trade import Trade

Transaction: TypeAlias = tuple[Role, ContractName, str, Sequence[Any]]

ETHER = 10**18
GWEI = 10**9
# Enough for the largest batch of a round; two fit in a block. Nothing is estimated: that would execute all twice.
GAS = 40_000_000
START = 1_900_000_000


class ChainSide:
    """A deployment of its own with one key for each role.

    Args:
        opening: Unix second at which the chain begins.
    """

    def __init__(self, folder: Path, opening: int = START) -> None:
        self.now = opening
        self.signers = {role: derive(keccak(b"differential"), role.name) for role in Role}
        funded = {signer.address: 1_000_000 * ETHER for signer in self.signers.values()}
        self._node = EmbeddedNode(folder, funded=funded, clock=lambda: self.now)
        self._nonces = dict.fromkeys(Role, 0)

    def __enter__(self) -> Self:
        self._node.start()
        self.rpc = RpcClient(self._node.url)
        deployer = self.signers[Role.OPERATOR]
        roles = {role: [signer.address] for role, signer in self.signers.items()}
        self.contracts: Contracts = deploy(self.rpc, deployer, roles=roles)[0]
        self._nonces[Role.OPERATOR] = int(self.rpc.call("eth_getTransactionCount", deployer.address, "latest"), 16)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.rpc.close()
        self._node.stop()

    @property
    def reviewer(self) -> LocalSigner:
        """The only approver."""
        return self.signers[Role.REVIEWER]

    def send(self, *transactions: Transaction) -> list[list[dict[str, Any]]]:
        """Send calls together and wait until all are mined; each must succeed.

        Returns:
            The logs of each.
        """
        raws = [self._signed(*transaction) for transaction in transactions]
        hashes = self.rpc.batch([("eth_sendRawTransaction", ("0x" + raw.hex(),)) for raw in raws])
        logs = []
        for (_, _, function, _), tx_hash in zip(transactions, hashes, strict=True):
            assert isinstance(tx_hash, str), f"{function}: {tx_hash}"
            receipt = self._receipt(tx_hash)
            assert receipt["status"] == "0x1", f"{function} failed"
            logs.append(receipt["logs"])
        return logs

    def quote(self, voucher_id: int, trade: Trade, now: int) -> dict[str, Any] | ContractError:
        """`quote` as if the next block were mined at `now`, which no block may lie after."""
        self.now, clock = now, self.now
        try:
            answer = self.read("quote", voucher_id, trade.to_abi())
        except ContractError as refusal:
            return refusal
        finally:
            self.now = clock
        assert isinstance(answer, dict)
        return answer

    def read(self, function: str, *args: Any) -> Any:
        """A view of the ledger in the block that would be mined now."""
        return self.contracts.read(self.rpc, "VoucherLedger", function, args, block="pending")

    def _signed(self, role: Role, contract: ContractName, function: str, args: Sequence[Any]) -> bytes:
        nonce = self._nonces[role]
        self._nonces[role] = nonce + 1
        return self.signers[role].sign_transaction(
            {
                "chainId": self._node.chain_id,
                "nonce": nonce,
                "gas": GAS,
                "maxFeePerGas": 10 * GWEI,
                "maxPriorityFeePerGas": GWEI,
                "value": 0,
                "to": self.contracts.addresses[contract],
                "data": "0x" + encode_call(contract, function, args).hex(),
            }
        )

    def _receipt(self, tx_hash: str) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            receipt: dict[str, Any] | None = self.rpc.call("eth_getTransactionReceipt", tx_hash)
            if receipt is not None:
                return receipt
            time.sleep(0.002)
        raise TimeoutError(f"{tx_hash} was not mined")
