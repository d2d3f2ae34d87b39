"""Invalid settings stop the bot: every problem is reported, one per line, without values."""

import base64
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.app.settings import LISTS as LIST_FIELDS, Settings
from tests.unit.environment import KEY, REQUIRED, Environment


@pytest.mark.parametrize("name", list(REQUIRED))
def test_a_missing_setting_is_reported_with_how_to_get_it(env: Environment, name: str) -> None:
    (line,) = env.errors(**{name: None})

    assert re.match(rf"{name}: is missing; \w", line)


def test_all_missing_settings_are_reported_together(env: Environment) -> None:
    lines = env.errors(**dict.fromkeys(REQUIRED))

    assert sorted(line.partition(":")[0] for line in lines) == sorted(REQUIRED)


# --- malformed values ---

LISTS = {name.upper() for name in LIST_FIELDS}

MALFORMED = {
    "SLACK_BOT_TOKEN": ["xoxp-1-user-token", "bot-token", "xoxb-", "xapp-1-a", "xoxe.xoxb-1-a"],
    "SLACK_APP_TOKEN": ["xoxb-1-token", "app-token", "xapp-", "xapp-…"],
    "SLACK_SIGNING_SECRET": [
        *("two words", "xoxb-1-token", "<secret>", "123.456", "sécret"),
        *("a", "0", "secret", "0123456789abcde", "a" * 32, "ab" * 16, "abc-" * 8),
    ],
    "SLACK_API_URL": [
        "https://user:password@slack.com/api/",
        "http://127.0.0.1@slack.example/api/",
        "https://slack.com/",
        "https://slack.com/api",
        "slack.com/api/",
    ],
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
    "DATABASE_URL": [
        "mysql://db/bot",
        "onboarding.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:////",
        "sqlite:///:memory:",
        "sqlite://:memory:",
        "sqlite:///file::memory:?cache=shared",
        "sqlite:///file:a.db?mode=memory",
        "sqlite://onboarding.db",
        "sqlite:///~/onboarding.db",
        "sqlite:///data/",
        "sqlite+aiosqlite:///a.db",
        "postgresql+psycopg://db/bot",
        "postgresql://",
        "postgresql://bot:p@ss@db/bot",
        "postgresql://bot:p@ss/word@db/bot",
        "postgresql://bot@db:port/bot",
        "postgresql://bot@db/bot?nonsense=true",
    ],
    "CREDENTIAL_KEYS": [
        "short",
        KEY[:-4],
        f"{KEY},short",
        *(base64.urlsafe_b64encode(blank).decode() for blank in (bytes(32), b"\xff" * 32)),
        f"{KEY},{base64.b64encode(bytes(32)).decode()}",
        f"{KEY},{KEY}",
        "é" * 32,
        ",",
    ],
    "SERVICETITAN_AUTH_URL": ["auth.servicetitan.io", "https://auth.servicetitan.io/connect"],
    "SERVICETITAN_API_URL": ["http://api.servicetitan.io", "ftp://api.servicetitan.io", "https://"],
    "HOST": ["0.0.0.0:3000", "http://localhost", "a b", "a/b"],
    "PROXY_URL": [
        *("proxy", "proxy:3128", "socks5://proxy:1080", "http://proxy", "http://proxy:port"),
        *(
            "http://proxy:3128/path",
            "http://a@b@proxy:3128",
            "http://u:p/w@proxy:3128",
            "http://:1",
        ),
    ],
    "METRICS_TOKEN": ["short", "a" * 40, "with a space in it, and long"],
    "ALLOW_EPHEMERAL_SQLITE": ["maybe", "2", "postgres"],
    "HEARTBEAT_URL": ["hc-ping.com/1", "ftp://hc-ping.com/1", "https://", "https://h:port/1"],
    "METRICS_PORT": ["0", "65536", "http", "3000"],
    "PORT": ["0", "65536", "http", "3000.5", "-1"],
    "LOG_LEVEL": ["LOUD", "10"],
    "LOG_FORMAT": ["xml"],
    "BUSINESS_TIMEZONE": ["EST5EDT6", "New York", "../etc/passwd"],
    "DIGEST_AT": ["Monday", "Mon 25:00"],
    "REMIND_AFTER": ["0", "-5", "8h"],
    "FOLLOW_UPS": ["0,3", "1,,x", "1 3", "3,1", "1,1", "1.5", "never", "1,999", "²"],
    "ESCALATE_AFTER": ["0", "1.5", "9" * 12, "9" * 5000],
    "RETAIN_CREDENTIALS_FOR": ["0", "forever"],
    "SWEEP_INTERVAL": ["0", "5s"],
    "SUPPORT_EMAIL": ["support", "a@b", "<a@b.example>"],
    "APP_DESCRIPTION": ["x" * 301, "one `code`"],
    "GUIDES": ["/no/such/folder", "https://guides.example"],
    "SERVICETITAN_APPLICATION_KEY": ["ak1.x", "ak1.with a space in it"],
    "GUIDE_IMAGES": [
        *("/no/such/folder", "http://pictures.example", "https://", "s3://bucket"),
        "https://pictures.example/?v=1",
    ],
    "PUBLIC_URL": [
        "onboarding.example.com",
        "http://onboarding.example.com",
        "https://a.example/b",
    ],
}
CASES = [(name, value) for name, values in MALFORMED.items() for value in values]


