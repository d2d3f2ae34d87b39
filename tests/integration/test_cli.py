"""The command line, in its own process: exit statuses, and what it prints on the way out."""

import asyncio
import base64
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from sandbox.bot_process import BotProcess, free_port
from sandbox.run import MANIFEST
from sandbox.slack import Manifest, SlackSandbox
from tests.commands import INHERITED, onboarding, run_in_new_process
from tests.databases import ON_BOTH, AnyDatabase
from tests.integration.world import KEY, OTHER_KEY, World

SECRET = "xoxb-a-token-that-nobody-may-see"
VALID_SETTINGS = {
    "SLACK_BOT_TOKEN": SECRET,
    "SLACK_SIGNING_SECRET": "5a4db0c5167a5cad2c4ea1ed00000001",
    "ENGINEERING_CHANNEL": "C0SBX000001",
    "ENGINEERS": "everyone",
    "CREDENTIAL_KEYS": KEY,
}


def files_in(directory: Path) -> list[Path]:
    return list(directory.iterdir())


@pytest.fixture
async def slack() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox(Manifest.read(MANIFEST)) as slack:
        yield slack


def settings_for(slack: SlackSandbox) -> Mapping[str, str]:
    return {
        **VALID_SETTINGS,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
    }


async def test_all_missing_settings_are_listed_one_per_line(tmp_path: Path) -> None:
    commands = ("run", "db upgrade", "db check", "keys check")

    for ended in await asyncio.gather(
        *(onboarding(tmp_path, *command.split()) for command in commands)
    ):
        assert ended.status == 2
        named = [line.partition(":")[0] for line in ended.err.splitlines()]
        assert sorted(named) == sorted(VALID_SETTINGS)
        assert ended.out == ""

    assert files_in(tmp_path) == []


async def test_wrong_settings_are_named_without_their_values(tmp_path: Path) -> None:
    wrong = {
        "SLACK_BOT_TOKEN": "sesame-open-1",
        "ENGINEERING_CHANNEL": "#sesame-open-2",
        "CREDENTIAL_KEYS": "sesame-open-3",
        "PORT": "sesame-open-4",
        "LOG_LEVEL": "sesame-open-5",
        "SERVICETITAN_API_URL": "http://sesame-open-6.example",
        "ENGINEERS": "sesame-open-7",
        "DATABASE_URL": "sesame-open-8",
        "BUSINESS_TIMEZONE": "sesame-open-9",
    }

    ended = await onboarding(tmp_path, "run", **{**VALID_SETTINGS, **wrong})

    assert ended.status == 2
    named = [line.partition(":")[0] for line in ended.err.splitlines()]
    assert sorted(named) == sorted(wrong)
    assert "sesame" not in ended.err


async def test_a_key_is_made_without_any_settings(tmp_path: Path) -> None:
    first, second = await asyncio.gather(
        *(run_in_new_process(tmp_path, "keys", "generate") for _ in range(2))
    )

    assert (first.status, first.err) == (0, "")
    assert len(base64.urlsafe_b64decode(first.out.strip())) == 32
    assert len(first.out.splitlines()) == 1
    assert first.out != second.out


@ON_BOTH
async def test_the_database_is_checked_and_upgraded(
    tmp_path: Path, empty_database: AnyDatabase
) -> None:
    settings = {**VALID_SETTINGS, "DATABASE_URL": empty_database.url}

    before = await onboarding(tmp_path, "db", "check", **settings)
    upgraded = await onboarding(tmp_path, "db", "upgrade", **settings)
    after = await onboarding(tmp_path, "db", "check", **settings)

    assert (before.status, upgraded.status, after.status) == (1, 0, 0)
    assert "onboarding db upgrade" in before.err
    assert empty_database.rows("SELECT count(*) FROM onboarding") == [(0,)]


async def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/nowhere/onboarding.db"

    ended = await onboarding(tmp_path, "db", "upgrade", **{**VALID_SETTINGS, "DATABASE_URL": url})

    assert ended.status == 1
    assert ended.err.startswith("DATABASE_URL: ")
    assert "Traceback" not in ended.err


