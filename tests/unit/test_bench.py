"""How the benchmark reports its measurements: when a figure is shown, and the page."""

import pytest

from tests.bench.figures import MAX_SLOWDOWN, Figure, p50_and_p99
from tests.bench.page import PAGE, PAGE_JSON, cell, page
from tests.bench.report import PartReport, Report
from tests.bench.sampling import cumulative, own
from tests.bench.soak.samples import Sample, p99, read
from tests.bench.soak.verdict import checks

STEADY, NOISY = 1.0, MAX_SLOWDOWN + 0.1


def a_figure(*rounds: float, against: tuple[float, ...] = (), aim: float = 0.5) -> Figure:
    return Figure(what="a", unit="ms", rounds=rounds, against=against, aim=aim, tolerance=1.25)


@pytest.mark.parametrize(
    ("figure", "slowdown", "shown"),
    [
        (a_figure(4, 5, 6, against=(10, 10, 12)), STEADY, "0.50 × (0.40–0.50), 5 ms"),
        (a_figure(4, 8, 9, against=(10, 10, 12)), STEADY, "**0.75 × (0.40–0.80), 8 ms**"),
        (a_figure(70, 92, 100, against=(80,), aim=1.15), STEADY, "1.15 × (0.88–1.25), 92 ms"),
        (a_figure(0.4), STEADY, "0.40 ms"),
        (a_figure(4, 5, against=(10, 13)), STEADY, "too noisy to tell"),
        (a_figure(4, 5, against=(10, 10)), NOISY, "too noisy to tell"),
    ],
)
def test_a_figure_is_shown_with_its_spread_unless_too_noisy(
    figure: Figure, slowdown: float, shown: str
) -> None:
    assert cell(figure, slowdown) == shown


def test_a_count_is_unaffected_by_noise_and_can_have_a_minimum() -> None:
    count = Figure(what="clients", rounds=(40,), aim=30, at_least=True)

    assert cell(count, NOISY) == "40"


def test_each_round_is_compared_with_its_paired_round() -> None:
    bot, stock = [[0.005] * 100, [0.010] * 100], [[0.010] * 100, [0.020] * 98 + [0.040] * 2]

    middle, tail = p50_and_p99("a press", "SQLite", bot, stock, (0.45, 0.8))

    assert list(middle.ratios) == [0.5, 0.5]
    assert list(tail.ratios) == [0.5, 0.25]
    assert (middle.is_met, tail.is_met) == (False, True)


def test_the_committed_page_matches_its_json() -> None:
    report = Report.model_validate_json(PAGE_JSON.read_text(encoding="utf-8"))

    assert PAGE.read_text(encoding="utf-8") == page(report)


def test_a_failed_part_is_on_the_page_with_its_partial_results() -> None:
    report = Report.model_validate_json(PAGE_JSON.read_text(encoding="utf-8"))
    broken = PartReport(
        name="x", title="A part", about="", figures=[a_figure(1.0)], problem="TimeoutError"
    )

    made = page(report.model_copy(update={"parts": [broken]}))

    assert "## A part" in made
    assert "| a | **1 ms** | ≤ 0.5 ms |" in made
    assert "**Not measured to the end:** TimeoutError" in made
    assert "- A part: a" in made


def test_a_remeasured_part_replaces_the_earlier_one() -> None:
    report = Report.model_validate_json(PAGE_JSON.read_text(encoding="utf-8"))
    again = report.parts[1].model_copy(update={"figures": [a_figure(3.0)], "problem": ""})

    both = report.with_parts_of(report.model_copy(update={"parts": [again]}))

    assert [part.name for part in both.parts] == [part.name for part in report.parts]
    assert both.parts[1] == again


def test_own_and_cumulative_samples_are_counted_from_stacks() -> None:
    stacks = {"main;press;commit": 6, "main;press": 1, "main;press;press": 3}

    assert own(stacks).most_common() == [("commit", 6), ("press", 4)]
    assert cumulative(stacks) == {"main": 10, "press": 10, "commit": 6}


METRICS = """
# TYPE onboarding_tasks gauge
onboarding_tasks 7.0
# TYPE onboarding_loop_lag_seconds histogram
onboarding_loop_lag_seconds_bucket{le="0.01"} 100.0
onboarding_loop_lag_seconds_bucket{le="0.02"} 199.0
onboarding_loop_lag_seconds_bucket{le="+Inf"} 200.0
"""


def test_event_loop_lag_is_read_from_the_metrics() -> None:
    tasks, lags = read(METRICS)

    assert tasks == 7
    assert p99({}, lags) == 0.02
    assert p99({0.01: 0.0, 0.02: 99.0, float("inf"): 100.0}, lags) == 0.01


def a_sample(phase: str, **values: float) -> Sample:
    usual = {"memory": 100.0, "files": 20, "tasks": 7, "behind": 0, "missed": 0} | values
    return Sample(at=0, phase=phase, lag_p99=0.001, acks=[0.01], calls=1, refused=0, **usual)  # type: ignore[arg-type]


def test_a_soak_passes_only_without_leaks_backlog_or_missed_requests() -> None:
    idle, work = a_sample("idle"), a_sample("work", tasks=20, files=25, behind=9)
    healthy = [idle, work, work, work, idle]
    leaks = {
        "memory is flat": [idle, work, work, a_sample("work", memory=120.0), idle],
        "files are closed": [idle, work, a_sample("idle", files=60)],
        "no task is left": [idle, work, a_sample("idle", tasks=8)],
        "Slack shows everything": [idle, work, a_sample("idle", behind=1)],
        "every request": [idle, a_sample("work", missed=1), idle],
    }

    assert all(check.passed for check in checks(healthy))
    for title, samples in leaks.items():
        (failed,) = [check.title for check in checks(samples) if not check.passed]
        assert failed.startswith(title)
