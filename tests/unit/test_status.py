"""The answers to the slash command."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.guide import Owner
from bot.onboarding import Overview, Status, Unread
from bot.views.blocks import EphemeralReply, fallback, section
from bot.views.command_help import help_answer
from bot.views.status import status_answer
from bot.views.status_query import StatusQuery
from sandbox.slack.block_kit import problems_of_blocks
from tests.builders import CHANNEL, ENGINEER, GUIDE, NOW, OLDER_GUIDE, ONBOARDING_ID, ROOT_TS

ACME = Overview(
    id=ONBOARDING_ID,
    guide=GUIDE,
    client_name="Acme Plumbing",
    channel=CHANNEL,
    thread_ts=ROOT_TS,
    engineer=ENGINEER,
    status=Status.ACTIVE,
    current_step=7,
    finished_steps=6,
    turn=Owner.CLIENT,
    turn_at=NOW - timedelta(hours=5),
    started_at=NOW - timedelta(days=2),
    active_at=NOW - timedelta(hours=3),
)


def status(*lines: Overview | Unread, in_channel: bool = False) -> EphemeralReply:
    query = None if in_channel else StatusQuery()
    return status_answer(
        lines,
        now=NOW,
        workspace_url="https://heavyset.slack.com/",
        query=query,
        notes={},
        risks={},
    )


def test_status_shows_step_progress_turn_and_last_activity() -> None:
    text = fallback(status(ACME, in_channel=True))

    assert "Acme Plumbing · 6 of 25 · step 7: Submit the Application" in text
    assert f"on the client for 5 hours\n<@{ENGINEER}> · last activity 3 hours ago" in text


def test_status_links_to_channel_and_thread() -> None:
    text = fallback(status(ACME, in_channel=True))

    assert (
        f"<#{CHANNEL}> · <https://heavyset.slack.com/archives/{CHANNEL}/p1795426200000100" in text
    )


def test_status_names_the_channel_before_there_is_a_thread() -> None:
    text = fallback(status(replace(ACME, thread_ts=None), in_channel=True))

    assert text.endswith(f"<#{CHANNEL}>")


def test_status_says_when_it_is_heavysets_turn() -> None:
    assert "waiting on us" in fallback(status(replace(ACME, turn=Owner.HEAVYSET)))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Status.PAUSED, "on hold"),
        (Status.COMPLETED, "completed"),
        (Status.CANCELLED, "canceled"),
    ],
)
def test_an_inactive_client_is_shown_with_its_state(state: Status, words: str) -> None:
    text = fallback(status(replace(ACME, status=state), in_channel=True))

    assert f"6 of 25 · {words}\n" in text
    assert "waiting on" not in text


@pytest.mark.parametrize("state", [Status.PAUSED, Status.CANCELLED])
def test_a_check_that_will_not_run_is_not_shown_as_running(state: Status) -> None:
    client = replace(ACME, verification="running")

    assert "check running" in fallback(status(client))
    assert "check running" not in fallback(status(replace(client, status=state)))


@pytest.mark.parametrize(
    ("count", "header"), [(1, "1 active onboarding"), (3, "3 active onboardings")]
)
def test_status_outside_client_channels_counts_all_active_clients(count: int, header: str) -> None:
    text = fallback(status(*[ACME] * count))

    assert text.startswith(f"{header}\n")
    assert text.count("Acme Plumbing") == count


def test_status_without_any_clients_explains_how_to_start_one() -> None:
    assert "`/servicetitan start Acme Plumbing`" in fallback(status())


def test_progress_on_an_older_guide_is_counted_by_that_guide() -> None:
    text = fallback(status(replace(ACME, guide=OLDER_GUIDE)))

    assert f"6 of {len(OLDER_GUIDE.steps)} ·" in text


def test_an_unreadable_onboarding_is_listed_with_the_others() -> None:
    unread = Unread("x", "Beta Heating", "unknown Loss “frozen”")

    text = fallback(status(unread, ACME, in_channel=True))

    assert "Beta Heating: this version of the bot can't read this onboarding" in text
    assert "unknown Loss “frozen”" in text
    assert "Acme Plumbing · 6 of 25" in text


def test_a_client_name_is_escaped_and_cannot_mention_anyone() -> None:
    text = fallback(status(replace(ACME, client_name="<!channel> & <@U1>")))

    assert "&lt;!channel&gt; &amp; &lt;@U1&gt;" in text


@pytest.mark.parametrize(
    "answer",
    [
        status(),
        status(ACME, in_channel=True),
        status(*[replace(ACME, client_name="&" * 80)] * 20),
        help_answer(),
        help_answer("I do not know “strat”. Did you mean “start”?"),
        [section("Done.")],
    ],
    ids=[
        "no clients",
        "in a client's channel",
        "many clients",
        "help",
        "help with a problem",
        "plain text",
    ],
)
def test_slack_accepts_every_answer(answer: EphemeralReply) -> None:
    assert problems_of_blocks(answer) == []
    assert 0 < len(fallback(answer)) <= 4000


def test_help_lists_the_commands_after_the_problem() -> None:
    text = fallback(help_answer("I do not know that."))

    assert text.startswith("I do not know that.\n")
    assert all(f"/servicetitan {word}" in text for word in ("start", "status", "help"))
