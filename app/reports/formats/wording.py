"""What a report says to people beside its figures: headings, amounts, where it comes from."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.reports.export import Export
from app.reports.table import Column

_UNITS = {"fen": ("(元)", " (yuan)"), "seconds": ("(小时)", " (hours)")}
_FACTS = (
    ("report", "报表", "Report"),
    ("question", "查询条件", "Asked for"),
    ("chain_id", "链 ID", "Chain id"),
    ("VoucherLedger", "算力券账本合约", "VoucherLedger"),
    ("EvidenceLog", "存证合约", "EvidenceLog"),
    ("EntityRegistry", "主体登记合约", "EntityRegistry"),
    ("block_number", "区块高度", "Block number"),
    ("block_hash", "区块哈希", "Block hash"),
    ("moment", "截至时间", "As of"),
    ("parked_events", "未能计入的链上事件", "Events not counted"),
    ("rows_sha256", "数据摘要 SHA-256", "SHA-256 of the rows"),
    ("chain_sha256", "链上数据摘要 SHA-256", "SHA-256 of what the chain says"),
)
TOTAL = ("合计", "Total")


def heading(column: Column, language: str) -> str:
    """A column's heading, with its unit."""
    zh, en = _UNITS.get(column.kind, ("", ""))
    return f"{column.zh}{zh}" if language == "zh" else f"{column.en}{en}"


def title(export: Export) -> str:
    """The report's title."""
    return export.report.zh if export.question.language == "zh" else export.report.en


def facts(export: Export) -> list[tuple[str, str]]:
    """What a report was read from, each with its heading."""
    anchor = export.anchor
    asked = {name: value for name, value in export.report.told(export.question).items() if value is not None}
    values = {
        **anchor,
        **anchor["contracts"],
        "report": title(export),
        "question": ", ".join(f"{name}={value}" for name, value in asked.items()),
        "moment": instant(anchor["moment"]),
    }
    return [(zh if export.question.language == "zh" else en, str(values[name])) for name, zh, en in _FACTS]


def number(column: Column, value: Any) -> Decimal | int | None:
    """A figure in the unit of its heading; None for what is no figure."""
    match column.kind:
        case "fen":
            return Decimal(value) / 100
        case "seconds":
            return round(Decimal(value) / 3600, 1)
        case "bps":
            return Decimal(value) / 10_000
        case "count":
            return int(value)
    return None


def written(column: Column, value: Any) -> str:
    """A cell for people's eyes: thousands are set apart."""
    if value is None:
        return "–"
    match column.kind:
        case "fen":
            return f"{Decimal(value) / 100:,.2f}"
        case "bps":
            return f"{Decimal(value) / 100:.2f}%"
        case "seconds":
            return f"{Decimal(value) / 3600:,.1f}"
        case "count":
            return str(value) if column.source == "key" else f"{value:,}"
        case "instant":
            return instant(value)
    return str(value)


def instant(value: int) -> str:
    """A moment in China, to the second."""
    return (datetime.fromtimestamp(value, UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S UTC+8")
