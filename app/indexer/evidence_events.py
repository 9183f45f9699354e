"""Anchored batches of evidence."""

from .models import EvidenceBatch
from .projector import Occurrence, handles
from .rows import Rows
from .values import bounded


@handles("BatchAppended")
def _appended(rows: Rows, e: Occurrence) -> None:
    header = e.args["header"]
    rows.insert(
        EvidenceBatch,
        platform_id=e.args["platform"],
        index=e.args["index"],
        previous_head=header["previousHead"],
        head=e.args["head"],
        root=header["root"],
        from_sequence=bounded(header["fromSequence"]),
        to_sequence=bounded(header["toSequence"]),
        count=header["count"],
        first_trade_at=header["firstTradeAt"],
        last_trade_at=header["lastTradeAt"],
        appended_at=header["appendedAt"],
        tx_hash=e.tx_hash,
        block_number=e.block_number,
    )
