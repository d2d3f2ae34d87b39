"""`onboarding init`, run by a script and by a person at a terminal."""

import json
import signal
import stat
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli.command import program
from sandbox.bot_process import BotProcess
from sandbox.run import MANIFEST
from sandbox.slack import Channel, Manifest, Person, SlackSandbox
from tests.commands import INHERITED, CommandResult, onboarding
from tests.integration.terminal import Terminal, terminal
from tests.integration.world import KEY


@dataclass(frozen=True)
class Workspace:
    """A new workspace, with the app installed from its manifest."""

    slack: SlackSandbox
    engineering: Channel
    erin: Person
    directory: Path

    @property
    def flags(self) -> Mapping[str, str]:
        """The flags for a Socket Mode setup."""
        return {
            "--bot-token": self.slack.bot_token,
            "--app-token": self.slack.app_token,
            "--engineering-channel": self.engineering.id,
            "--engineers": self.erin.id,
        }

    @property
    def env(self) -> Path:
        return self.directory / ".env"

    async def init(self, **more: str) -> CommandResult:
        """Run `onboarding init --yes` with the answers, some replaced; empty ones are left out."""
        flags = {**self.flags, **{f"--{name.replace('_', '-')}": more[name] for name in more}}
        words = [word for name, value in flags.items() if value for word in (name, value)]
        return await onboarding(
            self.directory, "init", "--yes", *words, SLACK_API_URL=self.slack.api_url
        )

    def at_terminal(self) -> AbstractAsyncContextManager[Terminal]:
        return terminal(
            [sys.executable, "-m", "bot", "init"],
            self.directory,
            {
                **INHERITED,
                "HOME": str(self.directory),
                "SLACK_API_URL": self.slack.api_url,
                "PYTHONUTF8": "1",
            },
        )


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with SlackSandbox(Manifest.read(MANIFEST)) as slack:
        erin = slack.add_person("Erin Engineer")
        engineering = slack.add_channel("engineering", erin)
        yield Workspace(slack, engineering, erin, tmp_path)


async def test_a_scripted_init_writes_settings_the_bot_can_run_with(workspace: Workspace) -> None:
    ended = await workspace.init()

    assert (ended.status, ended.err) == (0, "")
    assert stat.S_IMODE(workspace.env.stat().st_mode) == 0o600
    assert "onboarding run" in ended.out
    assert not [value for value in workspace.flags.values() if "x" in value and value in ended.out]
    manifest = json.loads((workspace.directory / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert "example.com" not in str(manifest)
    url = {"SLACK_API_URL": workspace.slack.api_url}
    bot = await BotProcess.start(url, workspace.directory)
    await workspace.slack.until(lambda: workspace.slack.connections or None)
    assert await bot.stop() == 0


@pytest.mark.parametrize(
    ("invoked_as", "name"),
    [(".venv/bin/onboarding", ".venv/bin/onboarding"), ("/srv/bot/__main__.py", "onboarding")],
)
def test_next_steps_name_the_command_as_it_was_invoked(
    monkeypatch: pytest.MonkeyPatch, invoked_as: str, name: str
) -> None:
    monkeypatch.setattr(sys, "argv", [invoked_as])

    assert program() == name


async def test_http_init_puts_the_url_in_the_manifest_and_clears_the_app_token(
    workspace: Workspace,
) -> None:
    await workspace.init()

    ended = await workspace.init(
        transport="http",
        address="https://bot.heavyset.tech/slack/events",
        signing_secret="5a4db0c5167a5cad2c4ea1ed00000001",
        app_token="",
    )

    assert (ended.status, ended.err) == (0, "")
    assert "Verified" in ended.out
    manifest = (workspace.directory / "manifest.json").read_text(encoding="utf-8")
    assert manifest.count('"https://bot.heavyset.tech/slack/events"') == 3
    assert "SLACK_APP_TOKEN=\n" in workspace.env.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"bot_token": "xoxb-of-another-workspace"}, "Slack token: refused (invalid_auth)"),
        ({"app_token": "xapp-1-of-another-app"}, "Slack app token: refused"),
        ({"engineering_channel": "C0ELSEWHERE"}, "engineering channel: not visible"),
        ({"engineering_channel": "#engineering"}, "must be a channel ID"),
        ({"engineers": "U0NOBODY"}, "U0NOBODY adds no engineer"),
        ({"engineers": ""}, "ENGINEERS: is missing; give it with --engineers"),
        ({"transport": "http", "address": "http://localhost"}, "--address: must be https://"),
    ],
)
async def test_a_scripted_init_with_a_wrong_answer_writes_nothing(
    workspace: Workspace, wrong: dict[str, str], words: str
) -> None:
    ended = await workspace.init(**wrong)

    assert ended.status == 2
    assert words in ended.out + ended.err
    assert "Traceback" not in ended.err
    assert list(workspace.directory.iterdir()) == []


