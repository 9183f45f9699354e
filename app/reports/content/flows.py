"""Flows: what happened day by day or month by month."""

from app.reports.figures import APPLIED, ISSUED, places, put_names
from app.reports.part import add
from app.reports.question import Reading, Report
from app.reports.sums import CHAIN, applied_by_span
from app.reports.table import Row, Table, count, fen, key

_HAPPENED = (
    count("redeemed", "兑现笔数", "Redeemed"),
    fen("redeemed_fen", "兑现金额", "Redeemed amount"),
    count("written_off", "核销笔数", "Written off"),
    fen("written_off_fen", "核销金额", "Written-off amount"),
    count("rejected", "驳回笔数", "Rejected"),
    fen("rejected_fen", "驳回金额", "Rejected amount"),
    count("recovered", "追回笔数", "Recoveries"),
    fen("recovered_fen", "追回金额", "Recovered"),
    count("returned", "退回笔数", "Returns"),
    fen("returned_fen", "退回预算金额", "Returned"),
)


def _read(reading: Reading) -> Table:
    question, dimension = reading.question, reading.question.dimension
    figures = (*APPLIED, *ISSUED, *_HAPPENED)
    span = key("span", "text", "日期" if question.by == "day" else "月份", question.by.capitalize())
    asked = (reading.session, question.part, *question.days, reading.point)
    found = CHAIN.by_span(*asked, by=question.by)
    for text, sums in applied_by_span(*asked, by=question.by).items():
        add(found.setdefault(text, {}), sums)
    rows: list[Row] = [
        {
            "span": text,
            "programme_id": number,
            **({} if dimension == "programmes" else {"key": value}),
            **{column.name: amounts.get(column.name, 0) for column in figures},
        }
        for text, sums in sorted(found.items())
        for (number, value), amounts in sorted(sums.items())
    ]
    return Table((span, *places(dimension), *figures), put_names(reading, rows, dimension))


FLOWS = Report(
    name="flows",
    zh="发生额",
    en="Flows",
    about_zh="按日或按月的申领、发放、兑现、核销、驳回、追回与退回发生额。",
    about_en="What was applied for, issued, redeemed, written off, rejected, recovered and returned in each day or "
    "month of China; a rejection counts on its own day. Months are taken whole.",
    takes=("dimension", "by", "first", "last", "programme_id", "key", "as_of", "language"),
    read=_read,
)
