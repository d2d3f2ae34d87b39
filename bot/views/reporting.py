"""The window of `/servicetitan report`: overview, steps, engineers."""

from collections.abc import Callable, Iterator

from bot.core.english import count
from bot.core.mrkdwn import escape, mention
from bot.guide import Owner
from bot.onboarding.history import lasting
from bot.onboarding.reporting import EngineerTotals, Report, Spread, StepTotals
from bot.onboarding.reporting.period import Period
from bot.views import ids
from bot.views.blocks import Block, actions, button, context, header, section, sections
from bot.views.forms import View, notice

OVERVIEW = "overview"
WAITED = {Owner.CLIENT: "The client", Owner.HEAVYSET: "HeavySet", None: "Nobody (on hold)"}
MOST_ENGINEERS = 40
RULES = "Days and hours run by the calendar, nights and weekends included."


def report_modal(report: Report | None, period: Period, ref: ids.FormRef, page: str) -> View:
    """Return one of PAGES; if there is no report yet, a window that says so."""
    if report is None:
        blocks: list[Block] = [section("Adding it all up …")]
    else:
        blocks = [*PAGES[page][1](report), context(RULES), _turns(period, page)]
    return notice("Report", [header(period.title), *blocks], ref)


def _turns(period: Period, page: str) -> Block:
    return actions(
        [
            button(title, f"{ids.REPORT_PAGE}:{name}", str(period))
            for name, (title, _) in PAGES.items()
            if name != page
        ]
    )


def _overview(report: Report) -> Iterator[Block]:
    parts = [f"{report.started} started", f"{report.finished} went live"]
    if report.given_up:
        parts.append(f"{report.given_up} canceled")
    yield section(f"*{' · '.join(parts)}*")
    waiting = sum(case.waits_for_us for case in report.running)
    yield section(f"*In progress now*\n{len(report.running)}, {waiting} waiting on us")
    if report.to_live:
        yield section(f"*From start to live*\n{_spread(report.to_live)}")
        sides = (
            f"{WAITED[side]}: {_spread(found)}" for side, found in report.sides.items() if found
        )
        yield section("\n".join(["*Who it waited for*", *sides]))
    yield section("\n".join(["*First check*", *_checks(report)]))
    if (slowest := report.slowest) and slowest.took:
        yield section(f"*Slowest step*\n{_name(slowest)}: {_spread(slowest.took)}")


def _checks(report: Report) -> Iterator[str]:
    if report.pass_rate is None:
        yield "None yet"
        return
    passed, of = report.first_checks_passed, report.first_checks
    yield f"{passed} of {of} passed at once ({report.pass_rate:.0%})"
    for title, times in report.failures:
        yield f"•  {escape(title)}: {times}"


def _steps(report: Report) -> Iterator[Block]:
    reached = [step for step in report.steps if step.reached]
    if not reached:
        yield section("Nobody has gotten to a step yet.")
    yield from sections(map(_step, reached))


def _step(step: StepTotals) -> str:
    shares = (
        ("stuck", step.stuck),
        ("undone", step.undone),
        ("asked about", step.asked),
        ("handed over", step.handed_over),
    )
    happened = [f"{share:.0%} {what}" for what, share in shares if share]
    took = _spread(step.took) if step.took else "not done yet"
    return " · ".join([f"*{_name(step)}*\n{took}", *happened])


def _name(step: StepTotals) -> str:
    return f"{step.number}. {escape(step.title)}"


def _engineers(report: Report) -> Iterator[Block]:
    if not report.engineers:
        yield section("Nobody is responsible for an onboarding in progress.")
    yield from sections(map(_engineer, report.engineers[:MOST_ENGINEERS]))


def _engineer(one: EngineerTotals) -> str:
    answers = (
        f"{count(one.answers.count, 'question')} answered, median {lasting(one.answers.median)}"
        if one.answers
        else "no questions answered"
    )
    return f"{mention(one.user_id)}: {one.open} open, {one.waiting} waiting on them · {answers}"


def _spread(times: Spread) -> str:
    """Return the median and, for several, the 90th percentile: `3 days (90% within 5 days)`."""
    if times.count == 1:
        return lasting(times.median)
    return f"{lasting(times.median)} (90% within {lasting(times.p90)})"


PAGES: dict[str, tuple[str, Callable[[Report], Iterator[Block]]]] = {
    OVERVIEW: ("Overview", _overview),
    "steps": ("Steps", _steps),
    "engineers": ("Engineers", _engineers),
}
