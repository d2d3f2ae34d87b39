"""Every secret can be read from a file named by `…_FILE`, and each mistake is explained."""

import hashlib
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.app.settings import SECRETS, Settings
from tests.unit.environment import KEY, OTHER_KEY, REQUIRED, Environment

VALUES = {
    "SLACK_BOT_TOKEN": "xoxb-2-file",
    "SLACK_APP_TOKEN": "xapp-2-file",
    "SLACK_SIGNING_SECRET": "5a4db0c5167a5cad2c4ea1ed00000002",
    "DATABASE_URL": "postgresql://bot:s3cr3t@db/bot",
    "CREDENTIAL_KEYS": OTHER_KEY,
    "SERVICETITAN_APPLICATION_KEY": "ak1.m3w8k1zq6p0t5vb9xh2dn7fys",
    "METRICS_TOKEN": "0123456789abcdef-file",
    "PROXY_URL": "http://bot:s3cr3t@proxy:3128",
    "HEARTBEAT_URL": "https://hc-ping.com/s3cr3t",
}


def a_file(env: Environment, content: str | bytes, name: str = "secret") -> str:
    path = env.file.with_name(name)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_every_secret_setting_may_come_from_a_file() -> None:
    secret = {
        name.upper()
        for name, field in Settings.model_fields.items()
        if "SecretStr" in repr(field.annotation) or not field.repr
    }

    assert set(SECRETS) == secret


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_secret_is_read_from_its_file(env: Environment, name: str, end: str) -> None:
    path = a_file(env, VALUES[name] + end)

    loaded = env.load(**{name: None, f"{name}_FILE": path})

    value = getattr(loaded, name.lower())
    [read] = value if isinstance(value, list) else [value]
    assert (read.get_secret_value() if isinstance(read, SecretStr) else read) == VALUES[name]
    assert VALUES[name] not in repr(loaded)


def test_a_secret_file_path_can_be_relative_and_set_in_the_env_file(env: Environment) -> None:
    a_file(env, VALUES["SLACK_BOT_TOKEN"])
    env.file.write_text("SLACK_BOT_TOKEN_FILE=secret\n")

    loaded = env.load(SLACK_BOT_TOKEN=None)

    assert loaded.slack_bot_token.get_secret_value() == VALUES["SLACK_BOT_TOKEN"]


@pytest.mark.parametrize("between", [",", "\n", ",\n", "\r\n"])
def test_a_key_file_can_have_one_key_per_line(env: Environment, between: str) -> None:
    path = a_file(env, f"{OTHER_KEY}{between}{KEY}\n")

    assert env.load(CREDENTIAL_KEYS=None, CREDENTIAL_KEYS_FILE=path).keys == [
        hashlib.sha256(name).digest() for name in (b"o", b"k")
    ]


@pytest.mark.parametrize("name", SECRETS)
def test_setting_both_a_secret_and_its_file_is_refused(env: Environment, name: str) -> None:
    path = a_file(env, VALUES[name])

    (line,) = env.errors(**{name: VALUES[name], f"{name}_FILE": path})

    assert line == f"{name} and {name}_FILE: both are set; keep one of the two"


def test_a_secret_in_the_env_file_conflicts_with_an_environment_file_path(env: Environment) -> None:
    env.file.write_text("SLACK_BOT_TOKEN=xoxb-\n")  # as in .env.example

    (line,) = env.errors(SLACK_BOT_TOKEN=None, SLACK_BOT_TOKEN_FILE=a_file(env, "xoxb-2-file"))

    assert line.startswith("SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE: both are set")


UNUSABLE = {
    "": "is empty",
    "\n": "is empty",
    " \r\n": "is empty",
    b"\xff\xfex\x00": "UTF-8",
    b"xoxb-\xe9": "UTF-8",
    "x" * 100_000: "far too large",
}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    ("content", "words"),
    UNUSABLE.items(),
    ids=["empty", "newline", "whitespace", "UTF-16", "Latin-1", "too large"],
)
def test_an_unusable_secret_file_is_refused_with_the_reason(
    env: Environment, name: str, content: str | bytes, words: str
) -> None:
    (line,) = env.errors(**{name: None, f"{name}_FILE": a_file(env, content)})

    assert line.startswith(f"{name}_FILE: ")
    assert words in line


@pytest.mark.parametrize("path", ["nowhere", ".", "xoxb-1-s3cr3t", "a\0b", "secret/deeper"])
def test_an_invalid_secret_file_path_is_not_echoed(env: Environment, path: str) -> None:
    a_file(env, "x")
    given = {**REQUIRED, "SLACK_BOT_TOKEN": None}
    if "\0" in path:  # an environment variable can't hold it
        env.file.write_text(f"SLACK_BOT_TOKEN_FILE={path}\n")
    else:
        given["SLACK_BOT_TOKEN_FILE"] = path

    lines = env.errors(**given)

    assert all(line.startswith(("SLACK_BOT_TOKEN_FILE: ", ".env")) for line in lines)
    assert not any("s3cr3t" in line for line in lines)


def test_an_error_in_a_secret_file_names_the_file_setting(env: Environment) -> None:
    path = a_file(env, "xapp-s3cr3t")

    (line,) = env.errors(SLACK_BOT_TOKEN=None, SLACK_BOT_TOKEN_FILE=path)

    assert line.startswith("SLACK_BOT_TOKEN (in SLACK_BOT_TOKEN_FILE): must be the bot token")
    assert "s3cr3t" not in line


def test_a_missing_app_token_file_is_the_only_error_reported(env: Environment) -> None:
    (line,) = env.errors(SLACK_SIGNING_SECRET=None, SLACK_APP_TOKEN_FILE="nowhere")

    assert line.startswith("SLACK_APP_TOKEN_FILE: there is no such file")


def test_an_empty_file_setting_counts_as_not_set(env: Environment) -> None:
    assert env.load(SLACK_BOT_TOKEN_FILE="").slack_bot_token


@pytest.mark.parametrize("name", ["SLACK_BOT_TOKEN_FILES", "CREDENTIAL_KEY_FILE"])
def test_a_misspelled_file_setting_is_caught(env: Environment, tmp_path: Path, name: str) -> None:
    env.file.write_text(f"{name}={tmp_path}\n")

    assert any(f"{name} isn't a setting; did you mean" in line for line in env.errors())
