"""Slack's markup: user text is shown verbatim; links, times, and lists read naturally."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from bot.core.english import ago, listed
from bot.core.mrkdwn import channel_link, escape, link, mention, permalink, plain, when
from bot.core.typed_text import CONTROLS
from tests.builders import NOW


@pytest.mark.parametrize(
    ("written", "escaped"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<@U1>", "&lt;@U1&gt;"),
        ("<https://evil.example|here>", "&lt;https://evil.example|here&gt;"),
        ("Smith & Sons", "Smith &amp; Sons"),
        ("&lt;", "&amp;lt;"),
        ("Acme", "Acme"),
    ],
)
def test_user_text_cannot_become_markup(written: str, escaped: str) -> None:
    assert escape(written) == escaped


@given(st.text())
def test_escaping_leaves_no_angle_brackets_and_loses_no_text(text: str) -> None:
    escaped = escape(text)

    assert not {"<", ">"} & set(escaped)
    shown = CONTROLS.sub("", text)
    assert escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == shown


def test_people_and_channels_are_named_by_id() -> None:
    assert (mention("U1"), channel_link("C1")) == ("<@U1>", "<#C1>")


def test_link_text_is_escaped() -> None:
    assert link("https://example.com", "A > B") == "<https://example.com|A &gt; B>"


def test_a_time_is_shown_in_the_readers_zone_and_falls_back_to_utc() -> None:
    tokyo = datetime(2026, 11, 23, 18, 30, tzinfo=timezone(timedelta(hours=9)))

    assert when(tokyo) == (
        f"<!date^{int(NOW.timestamp())}^{{date_short_pretty}} at {{time}}|2026-11-23 09:30 UTC>"
    )


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=40), "40 days"),
    ],
)
def test_elapsed_time_is_shown_in_the_largest_unit(passed: timedelta, words: str) -> None:
    assert ago(NOW, NOW + passed) == words


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b, and c")],
)
def test_lists_are_joined_as_in_a_sentence(words: list[str], sentence: str) -> None:
    assert listed(words) == sentence


@pytest.mark.parametrize(
    ("mrkdwn", "text"),
    [
        ("Press *Done* now.", "Press Done now."),
        ("*Bold* and _italic_.", "Bold and italic."),
        ("*two words*", "two words"),
        ("by booking_provider for Bookings", "by booking_provider for Bookings"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("“Name *” and", "“Name *” and"),
    ],
)
def test_plain_text_drops_formatting_and_keeps_everything_else(mrkdwn: str, text: str) -> None:
    assert plain(mrkdwn) == text


def test_a_permalink_has_slacks_url_format() -> None:
    address = permalink("https://heavyset.slack.com/", "C1", "1795426200.000100")

    assert address == "https://heavyset.slack.com/archives/C1/p1795426200000100"


def test_a_permalink_to_a_reply_includes_its_thread() -> None:
    address = permalink("https://heavyset.slack.com/", "C1", "1795426300.000200", "1795426200.0001")

    assert address.endswith("/p1795426300000200?thread_ts=1795426200.0001&cid=C1")
