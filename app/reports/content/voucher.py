"""Full history of a voucher, with transaction hashes."""

import json

from sqlalchemy import select

from app.indexer.models import ChainBlock, ChainEvent
from app.reports.question import Reading, Report
from app.reports.table import CHAIN, Column, Row, Table, key

EVENTS = {
    "VoucherIssued": "发放",
    "Redeemed": "兑现",
    "WrittenOff": "核销",
    "RedemptionRejected": "驳回",
    "Recovered": "追回",
    "VoucherFrozen": "冻结",
    "VoucherUnfrozen": "解冻",
    "VoucherCancelled": "撤销",
    "VoucherExpired": "过期",
}
"""Events in Chinese."""
_AMOUNTS = ("faceFen", "amountFen", "returnedFen")
_COLUMNS = (
    key("block_number", "count", "区块", "Block"),
    key("log_index", "count", "日志序号", "Log"),
    Column("at", "instant", CHAIN, "时间", "Time"),
    Column("event", "text", CHAIN, "事件", "Event"),
    Column("redemption_id", "count", CHAIN, "兑现编号", "Redemption"),
    Column("amount_fen", "fen", CHAIN, "金额", "Amount"),
    Column("tx_hash", "hash", CHAIN, "交易哈希", "Transaction"),
    Column("arguments", "text", CHAIN, "事件内容", "Arguments"),
)


def _read(reading: Reading) -> Table:
    query = (
        select(ChainEvent, ChainBlock.timestamp)
        .join(ChainBlock, ChainBlock.number == ChainEvent.block_number)
        .where(ChainEvent.voucher_id == reading.question.voucher_id)
        .where(ChainEvent.block_number <= reading.point.block_number)
        .order_by(ChainEvent.id)
    )
    rows: list[Row] = []
    for event, timestamp in reading.session.execute(query):
        args = event.args
        amounts = {**args, **args.get("quote", {})}
        rows.append(
            {
                "block_number": event.block_number,
                "log_index": event.log_index,
                "at": timestamp,
                "event": event.event,
                "redemption_id": event.redemption_id,
                "amount_fen": next((amounts[name] for name in _AMOUNTS if name in amounts), None),
                "tx_hash": f"0x{event.tx_hash.hex()}",
                "arguments": json.dumps(args, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
            }
        )
    return Table(_COLUMNS, rows)


VOUCHER = Report(
    name="voucher",
    zh="算力券全程记录",
    en="History of a voucher",
    about_zh="一张算力券自发放起的全部链上事件与交易哈希。",
    about_en="All that happened to a voucher on chain, with the transactions that anyone can look up.",
    takes=("voucher_id", "as_of"),
    needs=("voucher_id",),
    read=_read,
    own=True,
)
