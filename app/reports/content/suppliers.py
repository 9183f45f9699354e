"""Suppliers' reserve ledger (备用金): what each is owed and was paid, over a stretch of days or span by span."""

from app.reports.figures import places, put_names
from app.reports.part import Part, Sums
from app.reports.question import Reading, Report
from app.reports.sums import CHAIN
from app.reports.table import Row, Table, count, fen, key

_OPENING = fen("opening_fen", "期初备用金余额", "Opening balance")
_MOVED = (
    count("redeemed", "兑现笔数", "Redeemed"),
    fen("redeemed_fen", "兑现(计入)", "Redeemed: owed"),
    fen("rejected_fen", "驳回(冲减)", "Rejected: not owed"),
    fen("settled_fen", "核销(付讫)", "Written off: paid"),
)
_CLOSING = fen("closing_fen", "期末备用金余额", "Closing balance")
_AFTER = (fen("recovered_fen", "追回", "Recovered"), fen("net_fen", "净兑付", "Paid less recovered"))


def _suppliers(reading: Reading) -> Table:
    question, session, point = reading.question, reading.session, reading.point
    part = Part("suppliers", question.programme_id)
    first, last = question.days
    opening = CHAIN.before(session, part, first, point, by="day")
    moved = CHAIN.between(session, part, first, last, point)
    rows = []
    for number, supplier in sorted(opening.keys() | moved.keys()):
        place = (number, supplier)
        line = _line(_balance(opening.get(place, {})), moved.get(place, {}))
        rows.append({"programme_id": number, "key": supplier, **line})
    columns = (*places("suppliers"), _OPENING, *_MOVED, _CLOSING, *_AFTER)
    return Table(columns, put_names(reading, rows, "suppliers"))


def _statement(reading: Reading) -> Table:
    question, session, point = reading.question, reading.session, reading.point
    part = Part("suppliers", question.programme_id, question.supplier)
    first, last = question.days
    before: Sums = CHAIN.before(session, part, first, point, by=question.by)
    balances = {number: _balance(amounts) for (number, _), amounts in before.items()}
    rows: list[Row] = []
    for text, sums in sorted(CHAIN.by_span(session, part, first, last, point, by=question.by).items()):
        for (number, supplier), amounts in sorted(sums.items()):
            line = _line(balances.get(number, 0), amounts)
            balances[number] = line["closing_fen"]
            rows.append({"span": text, "programme_id": number, "key": supplier, **line})
    span = key("span", "text", "日期" if question.by == "day" else "月份", question.by.capitalize())
    balance = [fen(one.name, one.zh, one.en, adds=False) for one in (_OPENING, _CLOSING)]
    columns = (span, *places("suppliers"), balance[0], *_MOVED, balance[1], *_AFTER)
    return Table(columns, put_names(reading, rows, "suppliers"))


def _balance(amounts: dict[str, int]) -> int:
    """What is owed: redeemed, and neither rejected nor written off."""
    owed_fen = amounts.get("redeemed_fen", 0) - amounts.get("rejected_fen", 0)
    return owed_fen - amounts.get("written_off_fen", 0)


def _line(opening_fen: int, amounts: dict[str, int]) -> Row:
    return {
        "opening_fen": opening_fen,
        "redeemed": amounts.get("redeemed", 0),
        "redeemed_fen": amounts.get("redeemed_fen", 0),
        "rejected_fen": amounts.get("rejected_fen", 0),
        "settled_fen": amounts.get("written_off_fen", 0),
        "closing_fen": opening_fen + _balance(amounts),
        "recovered_fen": amounts.get("recovered_fen", 0),
        "net_fen": amounts.get("written_off_fen", 0) - amounts.get("recovered_fen", 0),
    }


SUPPLIERS = Report(
    name="suppliers",
    zh="服务商备用金台账",
    en="Suppliers' reserve ledger",
    about_zh="各算力服务商备用金:期末 = 期初 + 兑现 − 驳回 − 核销;追回另列。",
    about_en="What each supplier is owed: closing = opening + redeemed − rejected − written off. Recoveries follow "
    "payment and stand apart.",
    takes=("first", "last", "programme_id", "as_of", "language"),
    read=_suppliers,
)
STATEMENT = Report(
    name="statement",
    zh="服务商对账单",
    en="Supplier's statement",
    about_zh="一家算力服务商的备用金对账单,逐月或逐日。",
    about_en="The reserve ledger of one supplier, month by month or day by day.",
    takes=("supplier", "by", "first", "last", "programme_id", "as_of", "language"),
    needs=("supplier",),
    read=_statement,
    own=True,
)
