"""What a node means when it refuses: one table over the wordings of geth, anvil, Besu, Nethermind,
Erigon, FISCO BCOS and our own node."""

import re
from enum import StrEnum

from chain.contracts import refusal_of
from chain.rpc import RpcError


class NodeRefusal(StrEnum):
    """Kinds of refusal that the relay treats differently. Busy: the same bytes may be taken in a moment."""

    ALREADY_KNOWN = "already_known"
    NONCE_TOO_LOW = "nonce_too_low"
    NONCE_TOO_HIGH = "nonce_too_high"
    UNDERPRICED = "underpriced"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    BUSY = "busy"
    REVERTED = "reverted"
    OTHER = "other"


# The first that matches wins: "replacement transaction underpriced" is not an old acquaintance.
_WORDINGS: tuple[tuple[NodeRefusal, str], ...] = (
    (
        NodeRefusal.ALREADY_KNOWN,
        r"already known|alreadyknown|known transaction|already imported|already in (the )?pool|alreadyintxpool"
        r"|txalreadyinchain|already[ _]exists",
    ),
    (
        NodeRefusal.UNDERPRICED,
        r"underpriced|fee too low|gas price (is )?(too low|below)|less than (the )?(current )?(block )?base fee"
        r"|max fee per gas too low|fee cap less than|replacement not allowed|feetoolow|feecaplessthan"
        r"|below (the )?(configured )?minimum|could not replace|tip cap (is )?(below|too low)",
    ),
    (
        NodeRefusal.NONCE_TOO_LOW,
        # FISCO BCOS says NonceCheckFail of a nonce that is used or taken: receipts tell which.
        r"nonce (is )?too low|nonce below|oldnonce|nonce has already been used|invalid nonce.*lower|noncecheckfail"
        r"|nonce check fail",
    ),
    (NodeRefusal.NONCE_TOO_HIGH, r"nonce (is )?too (high|distant|far)|noncegap|nonce above|gapped"),
    (
        NodeRefusal.BUSY,
        r"pool is full|poolisfull|pool full|pool[ _]overflow|in-flight transaction limit|account limit exceeded"
        r"|rate limit|too many requests|limit exceeded for account|queue limit|try again later|node is syncing",
    ),
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