@ON_BOTH
async def test_the_keys_are_checked_against_every_stored_value(begun: World) -> None:
    await begun.walk_to(23)
    settings = {**VALID_SETTINGS, "DATABASE_URL": begun.settings.database_url}
    directory = begun.database.directory

    right, wrong = await asyncio.gather(
        onboarding(directory, "keys", "check", **settings),
        onboarding(directory, "keys", "check", **{**settings, "CREDENTIAL_KEYS": OTHER_KEY}),
    )

    assert (right.status, right.err) == (0, "")
    assert right.out.splitlines()[-1] == "5 stored values readable, 0 not"
    assert wrong.status == 1
    assert "is not among CREDENTIAL_KEYS: 5 stored values" in wrong.err


@ON_BOTH
async def test_the_keys_are_rotated_while_the_bot_runs(begun: World) -> None:
    await begun.walk_to(23)
    keys = f"{OTHER_KEY},{VALID_SETTINGS['CREDENTIAL_KEYS']}"
    settings = {
        **VALID_SETTINGS,
        "DATABASE_URL": begun.settings.database_url,
        "CREDENTIAL_KEYS": keys,
    }

    ended = await onboarding(begun.database.directory, "keys", "rotate", **settings)

    assert (ended.status, ended.err) == (0, "")
    assert "5 of 5 stored values" in ended.out
    assert len({key for (key,) in begun.rows("SELECT key_id FROM credential")}) == 1
    assert KEY not in ended.out
    assert OTHER_KEY not in ended.out


@pytest.mark.parametrize("mode", ["http", "socket"])
async def test_startup_fails_when_slack_rejects_a_token(
    tmp_path: Path, slack: SlackSandbox, mode: str
) -> None:
    app_token = {"SLACK_APP_TOKEN": "xapp-1-wrong"} if mode == "socket" else {}
    settings = {**settings_for(slack), **app_token, "PORT": str(free_port())}
    name = "SLACK_APP_TOKEN" if app_token else "SLACK_BOT_TOKEN"
    if not app_token:
        settings["SLACK_BOT_TOKEN"] = SECRET

    ended = await onboarding(tmp_path, "run", **settings)

    assert ended.status == 2
    assert f"{name}: Slack rejected it" in ended.err
    assert settings[name] not in ended.err
    assert "Traceback" not in ended.err


async def test_a_port_in_use_is_named(tmp_path: Path, slack: SlackSandbox) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        ended = await onboarding(tmp_path, "run", **{**settings_for(slack), "PORT": port})

    assert ended.status == 1
    assert "HOST and PORT: cannot listen there" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("mode", "number"),
    [("http", signal.SIGTERM), ("http", signal.SIGINT), ("socket", signal.SIGTERM)],
)
async def test_a_signal_stops_the_bot_cleanly_within_ten_seconds(
    tmp_path: Path, slack: SlackSandbox, mode: str, number: signal.Signals
) -> None:
    app_token = {"SLACK_APP_TOKEN": slack.app_token} if mode == "socket" else {}
    bot = await BotProcess.start({**settings_for(slack), **app_token}, tmp_path)
    if app_token:
        await slack.until(lambda: slack.connections or None)
    began = time.monotonic()

    bot._process.send_signal(number)
    status = await bot._process.wait()

    assert status == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in bot.log_text()


async def test_startup_waits_while_slack_is_down(tmp_path: Path, slack: SlackSandbox) -> None:
    slack.fail_next("auth.test", status=503)

    bot = await BotProcess.start(settings_for(slack), tmp_path)
    async with asyncio.timeout(20):
        while "Slack does not answer yet" not in bot.log_text():  # noqa: ASYNC110 (a file)
            await asyncio.sleep(0.05)

    assert await bot.stop() == 0


async def test_help_lists_the_commands(tmp_path: Path) -> None:
    ended = await run_in_new_process(tmp_path, "--help")

    assert ended.status == 0
    assert all(command in ended.out for command in ("run", "sandbox", "keys", "db"))


# --- which database it is, and what's wrong with it ---

