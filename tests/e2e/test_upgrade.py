"""The last release, taken from git, runs while and after its database is upgraded."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from sandbox.bot_process import ROOT, BotFailedError, BotProcess, run_command
from sandbox.run import MANIFEST, Stage
from sandbox.scenario import Play
from sandbox.scripted_people import LAST_CLIENT_STEP, steps
from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Manifest, SlackSandbox
from sandbox.summary import CallCount
from storage import migrate
from tests.databases import Server
from tests.integration.world import KEY
from tests.releases import RELEASES, survived_by

RELEASE = list(RELEASES.values())[-1]
UPGRADE = ("-m", "bot", "db", "upgrade")


class PausingPlay(Play):
    """A client who pauses at a step."""

    done = 0

    async def client_walks(self, until: int = LAST_CLIENT_STEP + 1) -> None:
        async for number, message in steps(self.stage, self.done, until):
            await self.client_takes(number, message)
            self.done = number


@pytest.fixture
def old_code(tmp_path: Path) -> Path:
    """The files of the last release."""
    archive = subprocess.run(
        ["git", "archive", RELEASE.commit],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        pytest.skip("this clone has no history: the last release was not run on the new tables")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(tmp_path / "old", filter="data")
    return tmp_path / "old"


@pytest.mark.long
@pytest.mark.usefixtures("new_processes")
async def test_the_old_release_works_mid_upgrade_until_the_new_one_takes_over(
    server: Server, old_code: Path, tmp_path: Path
) -> None:
    async with (
        SlackSandbox(Manifest.read(MANIFEST)) as slack,
        ServiceTitanSandbox(seed=3) as servicetitan,
    ):
        with server.database() as url:
            erin = slack.add_person("Erin Engineer")
            ann = slack.add_person("Ann Admin", slack.add_team("Acme Plumbing"))
            engineering = slack.add_channel("engineering", erin, private=True)
            settings = {
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_SIGNING_SECRET": slack.signing_secret,
                "SLACK_API_URL": slack.api_url,
                "ENGINEERING_CHANNEL": engineering.id,
                "ENGINEERS": erin.id,
                "CREDENTIAL_KEYS": KEY,
                "DATABASE_URL": url,
                "SERVICETITAN_AUTH_URL": servicetitan.auth_url,
                "SERVICETITAN_API_URL": servicetitan.api_url,
            }
            old_settings = {**settings, "PYTHONPATH": str(old_code)}
            await run_command(old_settings, tmp_path, UPGRADE)
            old = await BotProcess.start(old_settings, tmp_path)
            slack.deliver_to(old.events_url)
            first, second = (
                PausingPlay(
                    Stage(
                        slack=slack,
                        servicetitan=servicetitan,
                        directory=tmp_path,
                        engineer=erin,
                        admin=ann,
                        client_channel=slack.add_channel(name, erin, ann),
                        engineering_channel=engineering,
                        bot=old,
                        patience=30.0,
                    ),
                    CallCount(slack),
                )
                for name in ("acme", "beta")
            )
            await first.engineer_starts()
            await first.client_walks(until=6)

            migrate.upgrade(url, survived_by(RELEASE))
            await first.client_walks(until=12)
            await second.engineer_starts()
            await second.client_walks(until=4)
            assert "Traceback" not in old.log_text()

            with pytest.raises(BotFailedError, match="stop every bot"):
                await run_command(settings, tmp_path, UPGRADE)
            await first.client_walks(until=14)
            assert await old.stop() == 0
            await run_command(settings, tmp_path, UPGRADE)
            new = await BotProcess.start(settings, tmp_path)
            slack.deliver_to(new.events_url)
            try:
                for play in (first, second):
                    await play.client_walks()
                    await play.verification_passes(1)
                checked = await run_command(settings, tmp_path, ("-m", "bot", "db", "check"))
            finally:
                await new.stop()

    assert "2 onboardings: history intact" in checked
