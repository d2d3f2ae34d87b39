"""Dates read well: Slack shows “today at 2:18 PM”, so no “on” or “at” goes before them."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.mrkdwn import when
from sandbox.mrkdwn import readable
from sandbox.slack.dates import with_dates
from tests.builders import MINUTE, NOW
from tests.unit.test_escaping import messages

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("bot", "handlers") for path in sorted((ROOT / folder).rglob("*.py"))]
PREPOSITION = r"\b(on|at|in|of|by|for|to|during)\W{0,3}"
NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)  # in New York


def read(moment: datetime, now: datetime = NOON, tz: str | None = "America/New_York") -> str:
    return with_dates(f"done by Ann, {when(moment)}.", now.timestamp(), tz)


@pytest.mark.parametrize(
    ("moment", "tz", "words"),
    [
        ("2026-11-23T14:18Z", "America/New_York", "today at 9:18 AM"),
        ("2026-11-23T04:59Z", "America/New_York", "yesterday at 11:59 PM"),
        ("2026-11-24T05:00Z", "America/New_York", "tomorrow at 12:00 AM"),
        ("2026-11-23T16:00Z", "Asia/Tokyo", "today at 1:00 AM"),
        ("2026-11-21T17:00Z", "America/New_York", "Nov 21, 2026 at 12:00 PM"),
        ("2026-11-23T14:18Z", None, "today at 2:18 PM"),
        ("2026-11-23T14:18Z", "Nowhere/Land", "today at 2:18 PM"),
    ],
)
def test_dates_render_in_the_readers_time_zone_as_in_slack(
    moment: str, tz: str | None, words: str
) -> None:
    assert read(datetime.fromisoformat(moment), tz=tz) == f"done by Ann, {words}."


def test_a_format_that_slack_does_not_know_shows_the_fallback() -> None:
    text = "<!date^1795426200^{date_shrot} at {time}|2026-11-23 09:30 UTC>"

    assert with_dates(text, NOON.timestamp(), "UTC") == "2026-11-23 09:30 UTC"
    assert readable(text, str) == "2026-11-23 09:30 UTC"


def test_no_message_has_a_preposition_before_a_date() -> None:
    texts = [message.text for message in messages("Acme")]
    shown = [with_dates(text, (NOW + MINUTE).timestamp(), "UTC") for text in texts]

    assert any("today at" in text for text in shown)
    days = rf"{PREPOSITION}(today|yesterday|tomorrow|\w{{3}} \d+, \d{{4}} at )"
    assert [text for text in shown if re.search(days, text, re.IGNORECASE)] == []


def test_no_sentence_in_the_code_puts_a_preposition_before_a_date() -> None:
    for path in SOURCES:
        code = path.read_text(encoding="utf-8")
        moments = "|".join(
            ["when\\(", *(f"{name}\\}}" for name in re.findall(r"(\w+) = when\(", code))]
        )

        assert re.findall(rf"{PREPOSITION}\{{(?:{moments})", code) == [], path
