"""Anchored batches of evidence."""

from chain.evidence import NO_HEAD, BatchHeader

from .models import EvidenceBatch
from .projector import Occurrence, handles
from .rows import Rows


@handles("BatchAppended")
def _appended(rows: Rows, e: Occurrence) -> None:
    platform_id, index = e.args["platform"], e.args["index"]
    before = NO_HEAD if index == 0 else rows.require(EvidenceBatch, platform_id, index - 1)["head"]
    header = BatchHeader.of_event(e.args, before, e.at)
    if header.head() != e.args["head"]:
        raise ValueError(f"batch {index} does not follow the batch before it")
    rows.insert(
        EvidenceBatch,
        platform_id=platform_id,
        index=index,
        previous_head=header.previous_head,
        head=e.args["head"],
        root=header.root,
        from_sequence=header.from_sequence,
        to_sequence=header.to_sequence,
        count=header.count,
        first_trade_at=header.first_trade_at,
        last_trade_at=header.last_trade_at,
        appended_at=header.appended_at,
        tx_hash=e.tx_hash,
        block_number=e.block_number,
    )
