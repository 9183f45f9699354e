"""The contracts on a node whose clock the test sets, and the shortest way to send and to ask.

Time is set by hand, so a run is the same on every machine and a boundary can be met to the second.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

from eth_hash.auto import keccak

from chain.contract_error import ContractError
from chain.contracts import ContractName, Contracts, decode_result, encode_call, refusal_of
from chain.deploy import deploy
from chain.enums import Role
from chain.keys import LocalSigner, derive
from chain.rpc import RpcClient, RpcError
from chain.trade import Trade
from scripts._anvil import CHAIN_ID, Anvil

Transaction: TypeAlias = tuple[Role, ContractName, str, Sequence[Any]]

ETHER = 10**18
GWEI = 10**9
# Enough for the largest batch of a round. Nothing is estimated: that would execute all twice.
GAS = 40_000_000
BLOCK_GAS = 1_000 * GAS
START = 1_900_000_000


class ChainSide:
    """A deployment of its own with one key for each role.

    Args:
        opening: Unix second at which the chain begins.
    """

    def __init__(self, opening: int = START) -> None:
        self.now = opening
        self.signers = {role: derive(keccak(b"differential"), role.name) for role in Role}
        self._node = Anvil("--timestamp", str(opening), "--gas-limit", str(BLOCK_GAS))
        self._nonces = dict.fromkeys(Role, 0)

    def __enter__(self) -> Self:
        self._node.start()
        self.rpc = RpcClient(self._node.url, timeout=60)
        self.rpc.call("anvil_setBlockTimestampInterval", 0)
        for signer in self.signers.values():
            self.rpc.call("anvil_setBalance", signer.address, hex(1_000_000 * ETHER))
        deployer = self.signers[Role.OPERATOR]
        roles = {role: [signer.address] for role, signer in self.signers.items()}
        self.contracts: Contracts = deploy(self.rpc, deployer, roles=roles)[0]
        self._nonces[Role.OPERATOR] = int(self.rpc.call("eth_getTransactionCount", deployer.address, "latest"), 16)
        self.rpc.call("evm_setAutomine", False)
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
        """Send calls together, mined in one block at `now`; each must succeed.

        Returns:
            The logs of each.
        """
        raws = [self._signed(*transaction) for transaction in transactions]
        hashes = self.rpc.batch([("eth_sendRawTransaction", ("0x" + raw.hex(),)) for raw in raws])
        self.rpc.call("evm_setNextBlockTimestamp", self.now)
        self.rpc.call("evm_mine")
        receipts = self.rpc.batch([("eth_getTransactionReceipt", (tx_hash,)) for tx_hash in hashes])
        for (_, _, function, _), receipt in zip(transactions, receipts, strict=True):
            assert isinstance(receipt, dict), f"{function}: {receipt}"
            assert receipt["status"] == "0x1", f"{function} failed"
        return [receipt["logs"] for receipt in receipts]

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
        """A view of the ledger in a block at `now`."""
        call = {"to": self.contracts.ledger, "data": "0x" + encode_call("VoucherLedger", function, args).hex()}
        try:
            answer = self.rpc.call("eth_call", call, "latest", {}, {"time": hex(self.now)})
        except RpcError as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            raise refusal from error
        return decode_result("VoucherLedger", function, answer)

    def _signed(self, role: Role, contract: ContractName, function: str, args: Sequence[Any]) -> bytes:
        nonce = self._nonces[role]
        self._nonces[role] = nonce + 1
        return self.signers[role].sign_transaction(
            {
                "chainId": CHAIN_ID,
                "nonce": nonce,
                "gas": GAS,
                "maxFeePerGas": 10 * GWEI,
                "maxPriorityFeePerGas": GWEI,
                "value": 0,
                "to": self.contracts.addresses[contract],
                "data": "0x" + encode_call(contract, function, args).hex(),
            }
        )
