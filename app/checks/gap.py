"""gap: a platform's evidence sequence has no hole, no late insertion and no contradiction. Answer: hold."""

import msgspec

from app.checks.outcome import OK, Outcome, hold
from app.policies.checks import GapCheck

DAY_S = 86_400


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Where a record stands in its platform's stream.

    Attributes:
        sequence: Of the submission that holds it, from 1.
        stored: How many submissions up to it are there.
        newest_before_at: Newest trade time in the submissions before it; null for the first.
        contradictions: How often its trade number was posted again with other content.
    """

    sequence: int
    stored: int
    traded_at: int
    newest_before_at: int | None
    contradictions: int = 0


def gap(place: Gap, limits: GapCheck) -> Outcome:
    """Chain and gateway take no sequence out of turn, so a hole tells of rows that were taken away."""
    if place.stored != place.sequence:
        return hold(
            "hole",
            "平台序列应有 {sequence} 次提交,实有 {stored}",
            "The platform's sequence should have {sequence} submissions, but there are {stored}",
            sequence=place.sequence,
            stored=place.stored,
        )
    if place.newest_before_at is not None and place.newest_before_at - place.traded_at > limits.max_late_days * DAY_S:
        return hold(
            "late",
            "交易 {traded_at} 在平台已提交至 {newest_at} 之后才补入",
            "The trade of {traded_at} was put in after the platform had posted trades of {newest_at}",
            traded_at=place.traded_at,
            newest_at=place.newest_before_at,
        )
    if place.contradictions:
        return hold(
            "contradicted",
            "同一交易编号另有 {contradictions} 份内容不同的记录",
            "The trade number was posted again {contradictions} times with other content",
            contradictions=place.contradictions,
        )
    return OK
