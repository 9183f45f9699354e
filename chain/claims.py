"""Claims that are presented together, as VoucherLedger's `redeemMany` takes them."""

from collections.abc import Mapping, Sequence
from typing import Any


def batch_args(claims: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Arguments of `redeemMany`: the proof of each submission once, each claim with the index of its own.

    Args:
        claims: arguments of `redeem`, each {voucherId, trade, proof}; a proof by name or in order.
    """
    submissions: list[dict[str, Any]] = []
    items = []
    for claim in claims:
        proof = claim["proof"]
        values = tuple(proof.values()) if isinstance(proof, Mapping) else proof
        batch, submission, trade_path, submission_path = values
        shared = {"batch": batch, "submission": submission, "path": submission_path}
        if shared not in submissions:
            submissions.append(shared)
        items.append(
            {
                "voucherId": claim["voucherId"],
                "submission": submissions.index(shared),
                "trade": claim["trade"],
                "tradePath": trade_path,
            }
        )
    return [submissions, items]
