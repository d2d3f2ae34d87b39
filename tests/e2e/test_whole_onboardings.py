"""Whole onboardings, from the command to “complete”, with the bot in its own process."""

import pytest

from sandbox.run import Stage
from sandbox.scenario import Play
from sandbox.scripted_people import LAST_CLIENT_STEP, opened, press_until_gone, submit
from sandbox.slack import Message, offers
from sandbox.summary import CallCount
from tests.databases import ON_SQLITE, AnyDatabase
from tests.e2e.staging import (
    ANNOUNCED_KINDS,
    DatabaseStage,
    finish_and_stop,
    rows,
    running_stage,
    slots,
)

STEPS = [f"step:{number}" for number in range(1, 26)]


class WithExistingAdmin(Play):
    """The client uses an existing admin account."""

    async def client_takes(self, number: int, message: Message) -> None:
        if offers(message, "choose_account:existing"):
            await press_until_gone(self.stage, self.stage.admin, message, "choose_account:existing")
        else:
            await super().client_takes(number, message)


class WithWrongSecret(Play):
    """Someone regenerates the secret before the client finishes, so the old one is rejected."""

    async def run(self) -> None:
        await self.engineer_starts()
        await self.client_walks()
        await self.engineer_finishes()
        await self.verification_passes(3)

    async def client_takes(self, number: int, message: Message) -> None:
        if number == LAST_CLIENT_STEP:
            self.stage.servicetitan.regenerate_secret()
            await self.client_enters_what_is_shown(number, message)
            await self.client_corrects_the_secret()
            await self.verification_passes(2)
            await press_until_gone(self.stage, self.stage.admin, message, "step_done")
        else:
            await super().client_takes(number, message)

    async def client_corrects_the_secret(self) -> None:
        slack, channel = self.stage.slack, self.stage.client_channel
        failed = await slack.until(lambda: slack.message(channel, "verification:1"))
        assert failed.payload["outcome"] == "failed"
        assert "client_secret" in failed.payload["fields"]
        await self.stage.admin.press(failed, "enter_credentials")
        form = await opened(self.stage, self.stage.admin, "enter_credentials")
        assert (await submit(self.stage.admin, form, self.stage.servicetitan.credentials)).ok


async def play(stage: Stage, play_type: type[Play]) -> None:
    await play_type(stage, CallCount(stage.slack)).run()


def assert_complete(stage: DatabaseStage, exit_status: int, verifications: int) -> None:
    """Every message posted once and in order, everything announced once, and a clean exit."""
    assert slots(stage)[:3] == ["root", "welcome", "step:1"]
    assert slots(stage, "step:") == STEPS
    expected = [f"verification:{number + 1}" for number in range(verifications)]
    assert slots(stage, "verification:") == expected
    pointers = slots(stage, "jump:")  # links to the current step after an undo
    assert len(slots(stage)) == 2 + len(STEPS) + verifications + len(pointers)
    assert rows(stage, "SELECT status, finished_steps FROM onboarding") == [("completed", 25)]
    assert rows(stage, "SELECT revision - published_revision FROM onboarding") == [(0,)]
    assert_announced_once(stage)
    assert exit_status == 0
    assert "Traceback" not in stage.bot.log_text()


def assert_announced_once(stage: DatabaseStage) -> None:
    kinds = ", ".join(f"'{kind}'" for kind in ANNOUNCED_KINDS)
    where = f"kind IN ({kinds}) AND coalesce(announced_ts, '?') <> ''"  # not the quiet ones
    events = rows(stage, f"SELECT id FROM event WHERE {where} ORDER BY id")  # noqa: S608
    announced = [message.slot for message in stage.engineering_channel.messages]
    assert announced == [f"announcement:{number}" for (number,) in events]


@pytest.mark.usefixtures("new_processes")
@pytest.mark.parametrize("socket_mode", [False, True], ids=["http", "socket"])
async def test_a_client_with_a_new_account_is_onboarded(
    database: AnyDatabase, socket_mode: bool
) -> None:
    async with running_stage(database, socket_mode=socket_mode) as stage:
        await play(stage, Play)

        assert_complete(stage, await finish_and_stop(stage), verifications=2)
        assert rows(stage, "SELECT DISTINCT state FROM step") == [("done",)]


@ON_SQLITE
async def test_a_client_with_an_existing_admin_is_onboarded(database: AnyDatabase) -> None:
    async with running_stage(database) as stage:
        await play(stage, WithExistingAdmin)

        assert_complete(stage, await finish_and_stop(stage), verifications=2)
        assert rows(stage, "SELECT number FROM step WHERE state = 'skipped'") == [(2,)]


@ON_SQLITE
async def test_a_client_with_a_wrong_secret_corrects_it_and_is_onboarded(
    database: AnyDatabase,
) -> None:
    async with running_stage(database) as stage:
        await play(stage, WithWrongSecret)

        assert_complete(stage, await finish_and_stop(stage), verifications=3)
        replaced = "SELECT field, version FROM credential WHERE version > 1 ORDER BY field"
        assert ("client_secret", 2) in rows(stage, replaced)
