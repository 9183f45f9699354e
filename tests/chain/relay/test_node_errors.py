"""What nodes say, word for word, and what the relay takes it for."""

import pytest

from chain.relay.fees import Fees
from chain.relay.node_errors import NodeRefusal, classify
from chain.rpc import RpcError


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("already known", "already_known"),  # geth, ours
        ("Known transaction", "already_known"),  # Besu
        ("transaction already imported", "already_known"),  # anvil
        ("AlreadyKnown", "already_known"),  # Nethermind
        ("nonce too low: next nonce 5, tx nonce 4", "nonce_too_low"),  # geth, ours
        ("Nonce too low", "nonce_too_low"),  # Besu
        ("OldNonce, Current nonce: 5, nonce of rejected tx: 4", "nonce_too_low"),  # Nethermind
        ("nonce too high", "nonce_too_high"),  # geth, anvil
        ("Transaction nonce is too distant from current sender nonce", "nonce_too_high"),  # Besu
        ("replacement transaction underpriced", "underpriced"),  # geth, anvil, ours
        ("transaction underpriced: tip needed 1, tip permitted 0", "underpriced"),  # geth
        ("max fee per gas less than block base fee: maxFeePerGas: 1, baseFee: 7", "underpriced"),  # geth, ours
        ("Gas price below configured minimum gas price", "underpriced"),  # Besu
        ("insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1", "insufficient_funds"),
        ("Insufficient funds for gas * price + value", "insufficient_funds"),  # anvil
        ("Upfront cost exceeds account balance", "insufficient_funds"),  # Besu
        ("execution reverted", "reverted"),
        ("txpool is full", "busy"),  # geth, FISCO BCOS
        ("TxPoolIsFull", "busy"),  # FISCO BCOS 3.x by name
        ("in-flight transaction limit reached for delegated accounts", "busy"),  # geth
        ("AlreadyInTxPool", "already_known"),  # FISCO BCOS
        ("TxAlreadyInChain", "already_known"),  # FISCO BCOS
        ("NonceCheckFail", "nonce_too_low"),  # FISCO BCOS: used or taken, it does not say which
        ("ALREADY_EXISTS: already known", "already_known"),  # Erigon
        ("could not replace existing tx", "underpriced"),  # Erigon
        ("fee too low", "underpriced"),  # Erigon
        ("nonce too low", "nonce_too_low"),  # Erigon
        ("Nonce too high", "nonce_too_high"),  # Besu
        ("FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 1, BaseFee: 7", "underpriced"),  # Nethermind
        ("NonceGap, Future nonce. Expected nonce: 5", "nonce_too_high"),  # Nethermind
        ("InsufficientFunds, Balance is 0 less than sending value + gas 1", "insufficient_funds"),  # Nethermind
        ("Max fee per gas less than current base fee", "underpriced"),  # Besu
        ("transaction type not supported", "other"),  # geth, FISCO BCOS
        ("intrinsic gas too low", "other"),  # geth, FISCO BCOS
        ("exceeds block gas limit", "other"),
    ],
)
def test_wordings(message: str, expected: str) -> None:
    assert classify(RpcError(-32000, message)) == NodeRefusal(expected)


def test_revert_data_counts_whatever_the_words() -> None:
    assert classify(RpcError(-32015, "VM execution error.", "Reverted 0x08c379a0")) == NodeRefusal.REVERTED


@pytest.mark.parametrize("fees", [Fees(0, 0), Fees(7, 1), Fees(10**9, 10**8), Fees(5, None)])
def test_a_raise_is_enough_for_every_node(fees: Fees) -> None:
    raised = fees.bumped(Fees(3, None if fees.tip_wei is None else 2))
    assert raised.max_fee_wei > fees.max_fee_wei
    assert raised.max_fee_wei * 100 >= fees.max_fee_wei * 110
    assert raised.max_fee_wei >= (raised.tip_wei or 0)
    if fees.tip_wei is not None and raised.tip_wei is not None:
        assert raised.tip_wei * 100 >= fees.tip_wei * 110
        assert raised.tip_wei >= 2