COMMANDS = [
    "db check",
    "db restored",
    "db backup copy.db",
    "keys check",
    "keys rotate",
    "export acme",
    "purge",
    "doctor",
]


@pytest.mark.parametrize("command", COMMANDS)
async def test_commands_name_a_missing_database_file_and_do_not_create_it(
    tmp_path: Path, command: str
) -> None:
    ended = await onboarding(tmp_path, *command.split(), **VALID_SETTINGS)

    assert ended.status == 1
    assert f"{tmp_path}/onboarding.db: there is no such file" in ended.out + ended.err
    assert "Traceback" not in ended.err
    assert files_in(tmp_path) == []


async def test_a_database_without_our_tables_is_not_backed_up(tmp_path: Path) -> None:
    (tmp_path / "onboarding.db").touch()

    ended = await onboarding(tmp_path, "db", "backup", "copy.db", **VALID_SETTINGS)

    assert ended.status == 1
    assert f"{tmp_path}/onboarding.db: it has no tables of ours" in ended.err
    assert not (tmp_path / "copy.db").exists()


async def test_a_backup_says_what_it_is_a_copy_of(begun: World, tmp_path: Path) -> None:
    if begun.settings.database_url.startswith("postgresql"):
        pytest.skip("PostgreSQL has pg_dump")
    settings = {**VALID_SETTINGS, "DATABASE_URL": begun.settings.database_url}

    ended = await onboarding(tmp_path, "db", "backup", "copy.db", **settings)

    assert (ended.status, ended.err) == (0, "")
    assert f"copy.db: written, a copy of {begun.database.directory}/onboarding.db." in ended.out
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM onboarding").fetchone() == (1,)


@ON_BOTH
@pytest.mark.parametrize("command", ["run", "db upgrade", "db check", "keys check", "doctor"])
async def test_a_database_from_a_newer_version_is_refused(
    tmp_path: Path, database: AnyDatabase, command: str
) -> None:
    database.write("UPDATE alembic_version SET version_num = '9999'")
    settings = {**VALID_SETTINGS, "DATABASE_URL": database.url}

    ended = await onboarding(tmp_path, *command.split(), **settings)

    assert ended.status == (2 if command in ("run", "db upgrade") else 1)
    assert "a newer version of the bot has changed its tables (revision 9999)" in (
        ended.out + ended.err
    )
    assert "Traceback" not in ended.err


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def garbage(file: Path) -> Iterator[None]:
    file.write_bytes(b"not a database " * 100)
    yield


@contextmanager
def folder(file: Path) -> Iterator[None]:
    file.mkdir()
    yield


UNUSABLE: dict[Callable[[Path], AbstractContextManager[None]], str] = {
    locked: "another process keeps it locked",
    garbage: "the file isn't a SQLite database",
    folder: "is a folder; name a file in it",
}


@pytest.mark.parametrize(
    ("fault", "command"),
    [
        # A command waits six seconds for a lock: testing that once is enough.
        pytest.param(fault, command, marks=pytest.mark.long if fault is locked and more else ())
        for fault in UNUSABLE
        for more, command in enumerate(("run", "db upgrade", "keys check"))
    ],
)
async def test_an_unusable_database_file_is_explained_without_a_traceback(
    tmp_path: Path, fault: Callable[[Path], AbstractContextManager[None]], command: str
) -> None:
    file = tmp_path / "onboarding.db"
    with fault(file):
        ended = await onboarding(tmp_path, *command.split(), **VALID_SETTINGS)

    assert ended.status == (2 if fault is folder and command != "keys check" else 1)
    assert ended.err.splitlines()[-1].startswith(f"DATABASE_URL: {file}")
    assert UNUSABLE[fault] in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
async def test_a_full_disk_is_not_reported_as_a_database_error(begun: World) -> None:
    settings = {**VALID_SETTINGS, "DATABASE_URL": begun.settings.database_url}
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", 'exec "$0" -m bot export acme > /dev/full', sys.executable),
        cwd=begun.database.directory,
        env={**INHERITED, "HOME": str(begun.database.directory), **settings},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()

    assert process.returncode == 1
    assert err.decode().splitlines() == ["standard output: No space left on device"]
