"""What `check all` shows when many clients fail, as after a new app version."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, product

import pytest

from bot.onboarding import Onboarding, Verification
from bot.onboarding.verification_report import Outcome, Report
from bot.views.check_all import ask_modal, names_of, result_message
from tests.builders import CAUSES, GUIDE, NOW, PLACEHOLDERS, a_report, an_onboarding, finding
from tests.unit.rendering import a_form_ref, problems, texts

# Slack counts the escaped name: each of these characters counts as five.
LONGEST_NAME = "&" * 80
FIXABLE = [cause for cause in CAUSES if GUIDE.checks.remedy(cause)]
URL = "https://heavyset.slack.com/"


def failing(*causes: str) -> tuple[Onboarding, Verification]:
    """A client whose check found these causes."""
    checks = tuple(finding("permissions", cause, "HTTP 403", **PLACEHOLDERS) for cause in causes)
    report = replace_checks(a_report(Outcome.FAILED), checks)
    onboarding = an_onboarding(at_step=25, client_name=LONGEST_NAME, report=report)
    run = onboarding.last_verdict
    assert run
    return replace(onboarding, thread_ts="1770000000.000100"), run


def replace_checks(report: Report, checks: Sequence[object]) -> Report:
    return report.model_copy(update={"checks": tuple(checks)})


@pytest.mark.parametrize(
    ("identical", "different"), [(40, 0), (0, 40), (40, 60)], ids=["same", "all different", "mixed"]
)
def test_slack_accepts_the_result_of_any_round(identical: int, different: int) -> None:
    clients = [failing("scopes_missing")] * identical
    clients += [failing(*pair) for pair in islice(product(FIXABLE, FIXABLE), different)]

    message = result_message("r1", "U0ERIN", NOW, clients, URL)

    assert problems(message) == []


def test_slack_accepts_the_form_that_asks_many_clients() -> None:
    clients = [failing("scopes_missing")] * 40
    form = a_form_ref(clients[0][0], 0, ("scopes_missing",))

    view = ask_modal(form, clients, [client for client, _ in clients])

    assert problems(view) == []


def test_clients_left_out_of_the_result_are_counted() -> None:
    different = [failing(*pair) for pair in islice(product(FIXABLE, FIXABLE), 60)]

    shown = "\n".join(texts(result_message("r1", "U0ERIN", NOW, different, URL).blocks))

    assert "0 of 60 live clients passed" in shown
    assert "and 50 more clients with other problems" in shown


def test_a_long_list_of_names_is_cut_off_with_a_count() -> None:
    clients = [an_onboarding(client_name=f"Client {n}") for n in range(400)]

    assert names_of(clients[:2]) == "Client 0 and Client 1"
    assert len(names_of(clients)) < 3000
    assert names_of(clients).endswith(" more")