def test_every_setting_has_malformed_samples() -> None:
    assert set(MALFORMED) == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_malformed_value_is_reported_in_one_line_with_its_setting(
    env: Environment, name: str, value: str
) -> None:
    (line,) = env.errors(**{name: value})

    assert re.match(rf"{name}: (key \d )?(must|is|lists)", line)


@pytest.mark.parametrize("name", list(MALFORMED))
def test_error_messages_never_contain_any_part_of_a_value(env: Environment, name: str) -> None:
    text = "s3cr3t § `nobody` may read this"  # APP_DESCRIPTION may be any text without code marks
    assert "s3cr3t" not in "\n".join(env.errors(**{name: text}))


GOOD = {
    **REQUIRED,
    "SLACK_APP_TOKEN": "xapp-1-token",
    "SLACK_API_URL": "https://slack.com/api/",
    "DATABASE_URL": "postgresql://bot:s3cr3t@db/bot",
    "SERVICETITAN_AUTH_URL": "https://auth.servicetitan.io",
    "SERVICETITAN_API_URL": "https://api.servicetitan.io",
    "PROXY_URL": "http://bot:s3cr3t@proxy:3128",
    "HOST": "localhost",
    "PORT": "3000",
    "METRICS_TOKEN": "0123456789abcdef0123456789abcdef",
    "ALLOW_EPHEMERAL_SQLITE": "1",
    "HEARTBEAT_URL": "https://hc-ping.com/1",
    "METRICS_PORT": "3001",
    "LOG_LEVEL": "INFO",
    "LOG_FORMAT": "text",
    "BUSINESS_TIMEZONE": "America/New_York",
    "DIGEST_AT": "Mon 09:00",
    "REMIND_AFTER": "1",
    "FOLLOW_UPS": "1,3,7,14",
    "ESCALATE_AFTER": "1",
    "RETAIN_CREDENTIALS_FOR": "1",
    "SWEEP_INTERVAL": "1",
    "SUPPORT_EMAIL": "integrations@heavyset.example",
    "APP_DESCRIPTION": "Connects ServiceTitan with our Web Scheduler.",
    "GUIDES": str(Path(__file__).parents[1] / "guides"),
    "SERVICETITAN_APPLICATION_KEY": "ak1.m3w8k1zq6p0t5vb9xh2dn7fys",
    "GUIDE_IMAGES": "https://pictures.example/guide",
    "PUBLIC_URL": "https://onboarding.example.com",
}


