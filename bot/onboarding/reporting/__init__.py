"""How onboardings went, all together: what `report` and the digest say (pure)."""

from bot.onboarding.reporting.case import Case, case_of
from bot.onboarding.reporting.summary import Summary, summary_of
from bot.onboarding.reporting.totals import EngineerTotals, Report, Spread, StepTotals, report_on

__all__ = [
    "Case",
    "EngineerTotals",
    "Report",
    "Spread",
    "StepTotals",
    "Summary",
    "case_of",
    "report_on",
    "summary_of",
]
