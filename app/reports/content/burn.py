"""Burn: how each programme's budgets were used up, month by month or day by day."""

from collections import defaultdict

from app.reports.content.budgets import money
from app.reports.figures import put_names, share_bps
from app.reports.part import Part
from app.reports.question import Reading, Report
from app.reports.sums import CHAIN as SUMS
from app.reports.table import CHAIN, NAME, PROGRAMME, Column, Row, Table, fen, key

_FIGURES = (
    fen("opening_fen", "期初可用预算", "Opening", adds=False),
    fen("reserved_fen", "预留增减", "Change of reserves"),
    fen("redeemed_fen", "兑现", "Redeemed"),
    fen("rejected_fen", "驳回", "Rejected"),
    fen("recovered_fen", "追回", "Recovered"),
    fen("closing_fen", "期末可用预算", "Closing", adds=False),
    fen("written_off_fen", "核销", "Written off"),
    Column("used_bps", "bps", CHAIN, "预算使用率", "Budget used"),
)


def _read(reading: Reading) -> Table:
    question, session, point = reading.question, reading.session, reading.point
    span = key("span", "text", "日期" if question.by == "day" else "月份", question.by.capitalize())
    part = Part("programmes", question.programme_id)
    amounts_fen: dict[int, int] = defaultdict(int)
    for line in money(session, question.programme_id, point):
        amounts_fen[line["programme_id"]] += line["amount_fen"]
    first, last = question.days
    free = {
        number: amounts_fen[number] - _taken(sums)
        for (number, _), sums in SUMS.before(session, part, first, point, by=question.by).items()
    }
    rows: list[Row] = []
    for text, found in sorted(SUMS.by_span(session, part, first, last, point, by=question.by).items()):
        for (number, _), sums in sorted(found.items()):
            opening_fen = free.get(number, amounts_fen[number])
            free[number] = opening_fen - _taken(sums)
            used_fen = amounts_fen[number] - free[number]
            rows.append(
                {
                    "span": text,
                    "programme_id": number,
                    "opening_fen": opening_fen,
                    **{name: sums.get(name, 0) for name in ("reserved_fen", "redeemed_fen", "rejected_fen")},
                    **{name: sums.get(name, 0) for name in ("recovered_fen", "written_off_fen")},
                    "closing_fen": free[number],
                    "used_bps": share_bps(used_fen, amounts_fen[number]),
                }
            )
    return Table((span, PROGRAMME, NAME, *_FIGURES), put_names(reading, rows, "programmes"))


def _taken(sums: dict[str, int]) -> int:
    """What left the budgets, reserves included, less what came back."""
    redeemed_fen = sums.get("redeemed_fen", 0) - sums.get("rejected_fen", 0)
    return redeemed_fen + sums.get("reserved_fen", 0) - sums.get("recovered_fen", 0)


BURN = Report(
    name="burn",
    zh="预算执行进度",
    en="Budget burn",
    about_zh="各项目预算逐月(逐日)执行:期末 = 期初 − 预留增减 − 兑现 + 驳回 + 追回。使用率含预留。",
    about_en="How budgets were used up: closing = opening − change of reserves − redeemed + rejected + recovered. What "
    "is reserved counts as used.",
    takes=("by", "first", "last", "programme_id", "as_of", "language"),
    read=_read,
)
