"""Effect after the subsidy (用得上、用得好), as enterprises report it, beside the use of their programme's vouchers."""

from collections import defaultdict
from collections.abc import Iterable

from app.effects.models import EffectReport
from app.effects.repository import newest
from app.reports.figures import put_names, share_bps, standing
from app.reports.part import Part
from app.reports.question import Reading, Report
from app.reports.sums import chain_up_to
from app.reports.table import NAME, PROGRAMME, SERVICE, Column, Row, Table, count, fen, key, label

FIELDS = {
    "large_model": "大模型",
    "manufacturing": "制造",
    "health": "医疗",
    "finance": "金融",
    "transport": "交通",
    "education": "教育",
    "science": "科研",
    "government": "政务",
    "media": "文化传媒",
    "energy": "能源",
    "agriculture": "农业",
    "other": "其他",
}
"""Application fields in Chinese."""
_COLUMNS = (
    PROGRAMME,
    NAME,
    key("year", "count", "年度", "Year"),
    key("field", "text", "应用领域", "Field"),
    label("field_name", "领域名称", "Name of the field"),
    count("organisations", "填报单位数", "Organisations", source=SERVICE),
    Column("capacity_tflops", "count", SERVICE, "算力规模(TFLOPS)", "Capacity (TFLOPS)", adds=True),
    Column("capacity_change_bps", "bps", SERVICE, "算力规模变化", "Change of capacity"),
    fen("revenue_fen", "营业收入", "Revenue", source=SERVICE),
    Column("revenue_change_bps", "bps", SERVICE, "营业收入变化", "Change of revenue"),
    Column("use_bps", "bps", SERVICE, "项目使用率", "Use rate of the programme"),
)


def _read(reading: Reading) -> Table:
    question, session = reading.question, reading.session
    query = newest()
    if question.programme_id is not None:
        query = query.where(EffectReport.programme_id == question.programme_id)
    groups: dict[tuple[int, int, str], list[EffectReport]] = defaultdict(list)
    for report in session.scalars(query):
        groups[report.programme_id, report.year, report.field].append(report)
    used = chain_up_to(session, Part("programmes", question.programme_id), reading.point)
    rows: list[Row] = []
    for (number, year, field), reports in sorted(groups.items()):
        figures = standing(used.get((number, str(number)), {}))
        rows.append(
            {
                "programme_id": number,
                "year": year,
                "field": field,
                "field_name": FIELDS.get(field, field) if question.language == "zh" else field.replace("_", " "),
                "organisations": len(reports),
                "capacity_tflops": sum(one.capacity_tflops for one in reports),
                "capacity_change_bps": _change((one.capacity_before_tflops, one.capacity_tflops) for one in reports),
                "revenue_fen": sum(one.revenue_fen for one in reports),
                "revenue_change_bps": _change((one.revenue_before_fen, one.revenue_fen) for one in reports),
                "use_bps": share_bps(figures["redeemed_fen"], figures["issued_fen"]),
            }
        )
    return Table(_COLUMNS, put_names(reading, rows, "programmes"))


def _change(pairs: Iterable[tuple[int | None, int]]) -> int | None:
    """Growth in basis points over those that stated both years; None where nobody did."""
    stated = [(before, after) for before, after in pairs if before is not None]
    whole = sum(before for before, _ in stated)
    return share_bps(sum(after for _, after in stated) - whole, whole)


EFFECT = Report(
    name="effect",
    zh="补贴成效",
    en="Effect after the subsidy",
    about_zh="企业填报的应用领域、算力规模与营业收入变化,以及项目算力券使用率;数据由企业自报。",
    about_en="Application field, capacity and revenue as enterprises report them, against the year before the first "
    "subsidy, and the use rate of the programme's vouchers. Corrections replace what they correct: there is no as-of.",
    takes=("programme_id", "language"),
    read=_read,
)
