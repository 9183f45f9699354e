"""The arithmetic of a subsidy: ⌊basis × rate⌋, or what the tightest limit leaves of it."""

from collections.abc import Mapping

from chain.enums import Limit

FULL_BPS = 10_000


def share(basis_fen: int, bps: int) -> int:
    """⌊basis × share⌋ in fen."""
    return basis_fen * bps // FULL_BPS


def tightest(room_fen: Mapping[Limit, int]) -> tuple[int, Limit]:
    """The subsidy and what cut it.

    Args:
        room_fen: under `Limit.NONE` the share of the basis; under each limit what is left of it, below zero where it
            is overdrawn.

    Returns:
        Fen, and the first in the order of `Limit` where several leave the same.
    """
    # Nothing is below nothing: of two limits that are used up the first counts, however far each is overdrawn.
    limit = min(room_fen, key=lambda one: (max(room_fen[one], 0), one))
    return max(room_fen[limit], 0), limit
