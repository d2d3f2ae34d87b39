"""Settings that the bot cannot start with: every problem at once, a line each, no value shown."""

import re

import pytest
from pydantic import ValidationError

from bot.settings import Settings
from tests.unit.environment import KEY, NEEDED, Environment


@pytest.mark.parametrize("name", list(NEEDED))
def test_what_is_missing_is_named_with_the_way_to_get_it(env: Environment, name: str) -> None:
    (line,) = env.refusal(**{name: None})

    assert re.match(rf"{name}: is missing; \w", line)


def test_everything_that_is_missing_is_named_at_once(env: Environment) -> None:
    lines = env.refusal(**dict.fromkeys(NEEDED))

    assert sorted(line.partition(":")[0] for line in lines) == sorted(NEEDED)


# --- what is malformed ---

MALFORMED = {
    "SLACK_BOT_TOKEN": ["xoxp-1-user-token", "bot-token", "xoxb-"],
    "SLACK_APP_TOKEN": ["xoxb-1-token", "app-token"],
    "SLACK_SIGNING_SECRET": ["two words"],
    "SLACK_API_URL": ["https://slack.com/", "https://slack.com/api", "slack.com/api/"],
    "ENGINEERING_CHANNEL": ["#engineering", "engineering", "U0ERIN"],
    "ENGINEERS": [
        "erin",
        "@erin",
        "U0ERIN,erin",
        "C0ENGINEERING",
        "everyone,U0ERIN",
        "all",
        "*",
        ",",
    ],
    "DATABASE_URL": ["mysql://db/bot", "onboarding.db", "sqlite:///", "postgresql://"],
    "CREDENTIAL_KEYS": [
        "short",
        KEY[:-4],
        f"{KEY},short",
        f"{KEY},{KEY}",
        "é" * 32,
        ",",
    ],
    "SERVICETITAN_AUTH_URL": ["auth.servicetitan.io", "https://auth.servicetitan.io/connect"],
    "SERVICETITAN_API_URL": ["http://api.servicetitan.io", "ftp://api.servicetitan.io", "https://"],
    "PORT": ["0", "65536", "http", "3000.5", "-1"],
    "LOG_LEVEL": ["LOUD", "10"],
    "LOG_FORMAT": ["xml"],
    "BUSINESS_TIMEZONE": ["EST5EDT6", "New York", "../etc/passwd"],
    "REMIND_AFTER": ["0", "-5", "8h"],
    "ESCALATE_AFTER": ["0", "1.5"],
    "RETAIN_CREDENTIALS_FOR": ["0", "forever"],
    "SWEEP_INTERVAL": ["0", "5s"],
}
CASES = [(name, value) for name, values in MALFORMED.items() for value in values]


def test_every_variable_but_the_host_has_malformed_values_here() -> None:
    assert set(MALFORMED) | {"HOST"} == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize(("name", "value"), CASES)
def test_what_is_malformed_is_refused_in_one_line_that_names_it(
    env: Environment, name: str, value: str
) -> None:
    (line,) = env.refusal(**{name: value})

    assert re.match(rf"{name}: (key \d )?(must|is|holds)", line)


@pytest.mark.parametrize("name", list(MALFORMED))
def test_no_value_is_shown_not_even_in_part(env: Environment, name: str) -> None:
    assert "s3cr3t" not in "\n".join(env.refusal(**{name: "s3cr3t § nobody may read this"}))


def test_not_even_the_library_shows_a_value(env: Environment) -> None:
    env.refusal(SLACK_BOT_TOKEN="s3cr3t")

    with pytest.raises(ValidationError) as refused:
        Settings()

    assert "s3cr3t" not in str(refused.value)


def test_everything_that_is_malformed_is_named_at_once(env: Environment) -> None:
    first = {name: values[0] for name, values in MALFORMED.items()}

    lines = env.refusal(**first)

    assert {line.partition(":")[0] for line in lines} == set(MALFORMED)
    assert len(lines) == len(MALFORMED)
