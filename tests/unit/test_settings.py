"""Settings: defaults, which values are accepted in which form, and the example for operators."""

import base64
import hashlib
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import settings
from bot.app.settings import Settings
from storage import migrate
from tests.unit.environment import KEY, OTHER_KEY, REQUIRED, Environment

TYPICAL_SECRET = "5a4db0c5167a5cad2c4ea1ed00000001"
EXAMPLE = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")


def test_only_five_variables_are_required_and_the_rest_have_defaults(env: Environment) -> None:
    loaded = env.load()

    assert loaded.model_dump(exclude={name.lower() for name in REQUIRED}) == {
        "slack_app_token": None,
        "slack_api_url": "https://slack.com/api/",
        "database_url": "sqlite:///onboarding.db",
        "allow_ephemeral_sqlite": False,
        "servicetitan_auth_url": "https://auth.servicetitan.io",
        "servicetitan_api_url": "https://api.servicetitan.io",
        "servicetitan_application_key": None,
        "proxy_url": None,
        "host": "127.0.0.1",
        "port": 3000,
        "metrics_token": None,
        "metrics_port": None,
        "heartbeat_url": None,
        "log_level": "INFO",
        "log_format": "text",
        "business_timezone": "America/New_York",
        "remind_after": 28800,
        "follow_ups": "1,3,7,14",
        "escalate_after": 86400,
        "retain_credentials_for": 2592000,
        "sweep_interval": 5,
        "digest_at": "Mon 09:00",
        "support_email": None,
        "app_description": None,
        "guides": None,
        "guide_images": None,
        "public_url": None,
    }


def test_an_empty_variable_counts_as_not_set(env: Environment) -> None:
    assert env.load(PORT="", LOG_LEVEL="", SLACK_APP_TOKEN="") == env.load()


def test_an_unrelated_variable_is_ignored(env: Environment) -> None:
    assert env.load(SLACK_COLOUR="aubergine") == env.load()


def test_settings_are_read_from_a_file_too(env: Environment) -> None:
    lines = [f"{name}={value}" for name, value in REQUIRED.items()]
    env.file.write_text("\n".join([*lines, "PORT=8080", "OTHER=1"]))

    assert settings.load().port == 8080


def test_the_environment_wins_over_the_file(env: Environment) -> None:
    env.file.write_text("PORT=8080\n")

    assert env.load(PORT="9090").port == 9090


def test_an_app_token_wins_over_http(env: Environment) -> None:
    assert env.load(SLACK_APP_TOKEN="xapp-1-token").socket_mode


def test_an_app_token_needs_no_signing_secret(env: Environment) -> None:
    loaded = env.load(SLACK_APP_TOKEN="xapp-1-token", SLACK_SIGNING_SECRET=None)

    assert loaded.socket_mode
    assert loaded.slack_signing_secret is None


def test_a_signing_secret_alone_means_http(env: Environment) -> None:
    assert not env.load().socket_mode


def test_a_malformed_app_token_does_not_ask_for_a_signing_secret_as_well(env: Environment) -> None:
    lines = env.errors(SLACK_APP_TOKEN="app-token", SLACK_SIGNING_SECRET=None)

    assert [line.partition(":")[0] for line in lines] == ["SLACK_APP_TOKEN"]


@pytest.mark.parametrize("name", ["SLACK_API_URL", "SERVICETITAN_AUTH_URL", "SERVICETITAN_API_URL"])
@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.8.0.1"])
def test_plain_http_is_allowed_for_loopback_addresses(
    env: Environment, name: str, host: str
) -> None:
    path = "/api/" if name == "SLACK_API_URL" else ""

    loaded = env.load(**{name: f"http://{host}{path}"})

    assert getattr(loaded, name.lower()) == f"http://{host}{path}"


@pytest.mark.parametrize("name", ["SLACK_API_URL", "SERVICETITAN_AUTH_URL", "SERVICETITAN_API_URL"])
@pytest.mark.parametrize("host", ["slack.com", "10.0.0.1", "localhost.example.com", "192.168.1.5"])
def test_a_non_loopback_address_must_use_https(env: Environment, name: str, host: str) -> None:
    path = "/api/" if name == "SLACK_API_URL" else ""

    (line,) = env.errors(**{name: f"http://{host}{path}"})

    assert "must begin with https://" in line


DAY = timedelta(hours=8)  # a business day


