"""The app's Home tab: the order of clients on its board, and that it fits Slack's limits."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.guide import Owner
from bot.onboarding import Loss, Overview, Status, Unread
from bot.views.forms import View
from bot.views.home import MOST_SHOWN, Board, assign_modal, board_view, digest_of, outsiders_view
from bot.views.ids import FormRef
from sandbox.slack.block_kit import problems_of_view
from tests.builders import CHANNEL, ENGINEER, GUIDE, HOME_TEAM, NOW, OLDER_GUIDE, an_onboarding
from tests.unit.rendering import problems, texts

HOUR = timedelta(hours=1)


def an_overview(name: str = "Acme", **fields: Any) -> Overview:
    line = Overview(
        guide=GUIDE,
        id=name.casefold(),
        client_name=name,
        channel=CHANNEL,
        thread_ts="1700000000.000100",
        engineer="U_OTHER",
        status=Status.ACTIVE,
        current_step=3,
        finished_steps=2,
        turn=Owner.CLIENT,
        turn_at=NOW,
        started_at=NOW,
        active_at=NOW,
        missing_values=5,
    )
    return replace(line, **fields)


def a_board(
    *lines: Overview, count: int | None = None, stalled: tuple[str, ...] = (), **more: Any
) -> Board:
    url = "https://heavyset.slack.com/"
    return Board(ENGINEER, lines, count or len(lines), stalled, NOW, url, **more)


def home(*lines: Overview, **fields: Any) -> View:
    return board_view(a_board(*lines, **fields))


def words(view: View) -> str:
    return "\n".join(texts(view["blocks"]))


def in_order(view: View, *parts: str) -> bool:
    places = [words(view).index(part) for part in parts]
    return places == sorted(places)


def buttons_of(view: View) -> list[dict[str, Any]]:
    rows = [block for block in view["blocks"] if block["type"] == "actions"]
    return [button for row in rows for button in row["elements"]]


@pytest.mark.parametrize("count", [0, 1, MOST_SHOWN, 200])
def test_slack_accepts_the_home_tab_with_any_number_of_clients(count: int) -> None:
    phases = [step.number for step in GUIDE.steps]
    lines = [
        an_overview(
            "<!channel> & " + "x" * 60 + str(number),
            current_step=phases[number % len(phases)],
            exposed_values=number % 3,
            loss=Loss.ARCHIVED if number % 7 == 1 else None,
            status=Status.PAUSED if number % 5 == 1 else Status.ACTIVE,
        )
        for number in range(count)
    ]

    view = home(*lines, count=count * 5)

    assert problems_of_view(view, home=True) == []
    assert "<!channel>" not in words(view)


def test_clients_that_do_not_fit_are_counted() -> None:
    lines = [an_overview(f"Client {number}") for number in range(60)]

    view = home(*lines, count=75)

    assert "75 onboardings" in words(view)
    assert f"and {75 - MOST_SHOWN} more: `/servicetitan status`" in words(view)


def test_clients_waiting_on_us_come_first_then_quiet_then_by_phase() -> None:
    view = home(
        an_overview("Paula", status=Status.PAUSED),
        an_overview("Late", current_step=23, turn=Owner.HEAVYSET),
        an_overview("Early", current_step=1),
        an_overview("Asking", open_questions=1, active_at=NOW - HOUR),
        an_overview("Quiet"),
        stalled=("quiet",),
        questions={"asking": ["Which box is it?"]},
    )

    assert in_order(view, "Waiting on us", "Asking", "> Which box is it?", "Late")
    assert in_order(view, "Late", "gone quiet", "Quiet", "Phase 1", "Early", "Paused", "Paula")
    assert "waiting on us since" in words(view)


def test_own_clients_come_first_in_a_group_then_the_longest_idle() -> None:
    view = home(
        an_overview("Fresh"),
        an_overview("Idle", active_at=NOW - HOUR),
        an_overview("Mine", engineer=ENGINEER, active_at=NOW + HOUR),
    )

    assert in_order(view, "⭐ *Mine*", "*Idle*", "*Fresh*")
    assert "1 yours" in words(view)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"exposed_values": 2}, "2 credentials posted in the channel"),
        ({"open_questions": 1}, "1 open question"),
        (
            {"verification": "failed", "missing_values": 0},
            "Credential check failed (5 of 5 entered)",
        ),
        ({"status": Status.PAUSED, "loss": Loss.ARCHIVED}, "the channel was archived"),
    ],
)
def test_a_stuck_client_is_listed_with_the_reason(fields: dict[str, Any], why: str) -> None:
    assert in_order(home(an_overview(**fields)), "Acme", why)


def test_a_stalled_client_is_listed_as_gone_quiet() -> None:
    view = home(an_overview(), stalled=("acme",))

    assert in_order(view, "gone quiet", "Acme", "No activity since")
    assert "gone quiet" not in words(home(an_overview()))


def test_each_client_has_a_link_to_its_thread_and_two_buttons() -> None:
    *_, open_, remind, assign = buttons_of(home(an_overview()))

    assert open_["url"] == f"https://heavyset.slack.com/archives/{CHANNEL}/p1700000000000100"
    assert [(one["action_id"], one["value"]) for one in (remind, assign)] == [
        ("home_remind", "acme"),
        ("home_assign", "acme"),
    ]


def test_no_remind_button_when_paused_and_no_link_without_a_thread() -> None:
    view = home(an_overview(status=Status.PAUSED, thread_ts=None))

    assert [button["action_id"] for button in buttons_of(view)][4:] == ["home_assign"]


def test_progress_is_counted_by_the_guide_version_a_client_is_on() -> None:
    view = home(an_overview(guide=OLDER_GUIDE), an_overview("Beta"))

    assert in_order(view, "Acme", f"2 of {len(OLDER_GUIDE.steps)} ·")
    assert in_order(view, "Beta", "2 of 25 ·")


def test_an_unreadable_client_is_named_and_the_others_still_shown() -> None:
    board = replace(
        a_board(an_overview()), lines=[Unread("b", "Beta <1>", "unknown Loss “x”"), an_overview()]
    )

    view = board_view(replace(board, count=2))

    assert in_order(view, "Beta &lt;1&gt;", "can't read", "unknown Loss “x”", "Acme")
    assert problems_of_view(view, home=True) == []


def test_an_empty_board_says_how_to_start() -> None:
    assert "/servicetitan start" in words(home())


def test_the_home_digest_changes_with_progress_but_not_with_time() -> None:
    board = a_board(an_overview())

    later = board_view(replace(board, now=NOW + HOUR))
    other = board_view(a_board(an_overview(finished_steps=3)))
    digests = [digest_of(view) for view in (later, board_view(board), other)]

    assert digests[0] == digests[1] != digests[2]


def test_non_engineers_see_what_the_app_is_and_how_to_get_help() -> None:
    view = outsiders_view(GUIDE)

    assert problems_of_view(view, home=True) == []
    assert "ENGINEERS" in words(view)
    assert "I need help" in words(view)
    assert GUIDE.support.split()[0] in words(view)


def test_slack_accepts_the_assign_modal() -> None:
    ref = FormRef("", ENGINEER, HOME_TEAM, "an-onboarding")

    assert problems(assign_modal(an_onboarding(client_name="<!here> & Sons"), ref)) == []
