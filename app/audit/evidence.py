"""Anchored batches: a platform's sequence has no gap, and each head commits to the one before."""

from app.audit.plays import Stage, plays
from app.indexer.projector import Occurrence
from chain.evidence import BatchHeader


@plays("BatchAppended")
def _appended(stage: Stage, e: Occurrence) -> None:
    platform, index, findings = e.args["platform"], e.args["index"], stage.findings
    first, last = e.args["fromSequence"], e.args["toSequence"]
    stream = stage.book.streams[platform]
    subject = f"batch {index} of platform 0x{platform.hex()}"
    if index != stream.batches:
        missing = ", ".join(str(one) for one in range(stream.batches, min(index, stream.batches + 20))) or "none"
        findings.add("evidence-gap", subject, expected=f"batch {stream.batches}", found=f"missing batches: {missing}")
    if first != stream.next_sequence:
        found = (
            f"sequences {stream.next_sequence} to {first - 1} are missing"
            if first > stream.next_sequence
            else f"sequence {first} again"
        )
        findings.add("evidence-gap", subject, expected=f"from sequence {stream.next_sequence}", found=found)
    if last < first or e.args["count"] < last - first + 1:
        found = f"{e.args['count']} trades in sequences {first} to {last}"
        findings.add("evidence-range", subject, expected="a trade or more in each submission", found=found)
    if not e.args["firstTradeAt"] <= e.args["lastTradeAt"] <= e.at:
        found = f"trades from {e.args['firstTradeAt']} to {e.args['lastTradeAt']}"
        findings.add("evidence-range", subject, expected=f"in order, up to {e.at}", found=found)
    head = BatchHeader.of_event(e.args, stream.head, e.at).head()
    if head != e.args["head"]:
        findings.add("evidence-heads-link", f"head of {subject}", expected=head, found=e.args["head"])
    stream.batches, stream.next_sequence, stream.head = index + 1, last + 1, e.args["head"]