@pytest.mark.parametrize(
    ("variables", "days"),
    [
        ({}, [1, 3, 7, 14]),
        ({"FOLLOW_UPS": " 2, 5 "}, [2, 5]),
        ({"FOLLOW_UPS": "Off"}, []),
        ({"REMIND_AFTER": "14400"}, [0.5, 3, 7, 14]),
        ({"REMIND_AFTER": "14400", "FOLLOW_UPS": "1,2"}, [0.5, 2]),
        # Setting only this one keeps the first reminder as before and adds the later follow-ups.
        ({"REMIND_AFTER": "115200"}, [4, 7, 14]),
        ({"REMIND_AFTER": "315360000"}, [10950]),
    ],
)
def test_remind_after_sets_when_the_first_follow_up_is_sent(
    env: Environment, variables: dict[str, str], days: list[float]
) -> None:
    assert env.load(**variables).pace.follow_ups == [DAY * day for day in days]


def test_follow_ups_at_odds_with_remind_after_are_refused(env: Environment) -> None:
    (line,) = env.errors(REMIND_AFTER="57600", FOLLOW_UPS="1,2,5")

    assert line.startswith("FOLLOW_UPS: is at odds with REMIND_AFTER")


def test_lists_are_separated_by_commas(env: Environment) -> None:
    assert env.load(ENGINEERS=" U0ERIN, S0ENGINEERS ,").engineers == ["U0ERIN", "S0ENGINEERS"]


@pytest.mark.parametrize("word", ["everyone", "Everyone", " EVERYONE ,"])
def test_the_word_everyone_makes_everyone_an_engineer(env: Environment, word: str) -> None:
    assert env.load(ENGINEERS=word).engineers == ["everyone"]


@pytest.mark.parametrize("value", [None, "", " ", ",", " , "])
def test_a_missing_or_empty_engineers_setting_is_refused(
    env: Environment, value: str | None
) -> None:
    (line,) = env.errors(ENGINEERS=value)

    assert re.match(r"ENGINEERS: is (missing|empty); list the ids .* or write everyone", line)


@pytest.mark.parametrize("line", ['ENGINEERS="U0AAA', "ENGINEER=U0AAA"])
def test_a_malformed_engineers_line_is_refused(env: Environment, line: str) -> None:
    needed = {**REQUIRED, "ENGINEERS": None}
    env.file.write_text(f"{line}\n")

    lines = env.errors(**needed)

    assert any("ENGINEERS" in problem for problem in lines)


def test_credential_keys_keep_their_order_so_the_first_one_seals(env: Environment) -> None:
    assert env.load(CREDENTIAL_KEYS=f"{KEY}, {OTHER_KEY}").keys == [
        hashlib.sha256(name).digest() for name in (b"k", b"o")
    ]


def test_a_trailing_slash_is_stripped_from_a_base_url(env: Environment) -> None:
    loaded = env.load(SERVICETITAN_API_URL="https://api-integration.servicetitan.io/")

    assert loaded.servicetitan_api_url == "https://api-integration.servicetitan.io"


@pytest.mark.parametrize("url", ["postgresql://u:p@db/bot", "postgres://db/bot", "sqlite:///a.db"])
def test_postgresql_and_sqlite_urls_are_accepted(env: Environment, url: str) -> None:
    assert env.load(DATABASE_URL=url).database_url == url


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:p@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d1",  # Heroku
        "postgres://u:p@/d?host=/cloudsql/project:region:instance",  # Cloud Run
        "postgresql://u:p@ep-cool-1-pooler.us-east-2.aws.neon.tech/d?sslmode=require&channel_binding=require",
        "postgresql://postgres.ref:p%40ss@aws-0-us-east-1.pooler.supabase.com:6543/postgres",
        "postgres://u:p@db.flycast:5432/d?sslmode=disable",  # Fly.io
        "postgresql://u:p@10.0.0.5,10.0.0.6:5432/d?target_session_attrs=read-write",
        "postgresql://u:p@[2001:db8::1]:5432/d?sslmode=verify-full&sslrootcert=/etc/ca.pem",
    ],
)
def test_database_urls_from_hosting_platforms_are_accepted(env: Environment, url: str) -> None:
    assert env.load(DATABASE_URL=url).database_url == url
    assert migrate.where(url)


@pytest.mark.parametrize(
    ("written", "used"),
    [
        (
            "postgres://u:p%40s@h:6543/d?pgbouncer=true&connection_limit=1&sslmode=require",
            "postgresql://u:p%40s@h:6543/d?sslmode=require",
        ),
        (
            "postgresql://u@%2Fvar%2Frun%2Fpostgresql/d",
            "postgresql://u@/d?host=%2Fvar%2Frun%2Fpostgresql",
        ),
    ],
    ids=["pooler options for other drivers", "a libpq socket path"],
)
def test_database_urls_are_rewritten_into_a_form_sqlalchemy_reads(
    env: Environment, written: str, used: str
) -> None:
    assert env.load(DATABASE_URL=written).database_url == used


