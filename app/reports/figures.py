"""Columns that several reports share, and the figures of sums."""

from collections.abc import Iterable, Mapping

from app.reports.names import names, organisations
from app.reports.part import Sums
from app.reports.question import Reading
from app.reports.table import NAME, PROGRAMME, SERVICE, Column, Row, count, fen, key, label

DIMENSIONS = {
    "programmes": ("项目", "Programme"),
    "periods": ("资金周期", "Period"),
    "tiers": ("档次", "Tier"),
    "regions": ("地区", "Region"),
    "kinds": ("主体类型", "Kind of organisation"),
    "suppliers": ("算力服务商", "Supplier"),
}
"""Headings of the column `key`."""
APPLIED = (
    count("applied", "申领数", "Applied", source=SERVICE),
    fen("applied_fen", "申领金额", "Applied for", source=SERVICE),
    count("approved", "审核通过数", "Approved", source=SERVICE),
    fen("approved_fen", "审核通过金额", "Approved amount", source=SERVICE),
)
ISSUED = (count("issued", "发放数", "Issued"), fen("issued_fen", "发放金额", "Issued amount"))
USED = (
    count("redeemed", "兑现笔数", "Redeemed"),
    fen("redeemed_fen", "兑现金额", "Redeemed amount"),
    fen("provisional_fen", "待核销金额", "Not yet written off"),
    count("written_off", "核销笔数", "Written off"),
    fen("written_off_fen", "核销金额", "Written-off amount"),
    count("rejected", "驳回笔数", "Rejected"),
    fen("rejected_fen", "驳回金额", "Rejected amount"),
    fen("recovered_fen", "追回金额", "Recovered"),
)
RETURNED = fen("returned_fen", "退回预算金额", "Returned")
REMAINING = fen("remaining_fen", "可用余额", "Remaining")
USE_RATE = Column("use_bps", "bps", "chain", "使用率", "Use rate")
USCC = label("uscc", "统一社会信用代码", "USCC")


def standing(amounts: Mapping[str, int]) -> dict[str, int]:
    """Redemptions count while they stand: those that were rejected are told apart."""
    get = amounts.get
    redeemed_fen = get("redeemed_fen", 0) - get("rejected_fen", 0)
    return {
        "issued": get("issued", 0),
        "issued_fen": get("issued_fen", 0),
        "redeemed": get("redeemed", 0) - get("rejected", 0),
        "redeemed_fen": redeemed_fen,
        "provisional_fen": redeemed_fen - get("written_off_fen", 0),
        "written_off": get("written_off", 0),
        "written_off_fen": get("written_off_fen", 0),
        "rejected": get("rejected", 0),
        "rejected_fen": get("rejected_fen", 0),
        "recovered_fen": get("recovered_fen", 0),
        "returned_fen": get("returned_fen", 0),
        "remaining_fen": get("left_fen", 0),
    }


def share_bps(part: int, whole: int) -> int | None:
    """A share in basis points, rounded down; None of nothing."""
    return part * 10_000 // whole if whole else None


def places(dimension: str) -> tuple[Column, ...]:
    """Columns that say what a row is about."""
    zh, en = DIMENSIONS[dimension]
    if dimension == "programmes":
        return PROGRAMME, NAME
    found = (PROGRAMME, key("key", "hash" if dimension == "suppliers" else "text", zh, en))
    return (*found, USCC, NAME) if dimension == "suppliers" else (*found, NAME)


def put_names(reading: Reading, rows: Iterable[Row], dimension: str) -> list[Row]:
    """The rows with names beside their keys."""
    found = list(rows)
    if dimension == "suppliers":
        known = organisations(reading.session, {row["key"] for row in found})
        for row in found:
            row["uscc"], row["name"] = known.get(row["key"], (None, None))
        return found
    at = [(row["programme_id"], row.get("key", "")) for row in found]
    texts = names(reading.session, dimension, at, reading.question.language)
    for row in found:
        number, value = row["programme_id"], row.get("key", str(row["programme_id"]))
        row["name"] = texts.get(f"{number}/{value}" if dimension == "periods" else value)
    return found


def located(sums: Sums, dimension: str) -> list[tuple[Row, dict[str, int]]]:
    """Keys of rows and their amounts, in order."""
    return [
        ({"programme_id": number} if dimension == "programmes" else {"programme_id": number, "key": value}, amounts)
        for (number, value), amounts in sorted(sums.items())
    ]
