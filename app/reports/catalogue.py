"""All reports."""

from app.reports.content.budgets import BUDGETS
from app.reports.content.burn import BURN
from app.reports.content.concentration import CONCENTRATION
from app.reports.content.effect import EFFECT
from app.reports.content.flows import FLOWS
from app.reports.content.overview import OVERVIEW
from app.reports.content.progress import PROGRESS, STAGES
from app.reports.content.refusals import REFUSALS
from app.reports.content.suppliers import STATEMENT, SUPPLIERS
from app.reports.content.voucher import VOUCHER
from app.reports.question import Report

_ALL = (
    OVERVIEW,
    FLOWS,
    BUDGETS,
    BURN,
    PROGRESS,
    STAGES,
    SUPPLIERS,
    STATEMENT,
    CONCENTRATION,
    REFUSALS,
    EFFECT,
    VOUCHER,
)
REPORTS: dict[str, Report] = {report.name: report for report in _ALL}
"""By name, in the order in which they are shown."""
