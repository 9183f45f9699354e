"""Overview (总览): where everything stands."""

from app.reports.figures import (
    APPLIED,
    ISSUED,
    REMAINING,
    RETURNED,
    USE_RATE,
    USED,
    located,
    places,
    put_names,
    share_bps,
    standing,
)
from app.reports.part import add
from app.reports.question import Reading, Report
from app.reports.sums import applied_up_to, chain_up_to
from app.reports.table import Table


def _read(reading: Reading) -> Table:
    question, session, point = reading.question, reading.session, reading.point
    columns = (*places(question.dimension), *APPLIED, *ISSUED, *USED, RETURNED, REMAINING, USE_RATE)
    sums = chain_up_to(session, question.part, point)
    add(sums, applied_up_to(session, question.part, point))
    rows = []
    for place, amounts in located(sums, question.dimension):
        figures = standing(amounts)
        applied = {column.name: amounts.get(column.name, 0) for column in APPLIED}
        rate = share_bps(figures["redeemed_fen"], figures["issued_fen"])
        rows.append({**place, **applied, **figures, "use_bps": rate})
    return Table(columns, put_names(reading, rows, question.dimension))


OVERVIEW = Report(
    name="overview",
    zh="总览",
    en="Overview",
    about_zh="各项目申领、发放、兑现、核销、退回与可用余额,可按周期、档次、地区、主体类型、服务商分列。",
    about_en="Applied, issued, redeemed, written off, returned and remaining; by programme, period, tier, region, "
    "kind of organisation or supplier. A voucher's region and kind are its holder's at issue.",
    takes=("dimension", "programme_id", "key", "as_of", "language"),
    read=_read,
)
