"""How much one API key may post: submissions and records a second, with bursts.

Counted in this process (GCRA, a leaky bucket that keeps one number per key): several gateways on one PostgreSQL each
grant the whole limit, so what a key can post in all is the limit times their number.
"""

import math

from throttled import MemoryStore, RateLimiterType, Throttled, per_sec

from app.errors import TooManyRequests
from app.evidence.body import MAX_RECORDS
from app.settings import Settings

KEYS = 10_000
"""API keys that are told apart; the one that was quiet longest is forgotten first, and so may begin anew."""


class PostLimits:
    """The limits of all keys."""

    def __init__(self, settings: Settings) -> None:
        self._limits = {
            "posts": self._limit(settings.posts_per_s, settings.posts_per_s),
            # The largest submission must pass at least after a rest.
            "records": self._limit(settings.records_per_s, max(settings.records_per_s, MAX_RECORDS)),
        }

    @staticmethod
    def _limit(rate: int, burst: int) -> tuple[int, Throttled]:
        store = MemoryStore(options={"MAX_SIZE": KEYS})
        return rate, Throttled(using=RateLimiterType.GCRA.value, quota=per_sec(rate, burst), store=store)

    def demand(self, what: str, key_id: str, cost: int = 1) -> None:
        """Takes `cost` of what a key may post, "posts" or "records".

        Raises:
            TooManyRequests: It is used up; says when to come again.
        """
        rate, limit = self._limits[what]
        found = limit.limit(key_id, cost=cost)
        if found.limited:
            raise TooManyRequests(what, rate, math.ceil(found.state.retry_after) or 1)
