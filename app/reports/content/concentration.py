"""Concentration: how the subsidy is spread over suppliers (公平竞争)."""

from collections import defaultdict

from app.reports.figures import USCC, put_names, share_bps
from app.reports.part import Part
from app.reports.question import Reading, Report
from app.reports.sums import CHAIN
from app.reports.table import CHAIN as ON_CHAIN
from app.reports.table import NAME, Column, Row, Table, fen, key

_COLUMNS = (
    Column("rank", "count", ON_CHAIN, "名次", "Rank"),
    key("key", "hash", "算力服务商", "Supplier"),
    USCC,
    NAME,
    fen("redeemed_fen", "兑现净额", "Redeemed, less rejected"),
    Column("share_bps", "bps", ON_CHAIN, "占比", "Share"),
    Column("cumulative_bps", "bps", ON_CHAIN, "累计占比", "Together with those before"),
    Column("hhi", "count", ON_CHAIN, "HHI 贡献", "Part of the HHI", adds=True),
)


def _read(reading: Reading) -> Table:
    question = reading.question
    part = Part("suppliers", question.programme_id)
    amounts_fen: dict[str, int] = defaultdict(int)
    for (_, supplier), sums in CHAIN.between(reading.session, part, *question.days, reading.point).items():
        amounts_fen[supplier] += sums.get("redeemed_fen", 0) - sums.get("rejected_fen", 0)
    # More was rejected than redeemed in these days: no part of what was spent.
    spent = sorted((-amount_fen, supplier) for supplier, amount_fen in amounts_fen.items() if amount_fen > 0)
    whole = -sum(amount_fen for amount_fen, _ in spent)
    rows: list[Row] = []
    together = 0
    for rank, (negative_fen, supplier) in enumerate(spent, 1):
        amount_fen = -negative_fen
        together += amount_fen
        rows.append(
            {
                "rank": rank,
                "key": supplier,
                "redeemed_fen": amount_fen,
                "share_bps": share_bps(amount_fen, whole),
                "cumulative_bps": share_bps(together, whole),
                "hhi": amount_fen * amount_fen * 10_000 // (whole * whole),
            }
        )
    return Table(_COLUMNS, put_names(reading, rows, "suppliers"))


CONCENTRATION = Report(
    name="concentration",
    zh="服务商集中度",
    en="Concentration of suppliers",
    about_zh="补贴在算力服务商之间的分布;HHI 为各占比(%)平方之和,10,000 为独家。",
    about_en="How the subsidy is spread over suppliers. The HHI is the sum of the squares of the shares in percent: "
    "10,000 is one supplier alone.",
    takes=("first", "last", "programme_id", "as_of", "language"),
    read=_read,
)
