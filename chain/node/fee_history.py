"""What blocks charged for gas, as `eth_feeHistory` tells it."""

import msgspec

from .errors import InvalidParams
from .header import Header
from .machine import Machine

_MOST_BLOCKS = 1_024
_MOST_PERCENTILES = 100


def fee_history(machine: Machine, newest: Header, blocks: int, percentiles: object) -> dict[str, object]:
    """The answer for so many blocks up to the newest.

    Args:
        percentiles: of the gas of each block, ascending, as the client sent them: the tips paid there are told.

    Raises:
        InvalidParams: these are no percentiles.
    """
    asked = _percentiles(percentiles)
    count = min(blocks, newest.number + 1, _MOST_BLOCKS)
    if count == 0:
        return {"oldestBlock": "0x0", "gasUsedRatio": None, "baseFeePerGas": None}
    oldest = newest.number - count + 1
    headers = [header for number in range(oldest, newest.number + 1) if (header := machine.header(number)) is not None]
    history: dict[str, object] = {
        "oldestBlock": hex(oldest),
        # One more than asked: the fee of the block after the newest, which is constant.
        "baseFeePerGas": [hex(header.base_fee_per_gas) for header in [*headers, newest]],
        "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        "baseFeePerBlobGas": ["0x1"] * (count + 1),
        "blobGasUsedRatio": [0.0] * count,
    }
    if asked:
        history["reward"] = [[hex(tip) for tip in _tips(machine, header, asked)] for header in headers]
    return history


def _percentiles(value: object) -> list[float]:
    if not isinstance(value, list) or not all(
        isinstance(one, int | float) and not isinstance(one, bool) and 0 <= one <= 100 for one in value
    ):
        raise InvalidParams("invalid argument 2: want an array of percentiles from 0 to 100")
    if value != sorted(value) or len(value) > _MOST_PERCENTILES:
        raise InvalidParams("invalid argument 2: want at most 100 percentiles in ascending order")
    return value


def _tips(machine: Machine, header: Header, percentiles: list[float]) -> list[int]:
    """Tips (wei per gas) at percentiles of the gas a block used; zero for an empty block."""
    receipts = msgspec.json.decode(machine.store.receipts_json(header.number)) if header.gas_used else []
    paid = sorted(
        (int(receipt["effectiveGasPrice"], 16) - header.base_fee_per_gas, int(receipt["gasUsed"], 16))
        for receipt in receipts
    )
    tips = []
    for percentile in percentiles:
        threshold, passed, tip = header.gas_used * percentile / 100, 0, 0
        for tip, gas in paid:  # noqa: B007
            passed += gas
            if passed >= threshold:
                break
        tips.append(tip)
    return tips
