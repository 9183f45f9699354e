"""The numbers of the embedded chain, and the py-evm classes configured with them.

Cancun rules, with three choices for a chain that one operator runs on demand:

- **The base fee is constant.** EIP-1559 moves it to price congestion between strangers; here it would only make fees
  unpredictable. It is not zero, so fee fields, replacement by +10 % and balances behave as on any other node.
- **The gas limit is constant.** No miners vote on it.
- **A block may carry its parent's timestamp.** Consensus clients space blocks; a chain that mines on demand makes many
  a second, and the usual rule (strictly later) would run it ahead of the wall clock by a second a block, until
  vouchers expire early. It never carries an earlier one.
"""

import sys
from collections.abc import Iterable

from eth.abc import ComputationAPI, MessageAPI, SignedTransactionAPI
from eth.vm.chain_context import ChainContext
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.state import CancunState, CancunTransactionExecutor
from eth.vm.message import Message
from eth_typing import Address, BlockNumber, Hash32

from .codec import int_to_bytes, keccak, rlp_encode
from .header import Header

# py-evm raises Python's recursion limit to 100,000 for the whole process, which chain.keys says why it must not have.
# The EVM needs six frames for each of its 1,024 call levels, a few more for creations.
sys.setrecursionlimit(15_000)

# "SQ" in ASCII. Not 31337, so that a signature made on a test chain (EIP-712 binds the chain id) is worth nothing here.
DEFAULT_CHAIN_ID = 0x5351
BASE_FEE_WEI = 10**9
SUGGESTED_TIP_WEI = 10**9
BLOCK_GAS_LIMIT = 100_000_000


class _Executor(CancunTransactionExecutor):
    """Runs transactions the pool has already validated.

    py-evm would verify each signature again and format log lines nobody reads: a third of a transfer's time.
    """

    def validate_transaction(self, transaction: SignedTransactionAPI) -> None:
        """Nothing: signature, gas and fees were checked on entry, nonce and balance by the block builder."""

    def build_evm_message(self, transaction: SignedTransactionAPI) -> MessageAPI:
        """Take the gas in advance, count up the nonce, and make the outermost message (Yellow Paper, section 6)."""
        state, sender = self.vm_state, transaction.sender
        state.delta_balance(sender, -transaction.gas * state.get_gas_price(transaction))
        nonce = state.get_nonce(sender)
        state.set_nonce(sender, nonce + 1)
        creates = not transaction.to
        return Message(
            gas=transaction.gas - transaction.intrinsic_gas,
            to=transaction.to,
            sender=sender,
            value=transaction.value,
            data=b"" if creates else transaction.data,
            code=transaction.data if creates else state.get_code(transaction.to),
            create_address=contract_address(sender, nonce) if creates else None,  # type: ignore[arg-type]
        )


class EvmState(CancunState):
    """Cancun state with the executor above."""

    transaction_executor_class = _Executor

    def set_system_contracts(self) -> None:
        """None: the beacon roots contract (EIP-4788) has no beacon chain to speak of here."""


def contract_address(creator: bytes, nonce: int) -> Address:
    """Address of the contract that the creator's transaction of this nonce deploys."""
    return Address(keccak(rlp_encode([creator, int_to_bytes(nonce)]))[12:])


def execution_context(
    header: Header, previous_hashes: Iterable[Hash32], chain: ChainContext, *, base_fee: int
) -> ExecutionContext:
    """What the EVM sees of the block: number, time, limits, hashes."""
    return ExecutionContext(
        coinbase=Address(header.coinbase),
        timestamp=header.timestamp,
        block_number=BlockNumber(header.number),
        difficulty=0,
        mix_hash=Hash32(header.mix_hash),
        gas_limit=header.gas_limit,
        prev_hashes=previous_hashes,
        chain_id=chain.chain_id,
        base_fee_per_gas=base_fee,
        excess_blob_gas=0,
    )


def gas_used(gas: int, computation: ComputationAPI) -> int:
    """Gas a finished transaction pays for, refunds deducted up to a fifth (EIP-3529)."""
    consumed = gas - computation.get_gas_remaining()
    return consumed - min(computation.get_gas_refund(), consumed // 5)
