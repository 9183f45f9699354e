"""What a transaction offers for gas. On a free-gas chain all of it is zero."""

from dataclasses import dataclass

from chain.rpc import RpcClient, RpcError

GWEI = 10**9
# Nodes demand 10 % more of both fees; a little above it survives their rounding.
BUMP_PERCENT = 12


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per gas. `tip_wei` is None on a chain without EIP-1559, where `max_fee_wei` is the gas price."""

    max_fee_wei: int
    tip_wei: int | None

    def fields(self) -> dict[str, int]:
        """Members of the transaction."""
        if self.tip_wei is None:
            return {"gasPrice": self.max_fee_wei}
        return {"maxFeePerGas": self.max_fee_wei, "maxPriorityFeePerGas": self.tip_wei}

    def bumped(self, market: "Fees") -> "Fees":
        """Fees of a replacement: enough more for every node, and no less than the market asks."""
        tip = None if self.tip_wei is None else max(_raised(self.tip_wei), market.tip_wei or 0)
        return Fees(max(_raised(self.max_fee_wei), market.max_fee_wei, tip or 0), tip)


def market_fees(rpc: RpcClient, base_fee_wei: int | None) -> Fees:
    """Fees that are mined soon: twice the base fee, which is six full blocks' rise, and the node's tip.

    Args:
        base_fee_wei: of the newest block; None on a chain without EIP-1559.

    Raises:
        RpcError, RpcUnavailable: the node does not say.
    """
    price, tip = rpc.batch([("eth_gasPrice", ()), ("eth_maxPriorityFeePerGas", ())])
    if isinstance(price, RpcError):
        raise price
    price_wei = int(price, 16)
    if base_fee_wei is None:
        return Fees(price_wei, None)
    # What the gas price holds above the base fee is the tip; some nodes suggest one that nobody asks for, as on a
    # chain where gas is free, and not every node has the method.
    tip_wei = max(0, price_wei - base_fee_wei)
    if not isinstance(tip, RpcError):
        tip_wei = min(tip_wei, int(tip, 16))
    return Fees(2 * base_fee_wei + tip_wei, tip_wei)


class FeePolicy:
    """How much is offered, and never more than a limit."""

    def __init__(self, most_wei: int) -> None:
        """Set the limit.

        Args:
            most_wei: wei per gas that no transaction ever offers more than, replacements included.
        """
        self._most_wei = most_wei

    def market(self, rpc: RpcClient, base_fee_wei: int | None) -> Fees:
        """`market_fees`, or the limit where they are above it: the transaction then waits until they come down."""
        return self._limited(market_fees(rpc, base_fee_wei))

    def raised(self, fees: Fees, rpc: RpcClient, base_fee_wei: int | None) -> Fees | None:
        """Fees of a replacement; None where the least that nodes demand is above the limit.

        Raises:
            RpcError, RpcUnavailable: the node does not say.
        """
        least = fees.bumped(Fees(0, None if fees.tip_wei is None else 0))
        if least.max_fee_wei > self._most_wei:
            return None
        return self._limited(fees.bumped(self.market(rpc, base_fee_wei)))

    def _limited(self, fees: Fees) -> Fees:
        tip = None if fees.tip_wei is None else min(fees.tip_wei, self._most_wei)
        return Fees(min(fees.max_fee_wei, self._most_wei), tip)


def _raised(wei: int) -> int:
    # Rounded up, and at least by one: a replacement is never free.
    return max(wei + 1, -(-wei * (100 + BUMP_PERCENT) // 100))
