"""Files with secrets are private to the bot's user: those it creates and those it finds."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.bot_process import BotProcess
from sandbox.slack import SlackSandbox
from tests.commands import INHERITED, onboarding
from tests.databases import ON_SQLITE
from tests.integration.test_cli import VALID_SETTINGS, settings_for, slack
from tests.integration.world import World

__all__ = ["slack"]


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """The umask of most machines: everyone can read new files."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(directory: Path) -> list[str]:
    return [
        path.name
        for path in directory.rglob("*")
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


def a_database(directory: Path, **settings: str) -> dict[str, str]:
    return {**VALID_SETTINGS, **settings, "DATABASE_URL": f"sqlite:///{directory}/onboarding.db"}


def of_process(pid: int, name: str) -> list[str]:
    return Path(f"/proc/{pid}/{name}").read_text().splitlines()


async def test_the_database_and_its_backup_are_private(tmp_path: Path) -> None:
    assert (await onboarding(tmp_path, "db", "upgrade", **a_database(tmp_path))).status == 0
    assert (await onboarding(tmp_path, "db", "backup", "copy.db", **a_database(tmp_path))).out

    assert open_to_others(tmp_path) == []


@ON_SQLITE
async def test_an_exported_file_is_private(begun: World) -> None:
    directory = begun.database.directory
    settings = {
        **VALID_SETTINGS,
        "DATABASE_URL": begun.settings.database_url,
        "SLACK_API_URL": begun.slack.api_url,
    }

    await onboarding(directory, "export", "acme", "-o", "acme.md", **settings)

    assert stat.S_IMODE((directory / "acme.md").stat().st_mode) == 0o600


@pytest.mark.usefixtures("new_processes")
async def test_a_running_bot_creates_private_files_and_no_core_dumps(
    tmp_path: Path, slack: SlackSandbox
) -> None:
    bot = await BotProcess.start(a_database(tmp_path, **settings_for(slack)), tmp_path)
    status, limits = of_process(bot.pid, "status"), of_process(bot.pid, "limits")
    made = [name for name in open_to_others(tmp_path) if name.startswith("onboarding.db")]
    log = bot.log_text()
    await bot.stop()

    assert "Umask:\t0077" in status
    [core] = [line for line in limits if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]
    assert made == []
    assert "other users of this machine" not in log


@pytest.mark.parametrize("mode", [0o604, 0o660])
async def test_files_others_can_access_cause_a_warning_but_are_used(
    tmp_path: Path, slack: SlackSandbox, mode: int
) -> None:
    """A container's secrets belong to root and everyone can read them: the bot must start."""
    settings = a_database(tmp_path, **settings_for(slack))
    await onboarding(tmp_path, "db", "upgrade", **settings)
    token = tmp_path / "token"
    token.write_text(slack.bot_token)
    (tmp_path / ".env").write_text("SLACK_BOT_TOKEN_FILE=token\n")
    for name in ("token", ".env", "onboarding.db"):
        (tmp_path / name).chmod(mode)
    del settings["SLACK_BOT_TOKEN"]
    settings["SLACK_API_URL"] = slack.api_url

    bot = await BotProcess.start(settings, tmp_path)
    await bot.stop()

    may = "change" if mode & 0o022 else "read"
    for name in (".env", "SLACK_BOT_TOKEN_FILE", "the database"):
        assert f"{name}: other users of this machine may {may} this file" in bot.log_text()


async def test_doctor_warns_about_files_others_can_read(
    tmp_path: Path, slack: SlackSandbox
) -> None:
    (tmp_path / ".env").write_text("")
    (tmp_path / ".env").chmod(0o644)
    settings = a_database(tmp_path, **settings_for(slack))

    warned = await onboarding(tmp_path, "doctor", **settings)
    (tmp_path / ".env").chmod(0o600)
    private = await onboarding(tmp_path, "doctor", **settings)

    assert ".env: other users of this machine may read this file (mode 0644)" in (
        warned.out + warned.err
    )
    assert "✓ files: no other user" in private.out + private.err


async def test_systemd_credentials_cause_no_warning(tmp_path: Path, slack: SlackSandbox) -> None:
    """systemd grants the service's user access by an ACL, which shows up as group permission."""
    token = tmp_path / "token"
    token.write_text(slack.bot_token)
    token.chmod(0o440)
    settings = {
        **settings_for(slack),
        "SLACK_BOT_TOKEN_FILE": str(token),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    del settings["SLACK_BOT_TOKEN"]

    ended = await onboarding(tmp_path, "doctor", **settings)

    assert "✓ files: no other user" in ended.out + ended.err


def test_the_sandbox_creates_private_files() -> None:
    """The sandbox has the bot's key in its environment, and credentials in its fake workspace."""
    code = (
        "import asyncio, os; from bot.cli.main import main;"
        "asyncio.run = lambda work: work.close() or print(oct(os.umask(0)));"
        "main(['sandbox', '--play'])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], env=INHERITED, capture_output=True, text=True, check=True
    )

    assert done.stdout == "0o77\n"
