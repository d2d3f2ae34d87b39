"""Renders a report as Markdown, CSV, JSON or HTML. The counting rules are in docs/report.md."""

import csv
import io
import json
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.cli.reporting.charts import charts
from bot.cli.templates import environment
from bot.core.typed_text import escape_controls
from bot.guide import Owner
from bot.onboarding import Status
from bot.onboarding.history import SIDES, lasting
from bot.onboarding.reporting import Case, Report, Spread
from bot.onboarding.reporting.period import Period

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WAITED = {
    Owner.CLIENT: "Waiting on the client",
    Owner.HEAVYSET: "Waiting on HeavySet",
    None: "On hold",
}
STATUS = {
    Status.ACTIVE: "active",
    Status.PAUSED: "on hold",
    Status.COMPLETED: "live",
    Status.CANCELLED: "canceled",
}
# Spreadsheets treat a cell that starts with one of these as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def render(report: Report, period: Period, format_: str) -> str:
    """Return the file's content as md, html, csv or json."""
    if format_ == "csv":
        text = _csv(report)
    elif format_ == "json":
        text = _json(report, period)
    else:
        template = environment("bot.cli.reporting").get_template(f"report.{format_}")
        text = template.render(_facts(report, period))
    return escape_controls(text)


def _facts(report: Report, period: Period) -> Mapping[str, Any]:
    return {
        "title": period.title,
        "until": f"{report.until:%Y-%m-%d %H:%M} UTC",
        "report": report,
        "waiting": sum(case.waits_for_us for case in report.running),
        "sides": [(WAITED[side], found) for side, found in report.sides.items()],
        "status": STATUS,
        "spread": _spread,
        "lasting": lasting,
        "charts": charts,
    }


def _spread(times: Spread | None) -> str:
    if times is None:
        return "—"
    return f"{lasting(times.median)} (90% within {lasting(times.p90)}, of {times.count})"


def _csv(report: Report) -> str:
    """Return a row for each client; all cells are quoted, and none is a formula."""
    file = io.StringIO()
    rows = [_row(case) for case in report.cases]
    writer = csv.DictWriter(file, COLUMNS, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: harmless(cell) for name, cell in row.items()} for row in rows)
    return file.getvalue()


def harmless(cell: object) -> str:
    """Return a cell's text, after an apostrophe if a spreadsheet would treat it as a formula."""
    text = str(cell) if cell is not None else ""
    start = unicodedata.normalize("NFKC", text).lstrip()
    return f"'{text}" if text.startswith(FORMULA) or start.startswith(FORMULA) else text


COLUMNS = (
    *("onboarding", "client", "engineer", "guide", "status", "started_at", "ended_at"),
    *("days_to_live", "hours_client", "hours_heavyset", "hours_paused"),
    *("current_step", "waiting_on_us", "open_questions", "questions_answered"),
    *("checks", "first_check", "first_check_failed"),
)


def _row(case: Case) -> dict[str, object]:
    summary = case.summary
    return {
        "onboarding": case.id,
        "client": case.client,
        "engineer": case.engineer,
        "guide": f"{case.guide.id} {case.guide.version}",
        "status": case.status.value,
        "started_at": _iso(case.started_at),
        "ended_at": _iso(case.ended_at),
        "days_to_live": _number(case.took if case.is_live else None, DAY),
        "hours_client": _number(case.sides[Owner.CLIENT], HOUR),
        "hours_heavyset": _number(case.sides[Owner.HEAVYSET], HOUR),
        "hours_paused": _number(case.sides[None], HOUR),
        "current_step": None if summary.over else summary.current_step,
        "waiting_on_us": "yes" if case.waits_for_us else "no",
        "open_questions": 0 if summary.over else summary.open_questions,
        "questions_answered": len(summary.answers),
        "checks": summary.checks,
        "first_check": summary.first_check.value if summary.first_check else None,
        "first_check_failed": "; ".join(summary.failed_checks),
    }


def _json(report: Report, period: Period) -> str:
    content = {
        "period": str(period),
        "since": _iso(report.since),
        "until": _iso(report.until),
        "started": report.started,
        "finished": report.finished,
        "given_up": report.given_up,
        "running": len(report.running),
        "waiting_on_us": sum(case.waits_for_us for case in report.running),
        "seconds_to_live": _seconds(report.to_live),
        "seconds_waited_for": {
            SIDES[side]: _seconds(found) for side, found in report.sides.items()
        },
        "first_checks": report.first_checks,
        "first_checks_passed": report.first_checks_passed,
        "first_check_failures": dict(report.failures),
        "steps": [
            {
                "number": step.number,
                "title": step.title,
                "reached": step.reached,
                "seconds": _seconds(step.took),
                "stuck": round(step.stuck, 4),
                "undone": round(step.undone, 4),
                "asked_about": round(step.asked, 4),
                "handed_over": round(step.handed_over, 4),
            }
            for step in report.steps
        ],
        "engineers": [
            {
                "user": one.user_id,
                "open": one.open,
                "waiting_on_them": one.waiting,
                "seconds_to_answer": _seconds(one.answers),
            }
            for one in report.engineers
        ],
        "onboardings": [_row(case) for case in report.cases],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _seconds(times: Spread | None) -> Mapping[str, int] | None:
    if times is None:
        return None
    median, p90 = (round(time.total_seconds()) for time in (times.median, times.p90))
    return {"count": times.count, "median": median, "p90": p90}


def _number(time: timedelta | None, unit: timedelta) -> float | None:
    return None if time is None else round(time / unit, 2)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