def test_metrics_port_may_be_the_default_of_an_invalid_port(env: Environment) -> None:
    assert env.errors(PORT="http", METRICS_PORT="3000") == ["PORT: must be a whole number"]


@pytest.mark.parametrize(
    ("variables", "platform"),
    [
        ({"DYNO": "web.1"}, "Heroku"),
        ({"RENDER": "true"}, "Render"),
        ({"RAILWAY_ENVIRONMENT_ID": "e"}, "Railway"),
        ({"RAILWAY_PROJECT_ID": "p", "RAILWAY_VOLUME_MOUNT_PATH": "/data"}, "Railway"),
        ({"FLY_APP_NAME": "onboarding"}, "Fly.io"),
        ({"K_SERVICE": "onboarding"}, "Cloud Run"),
    ],
)
def test_sqlite_is_refused_on_platforms_with_an_ephemeral_disk(
    env: Environment, variables: dict[str, str], platform: str
) -> None:
    (line,) = env.errors(**variables)

    assert line.startswith(f"DATABASE_URL: a SQLite file is lost at every restart on {platform}")
    assert "ALLOW_EPHEMERAL_SQLITE=1" in line
    assert env.load(**variables, ALLOW_EPHEMERAL_SQLITE="1").allow_ephemeral_sqlite
    assert env.load(**variables, DATABASE_URL="postgres://u:p@db/bot").database_url


@pytest.mark.parametrize(
    "environment",
    [
        {"FLY_API_TOKEN": "t", "RAILWAY_TOKEN": "t"},
        {
            "RAILWAY_PROJECT_ID": "p",
            "RAILWAY_VOLUME_MOUNT_PATH": "/data",
            "DATABASE_URL": "sqlite:////data/onboarding.db",
        },
    ],
    ids=["a developer's tokens", "a file on a volume"],
)
def test_sqlite_is_accepted_on_a_persistent_disk(
    env: Environment, environment: dict[str, str]
) -> None:
    assert env.load(**environment).database_url.startswith("sqlite")


@pytest.mark.parametrize(
    "key",
    [b"k" * 32, b"onboarding" * 3 + b"!!", bytes(range(32)), bytes(range(64, 0, -2)), b"ab" * 16],
)
def test_a_key_that_is_not_random_is_accepted_with_a_warning(env: Environment, key: bytes) -> None:
    text = base64.urlsafe_b64encode(key).decode()

    (doubt,) = env.load(CREDENTIAL_KEYS=f"{KEY},{text}", SLACK_SIGNING_SECRET=TYPICAL_SECRET).doubts

    assert doubt.startswith("CREDENTIAL_KEYS: key 2 isn't random")
    assert text not in doubt


def test_randomly_generated_keys_raise_no_warning(env: Environment) -> None:
    keys = ",".join(base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in range(1000))

    assert env.load(CREDENTIAL_KEYS=keys, SLACK_SIGNING_SECRET=TYPICAL_SECRET).doubts == []


def test_an_unusual_signing_secret_is_accepted_with_a_warning(env: Environment) -> None:
    unusual = "5a4db0c5167a5cad2c4ea1ed0000000G"

    assert env.load(SLACK_SIGNING_SECRET=TYPICAL_SECRET).doubts == []
    (doubt,) = env.load(SLACK_SIGNING_SECRET=unusual).doubts
    assert doubt.startswith("SLACK_SIGNING_SECRET: ")
    assert unusual not in doubt


def test_the_log_level_can_be_lowercase(env: Environment) -> None:
    assert env.load(LOG_LEVEL="debug").log_level == "DEBUG"


# --- .env.example ---


def test_the_example_lists_exactly_the_existing_variables() -> None:
    listed = re.findall(r"^#?\s?([A-Z][A-Z_]+)=", EXAMPLE, re.MULTILINE)

    assert sorted(listed) == sorted(name.upper() for name in Settings.model_fields)


def test_the_example_shows_the_defaults() -> None:
    shown = dict(re.findall(r"^#([A-Z][A-Z_]+)=(.+)$", EXAMPLE, re.MULTILINE))
    for name in [name for name in shown if Settings.model_fields[name.lower()].default is None]:
        shown.pop(name)

    assert shown
    for name, value in shown.items():
        assert str(Settings.model_fields[name.lower()].default) == value


def test_secrets_do_not_appear_in_the_repr(env: Environment) -> None:
    loaded = env.load(SLACK_APP_TOKEN="xapp-1-token")

    secrets = (REQUIRED["SLACK_BOT_TOKEN"], REQUIRED["SLACK_SIGNING_SECRET"], KEY, "xapp-1-token")
    assert not [secret for secret in secrets if secret in repr(loaded)]