@pytest.mark.parametrize("quoted", ['"{}"', "'{}'", "“{}”", '"{}', "{}'"])
def test_quotation_marks_around_a_value_are_reported(env: Environment, quoted: str) -> None:
    for name in MALFORMED:
        (line,) = env.errors(**{name: quoted.format(GOOD[name])})

        assert line.startswith(f"{name}: is in quotation marks")


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("{}\n", "ends in a line break"),
        ("{}\r", "ends in a carriage return"),
        ("{} ", "ends in a space"),
        ("{}\t", "ends in a tab"),
        ("\xa0{}", "begins with a space"),
        ("{}\u200b", "has an invisible character (U+200B)"),
        ("\ufeff{}", "has an invisible character (U+FEFF)"),
    ],
)
def test_stray_whitespace_and_invisible_characters_are_reported(
    env: Environment, written: str, named: str
) -> None:
    for name in sorted(set(MALFORMED) - LISTS):
        (line,) = env.errors(**{name: written.format(GOOD[name])})

        assert line.startswith(f"{name}: {named}")


@pytest.mark.parametrize("name", sorted(LISTS))
def test_whitespace_in_a_list_is_ignored(env: Environment, name: str) -> None:
    assert env.load(**{name: f" {GOOD[name]},\r\n"}) == env.load(**{name: GOOD[name]})


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-", "is still the placeholder"),
        ("SLACK_BOT_TOKEN", "xoxb-your-token", "is still the placeholder"),
        ("SLACK_BOT_TOKEN", "xoxb-xxxx", "is still the placeholder"),
        ("SLACK_BOT_TOKEN", "xoxb-REPLACE_ME", "is still the placeholder"),
        ("SLACK_APP_TOKEN", "xapp-", "is still the placeholder"),
        ("SLACK_APP_TOKEN", "xapp-1-…", "is still the placeholder"),
        ("SLACK_BOT_TOKEN", "xoxp-1-2", "is a user's token"),
        ("SLACK_BOT_TOKEN", "xoxe.xoxb-1-2", "token rotation"),
        ("SLACK_BOT_TOKEN", "xoxe-1-2", "token rotation"),
        ("SLACK_BOT_TOKEN", "xapp-1-2", "belongs in SLACK_APP_TOKEN"),
        ("SLACK_APP_TOKEN", "xoxb-1-2", "belongs in SLACK_BOT_TOKEN"),
        ("SLACK_SIGNING_SECRET", "xapp-1-2", "belongs in SLACK_APP_TOKEN"),
        ("REMIND_AFTER", "8h", "must be a whole number of seconds, such as 28800"),
        ("SWEEP_INTERVAL", "5s", "must be a whole number of seconds, such as 5"),
        ("SWEEP_INTERVAL", "0.5", "must be a whole number of seconds, such as 5"),
        ("SWEEP_INTERVAL", "0", "must be more than 0 seconds"),
        ("SWEEP_INTERVAL", "9" * 12, "must be at most 315360000 seconds"),
        ("PORT", "http", "must be a whole number"),
        ("DATABASE_URL", "sqlite:///:memory:", "must name a file"),
        ("DATABASE_URL", "mysql://db/bot", "must begin with sqlite:/// or postgresql://"),
        ("DATABASE_URL", "sqlite+aiosqlite:///a.db", "must begin with sqlite://, without"),
        ("DATABASE_URL", "postgresql://u:p@ss@db/bot", "%40 for @"),
    ],
)
def test_common_mistakes_get_a_specific_message(
    env: Environment, name: str, value: str, named: str
) -> None:
    (line,) = env.errors(**{name: value})

    assert named in line


def test_pydantic_errors_do_not_show_values_either() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"slack_bot_token": "s3cr3t"})

    assert "s3cr3t" not in str(refused.value)


def test_all_malformed_settings_are_reported_together(env: Environment) -> None:
    first = {name: values[0] for name, values in MALFORMED.items()}

    lines = env.errors(**first)

    assert {line.partition(":")[0] for line in lines} == set(MALFORMED)
    assert len(lines) == len(MALFORMED)
