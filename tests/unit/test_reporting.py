"""The report: figures per onboarding and in total, checked against a slow, obvious count."""

import csv
import io
import json
from collections import defaultdict
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.stateful import invariant

from bot.cli.reporting.rendering import COLUMNS, harmless, render
from bot.guide import Owner
from bot.onboarding import Onboarding, Status, StepState, lifecycle
from bot.onboarding.credentials import enter_credentials
from bot.onboarding.questions import ask_for_help, mark_answered
from bot.onboarding.reporting import Case, Report, Spread, Summary, report_on, summary_of
from bot.onboarding.reporting.period import Period
from bot.onboarding.steps import hand_over_steps, skip_steps, undo_step
from bot.onboarding.verifications import finish_verification, request_verification
from tests.builders import ALL_FIELDS, GUIDE, NOW, a_client_admin, a_report, an_engineer
from tests.unit.test_history import HOUR, Progress
from tests.unit.test_onboarding_machine import AnOnboarding, Transition

ANN, ERIN = a_client_admin(), an_engineer()
DAY = timedelta(days=1)


def case_of(progress: Progress, client: str = "Acme", id_: str = "1") -> Case:
    onboarding = progress.onboarding
    summary = Summary.model_validate_json(summary_of(GUIDE, progress.events).model_dump_json())
    current = summary.up_to(progress.now)
    return Case(id_, client, onboarding.engineer, GUIDE, onboarding.status, current)


def live(days: int = 4) -> Progress:
    """An onboarding that went live on the last of these days."""
    masks = dict.fromkeys(ALL_FIELDS, "••••")
    progress = Progress().choose().then(lambda at, now: skip_steps(at, range(2, 22), ERIN, now))
    progress.then(lambda at, now: enter_credentials(at, 22, masks, ANN, now))
    checked(progress).then(lambda at, now: skip_steps(at, range(22, 25), ERIN, now))
    progress.then(lambda at, now: request_verification(at, ERIN, now), hours=24 * days - 4)
    return checked(progress)


def checked(progress: Progress) -> Progress:
    """Let the running check pass immediately."""
    run = progress.onboarding.verifications[-1]
    return progress.then(lambda at, now: finish_verification(at, run, a_report(), now), hours=0)


def test_step_durations_exclude_pauses() -> None:
    progress = Progress().choose()
    progress.then(lambda at, now: lifecycle.pause(at, ERIN, now), hours=2)
    progress.then(lambda at, now: lifecycle.resume(at, ERIN, now), hours=100)
    progress.finish(2, hours=3)

    case = case_of(progress)

    assert case.summary.took[2] == 5 * HOUR
    assert 2 in case.summary.done
    assert case.sides == {Owner.CLIENT: 6 * HOUR, Owner.HEAVYSET: 0 * HOUR, None: 100 * HOUR}
    assert (case.summary.current_step, case.summary.turn) == (3, Owner.CLIENT)
    assert case.running


def test_undos_questions_and_handovers_are_counted_at_their_step() -> None:
    progress = Progress().choose().finish(2).finish(3)
    progress.then(lambda at, now: undo_step(at, 3, ANN, now))
    progress.then(lambda at, now: ask_for_help(at, 3, "Where?", ANN, now))
    progress.then(lambda at, now: mark_answered(at, [1], ERIN, now), hours=4)
    progress.then(lambda at, now: hand_over_steps(at, 3, ANN, now))

    case = case_of(progress)

    summary = case.summary
    assert summary.undone == summary.asked == summary.handed_over == (3,)
    assert [(answer.by, answer.waited) for answer in summary.answers] == [(ERIN.user_id, 4 * HOUR)]
    assert case.waits_for_us  # the step was handed over


def test_a_period_counts_onboardings_that_started_or_ended_in_it() -> None:
    old, new = case_of(live(4), "Old", "1"), case_of(Progress().choose(), "New", "2")
    now = NOW + 10 * DAY

    everything = report_on([old, new], None, now)
    lately = report_on([old, new], NOW + 2 * DAY, now)
    later = report_on([old, new], NOW + 5 * DAY, now)

    assert (everything.started, everything.finished) == (2, 1)
    assert (lately.started, lately.finished, [case.client for case in lately.cases]) == (
        0,
        1,
        ["Old"],
    )
    assert (later.started, later.finished, later.cases) == (0, 0, [])
    assert [case.client for case in later.running] == ["New"]
    assert everything.to_live == Spread(1, 4 * DAY, 4 * DAY)


