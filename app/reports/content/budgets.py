"""Budgets and what may still be asked of them (预算与最大可能负债)."""

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.indexer.models import Budget, Period, Programme
from app.indexer.rollups import NONE
from app.reports.figures import put_names, share_bps, standing
from app.reports.part import Part
from app.reports.point import Point
from app.reports.question import Reading, Report
from app.reports.sums import chain_up_to
from app.reports.table import CHAIN, NAME, PROGRAMME, Column, Row, Table, fen, key

COLUMNS = (
    PROGRAMME,
    NAME,
    key("budget", "count", "预算", "Budget"),
    fen("amount_fen", "预算金额", "Amount"),
    fen("reserved_fen", "已预留", "Reserved"),
    fen("provisional_fen", "已兑现待核销", "Redeemed, not written off"),
    fen("written_off_fen", "已核销", "Written off"),
    fen("recovered_fen", "已追回", "Recovered"),
    fen("available_fen", "可用预算", "Available"),
    fen("outstanding_fen", "有效券未用金额", "Still open on vouchers"),
    fen("liability_fen", "最大可能负债", "Possible liability"),
    Column("used_bps", "bps", CHAIN, "预算使用率", "Budget used"),
)


def _read(reading: Reading) -> Table:
    rows = money(reading.session, reading.question.programme_id, reading.point)
    return Table(COLUMNS, put_names(reading, rows, "programmes"))


def money(session: Session, programme_id: int | None, point: Point) -> list[Row]:
    """Where each budget stood at a point.

    What is open on a voucher draws on the budget of its period. One without a period draws on whatever is open then; it
    counts under the first budget of its programme. No more than a budget holds can be asked of it.
    """
    owners = _budget_of_periods(session)
    sums: dict[tuple[int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (number, period), amounts in chain_up_to(session, Part("periods", programme_id), point).items():
        budget = 0 if period == NONE else owners.get((number, int(period)), 0)
        line = sums[number, budget]
        for name, amount in {**standing(amounts), "reserved_fen": amounts.get("reserved_fen", 0)}.items():
            line[name] += amount
    query = (
        select(Budget.programme_id, Budget.index, Budget.amount_fen)
        .join(Programme, Programme.id == Budget.programme_id)
        .where(Programme.block_number <= point.block_number)
        .order_by(Budget.programme_id, Budget.index)
    )
    if programme_id is not None:
        query = query.where(Budget.programme_id == programme_id)
    return [_line(row[0], row[1], row[2], sums[row[0], row[1]]) for row in session.execute(query)]


def _line(programme_id: int, budget: int, amount_fen: int, sums: dict[str, int]) -> Row:
    spent_fen = sums["provisional_fen"] + sums["written_off_fen"] - sums["recovered_fen"]
    free_fen = amount_fen - spent_fen
    return {
        "programme_id": programme_id,
        "budget": budget,
        "amount_fen": amount_fen,
        "reserved_fen": sums["reserved_fen"],
        "provisional_fen": sums["provisional_fen"],
        "written_off_fen": sums["written_off_fen"],
        "recovered_fen": sums["recovered_fen"],
        "available_fen": free_fen - sums["reserved_fen"],
        "outstanding_fen": sums["remaining_fen"],
        "liability_fen": sums["provisional_fen"] + min(sums["remaining_fen"], free_fen),
        "used_bps": share_bps(spent_fen, amount_fen),
    }


def _budget_of_periods(session: Session) -> dict[tuple[int, int], int]:
    query = select(Period.programme_id, Period.index, Period.budget_index)
    return {(row[0], row[1]): row[2] for row in session.execute(query)}


BUDGETS = Report(
    name="budgets",
    zh="预算与负债",
    en="Budgets and liability",
    about_zh="各预算的预留、兑现、核销、追回与可用金额;最大可能负债 = 待核销金额 + 有效券未用金额(不超过预算余额)。",
    about_en="Where each budget stands: amount = reserved + redeemed + written off − recovered + available. Possible "
    "liability is what is owed and what valid vouchers may still claim, as far as the budget reaches.",
    takes=("programme_id", "as_of", "language"),
    read=_read,
)
