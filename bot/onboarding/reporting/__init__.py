"""How onboardings went, all together: what `report` and the digest say (pure)."""

from bot.onboarding.reporting.case import Case as Case
from bot.onboarding.reporting.summary import Summary as Summary, summary_of as summary_of
from bot.onboarding.reporting.totals import (
    EngineerTotals as EngineerTotals,
    Report as Report,
    Spread as Spread,
    StepTotals as StepTotals,
    report_on as report_on,
)