@given(st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=60))
def test_p90_is_the_smallest_value_that_covers_ninety_percent(seconds: list[int]) -> None:
    spread = Spread.of(timedelta(seconds=number) for number in seconds)

    assert spread
    enough = [
        number
        for number in seconds
        if sum(other <= number for other in seconds) * 10 >= 9 * len(seconds)
    ]
    assert spread.p90 == timedelta(seconds=min(enough))


class AReport(AnOnboarding):
    """Whatever people do, the events yield the same figures as watching it continuously."""

    def __init__(self) -> None:
        super().__init__()
        self.sides: dict[Owner | None, timedelta] = dict.fromkeys((*Owner, None), timedelta())
        self.steps: dict[int, timedelta] = defaultdict(timedelta)
        self.looked_at = NOW

    def attempt(self, transition: Transition) -> None:
        before, known = self.onboarding, len(self.events)
        super().attempt(transition)
        if len(self.events) > known:
            self._look(before, self.now)

    def _look(self, at: Onboarding, now: datetime) -> None:
        passed = max(now - self.looked_at, timedelta())
        self.looked_at += passed
        if at.status is Status.PAUSED:
            self.sides[None] += passed
        elif not at.finished_at and at.current and at.awaited:
            self.sides[at.awaited] += passed
            self.steps[at.current.number] += passed

    @invariant()
    def the_summary_matches_what_was_observed(self) -> None:
        at, now = self.onboarding, self.looked_at
        summary = summary_of(GUIDE, self.events)
        assert Summary.model_validate_json(summary.model_dump_json()) == summary
        summary = summary.up_to(now)
        case = Case("1", "Acme", "U", GUIDE, at.status, summary)
        assert case.sides == self.sides
        assert summary.took == {number: took for number, took in self.steps.items() if took}
        assert case.running is (case.ended_at is None)
        if case.running:
            done = {step.number for step in at.steps if step.state is StepState.DONE}
            assert summary.done == done
            assert summary.open_questions == len(at.open_questions)
            assert at.current
            assert summary.current_step == at.current.number
        else:
            assert case.took == sum(self.sides.values(), timedelta())


TestAReport = AReport.TestCase
TestAReport.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def report_on_clients(number: int) -> Report:
    """A report on clients, some with names that a spreadsheet would run as formulas."""
    names = ["=1+1", "+1 Plumbing", "-2", "@Home", "\t=1", "＝1+1", "Acme; =2", 'A "B", C', "Ann's"]
    cases = [case_of(live(2 + n), names[n % len(names)], str(n)) for n in range(number)]
    return report_on(cases, None, NOW + 90 * DAY)


def test_the_csv_export_contains_no_formulas() -> None:
    text = render(report_on_clients(9), Period(), "csv")

    rows = list(csv.reader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert {row[1] for row in rows[1:]} == {
        *("'=1+1", "'+1 Plumbing", "'-2", "'@Home", "'＝1+1", "Acme; =2", 'A "B", C', "Ann's"),
        "'\t=1",
    }
    assert all(line.startswith('"') for line in text.splitlines())


@pytest.mark.parametrize("cell", ["=1", " =1", "\n=1", "＋1", "|x", "%0A"])
def test_formula_cells_are_escaped_with_an_apostrophe(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


def test_each_format_has_the_same_figures() -> None:
    report = report_on_clients(3)

    told = json.loads(render(report, Period(), "json"))
    assert (told["started"], told["finished"], told["given_up"]) == (3, 3, 0)
    assert told["seconds_to_live"] == {"count": 3, "median": 3 * 86400, "p90": 4 * 86400}
    assert "3 days (90% within 4 days, of 3)" in render(report, Period(), "md")
    html = render(report, Period(), "html")
    assert "3 days (90% within 4 days, of 3)" in html
    assert html.count("<img ") == html.count("data:image/svg+xml") == 3
    assert "&lt;" not in html
    assert "http" not in html.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("typed", "days"),
    [("30d", 30), ("90 days", 90), ("last 7 days", 7), ("ALL", None), ("14", 14), ("1 day", 1)],
)
def test_periods_are_parsed_as_people_type_them(typed: str, days: int | None) -> None:
    assert Period.parse(typed) == Period(days)


@pytest.mark.parametrize("typed", ["", "0d", "soon", "-3d", "99999999d", "30x", "Acme"])
def test_invalid_periods_are_rejected(typed: str) -> None:
    assert Period.parse(typed) is None
