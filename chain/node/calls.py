"""Execution without a transaction: eth_call and eth_estimateGas."""

from dataclasses import dataclass

from eth.abc import ComputationAPI
from eth.exceptions import OutOfGas, Revert, VMError
from eth.vm.message import Message
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_typing import Address

from .errors import EXECUTION_REVERTED, SERVER_ERROR, NodeError
from .rules import BLOCK_GAS_LIMIT, EvmState, contract_address
from .transaction import AccessList, initcode_gas, intrinsic_gas

# What a call may burn: py-evm runs some 10 million gas a second, and a loop must not hold a worker for minutes.
CALL_GAS_CAP = 50_000_000

_ERROR_STRING = bytes.fromhex("08c379a0")  # Error(string)
_PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)
_PANIC_REASONS = {
    0x01: "assert(false)",
    0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero",
    0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN",
    0x41: "out of memory",
    0x51: "uninitialized function",
}


@dataclass(frozen=True, slots=True)
class Call:
    """What eth_call is asked to run. `to` empty runs `data` as initcode; gas None means as much as is allowed."""

    sender: Address
    to: Address
    value: int
    data: bytes
    gas: int | None
    max_fee_per_gas: int
    access_list: AccessList


def call(state: EvmState, request: Call) -> bytes:
    """Output of a call on a scratch state.

    Raises:
        NodeError: code 3 with the revert data, or -32000 for another failure.
    """
    gas = min(CALL_GAS_CAP if request.gas is None else request.gas, CALL_GAS_CAP)
    computation = _run(state, request, gas)
    if computation.is_error:
        raise _failure(computation)
    output: bytes = computation.output
    return output


ESTIMATE_TOLERANCE = 0.02


def estimate_gas(state: EvmState, request: Call) -> int:
    """Gas limit with which the call succeeds, at most 2 % above the least (geth allows 1.5 %).

    The least is searched, not read off one run: refunds come only at the end, and a contract forwards at most 63/64 of
    its gas (EIP-150), so a call may need more than it finally pays for.

    Raises:
        NodeError: the call reverts, or fails with all the gas allowed.
    """
    ceiling = BLOCK_GAS_LIMIT if request.gas is None else min(request.gas, BLOCK_GAS_LIMIT)
    ceiling = min(ceiling, CALL_GAS_CAP)
    balance = state.get_balance(request.sender)
    if balance < request.value:
        raise NodeError(SERVER_ERROR, "insufficient funds for transfer")
    if request.max_fee_per_gas:
        ceiling = min(ceiling, (balance - request.value) // request.max_fee_per_gas)

    first = _run(state, request, ceiling, keep=False)
    if first.is_error:
        if isinstance(first.error, OutOfGas):
            raise NodeError(SERVER_ERROR, f"gas required exceeds allowance ({ceiling})")
        raise _failure(first)
    floor = intrinsic_gas(request.to, request.data, request.access_list)
    consumed = ceiling - first.get_gas_remaining()
    low = max(floor, consumed) - 1  # always too little
    high = ceiling
    # Nearly all calls need what they consumed, or that and what each CALL holds back: 1.6 % more, which for a costly
    # call is close enough. A run costs as much as the transaction itself.
    for guess in (low + 1, (consumed + 2_300) * 64 // 63):
        if low < guess < high:
            if _run(state, request, guess, keep=False).is_error:
                low = guess
            else:
                high = guess
                break
    while low + 1 < high and (high - low) / high > ESTIMATE_TOLERANCE:
        middle = (low + high) // 2
        if _run(state, request, middle, keep=False).is_error:
            low = middle
        else:
            high = middle
    return high


def _run(state: EvmState, request: Call, gas: int, *, keep: bool = True) -> ComputationAPI:
    intrinsic = intrinsic_gas(request.to, request.data, request.access_list)
    needed = intrinsic + initcode_gas(request.to, request.data)
    if gas < needed:
        raise NodeError(SERVER_ERROR, f"intrinsic gas too low: gas {gas}, minimum needed {needed}")
    nonce = state.get_nonce(request.sender)
    message = Message(
        gas=gas - intrinsic,
        to=request.to,
        sender=request.sender,
        value=request.value,
        data=request.data if request.to else b"",
        code=state.get_code(request.to) if request.to else request.data,
        create_address=contract_address(request.sender, nonce) if not request.to else None,  # type: ignore[arg-type]
    )
    context = state.get_transaction_context_class()(gas_price=request.max_fee_per_gas, origin=request.sender)
    state.lock_changes()
    snapshot = None if keep else state.snapshot()
    state.mark_address_warm(request.sender)
    state.mark_address_warm(message.storage_address)
    for address, slots in request.access_list:
        state.mark_address_warm(address)
        for slot in slots:
            state.mark_storage_warm(address, slot)
    if not request.to:
        state.set_nonce(request.sender, nonce + 1)
    evm = state.computation_class
    try:
        run = evm.apply_message if request.to else evm.apply_create_message
        computation: ComputationAPI = run(state, message, context)
    except VMError as error:
        # Raised before the first instruction: no funds for the value, initcode too large.
        raise NodeError(SERVER_ERROR, str(error)) from error
    finally:
        if snapshot is not None:
            state.revert(snapshot)
            state.clear_transient_storage()
    return computation


def _failure(computation: ComputationAPI) -> NodeError:
    error = computation.error
    if isinstance(error, Revert):
        data: bytes = computation.output
        reason = _revert_reason(data)
        message = f"execution reverted: {reason}" if reason else "execution reverted"
        return NodeError(EXECUTION_REVERTED, message, "0x" + data.hex())
    if isinstance(error, OutOfGas):
        return NodeError(SERVER_ERROR, f"out of gas: {error}")
    return NodeError(SERVER_ERROR, f"{type(error).__name__}: {error}")


def _revert_reason(data: bytes) -> str | None:
    """Text of Error(string) or Panic(uint256); None for a custom error, which only its ABI can read."""
    try:
        if data[:4] == _ERROR_STRING:
            reason: str = decode(["string"], data[4:])[0]
            return reason
        if data[:4] == _PANIC:
            code: int = decode(["uint256"], data[4:])[0]
            return _PANIC_REASONS.get(code, f"unknown panic code: {code:#x}")
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return None
    return None