async def test_existing_keys_and_settings_are_kept(workspace: Workspace) -> None:
    workspace.env.write_text(f"# ours\nPORT=8080 # the proxy's\nCREDENTIAL_KEYS={KEY}\n")

    ended = await workspace.init()

    assert (ended.status, ended.err) == (0, "")
    written = workspace.env.read_text(encoding="utf-8")
    assert written.startswith(f"# ours\nPORT=8080 # the proxy's\nCREDENTIAL_KEYS={KEY}\n")
    assert f"\nENGINEERS={workspace.erin.id}\n" in written


async def test_interactive_init_checks_each_answer_and_hides_secrets(
    workspace: Workspace,
) -> None:
    slack = workspace.slack
    async with workspace.at_terminal() as shell:
        await shell.answer("Transport", "socket")
        await shell.answer_hidden("Bot token", "xoxb-with-a-typo")
        await shell.until("✗ Slack token: refused (invalid_auth)")
        await shell.answer("Keep this answer anyway?", "n")
        await shell.answer_hidden("Bot token", slack.bot_token)
        await shell.until("✓ Slack scopes: all granted")
        await shell.answer_hidden("App-level token", slack.app_token)
        await shell.until("✓ Slack app token")
        await shell.answer("Engineering channel", workspace.engineering.id)
        await shell.until("✓ engineering channel: the bot is a member of #engineering")
        await shell.answer("Engineers", f"{workspace.erin.id}, everyone")
        await shell.until("ENGINEERS: must be user ids")
        await shell.answer("Engineers", workspace.erin.id)
        await shell.until("onboarding doctor")
        status = await shell.end()

    assert status == 0
    secrets = [slack.bot_token, slack.app_token, "xoxb-with-a-typo"]
    written = workspace.env.read_text(encoding="utf-8")
    assert not [secret for secret in secrets if secret in shell.shown]
    assert f"\nSLACK_BOT_TOKEN={slack.bot_token}\n" in written
    assert stat.S_IMODE(workspace.env.stat().st_mode) == 0o600


async def test_ctrl_c_leaves_the_env_file_unchanged(workspace: Workspace) -> None:
    workspace.env.write_text(f"CREDENTIAL_KEYS={KEY}\n")
    async with workspace.at_terminal() as shell:
        await shell.answer("Transport", "")
        await shell.answer_hidden("Bot token", workspace.slack.bot_token)
        await shell.until("App-level token")
        status = await shell.interrupt()

    assert status in (1, -signal.SIGINT)  # the latter if pressed again while Python was exiting
    assert workspace.env.read_text(encoding="utf-8") == f"CREDENTIAL_KEYS={KEY}\n"
    remaining = {path.name for path in workspace.directory.iterdir()}
    assert remaining == {".env", "manifest.json"}
    assert json.loads((workspace.directory / "manifest.json").read_text(encoding="utf-8"))


async def test_an_env_file_is_replaced_only_after_confirmation(workspace: Workspace) -> None:
    await workspace.init()
    before = workspace.env.read_text(encoding="utf-8")
    async with workspace.at_terminal() as shell:
        await shell.answer("Transport", "")
        await shell.answer_hidden("[keep the one there is]", "")
        await shell.answer_hidden("App-level token", "")
        await shell.answer("Engineering channel", "")
        await shell.answer("Engineers", "everyone")
        await shell.answer("Replace these settings in .env?", "n")
        status = await shell.end()

    assert status == 1
    assert workspace.env.read_text(encoding="utf-8") == before
