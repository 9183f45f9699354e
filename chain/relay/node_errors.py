"""What a node means when it refuses: one table over the wordings of geth, anvil, Besu, Nethermind and our own node."""

import re
from enum import StrEnum

from chain.contracts import refusal_of
from chain.rpc import RpcError


class NodeRefusal(StrEnum):
    """Kinds of refusal that the relay treats differently."""

    ALREADY_KNOWN = "already_known"
    NONCE_TOO_LOW = "nonce_too_low"
    NONCE_TOO_HIGH = "nonce_too_high"
    UNDERPRICED = "underpriced"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    REVERTED = "reverted"
    OTHER = "other"


# The first that matches wins: "replacement transaction underpriced" is not an old acquaintance.
_WORDINGS: tuple[tuple[NodeRefusal, str], ...] = (
    (
        NodeRefusal.ALREADY_KNOWN,
        r"already known|alreadyknown|known transaction|already imported|already in (the )?pool",
    ),
    (
        NodeRefusal.UNDERPRICED,
        r"underpriced|fee too low|gas price (is )?(too low|below)|less than block base fee|max fee per gas too low"
        r"|replacement not allowed|feetoolow|below configured minimum",
    ),
    (
        NodeRefusal.NONCE_TOO_LOW,
        r"nonce (is )?too low|nonce below|oldnonce|nonce has already been used|invalid nonce.*lower",
    ),
    (NodeRefusal.NONCE_TOO_HIGH, r"nonce (is )?too (high|distant|far)|noncegap|nonce above|gapped"),
    (
        NodeRefusal.INSUFFICIENT_FUNDS,
        r"insufficient (funds|balance)|insufficientfunds|upfront[\w ]*cost exceeds|exceeds account balance",
    ),
)
_COMPILED = tuple((refusal, re.compile(pattern, re.IGNORECASE)) for refusal, pattern in _WORDINGS)


def classify(error: RpcError) -> NodeRefusal:
    """The kind of a node's refusal."""
    for refusal, pattern in _COMPILED:
        if pattern.search(error.message):
            return refusal
    return NodeRefusal.OTHER if refusal_of(error) is None else NodeRefusal.REVERTED
