"""SIGTERM: acknowledged work is finished, requests in flight are answered, then the bot exits."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from sandbox.bot_process import BotProcess
from sandbox.slack import Channel, Message, Person, offers
from tests.databases import ON_SQLITE, AnyDatabase
from tests.e2e.staging import DatabaseStage, rows, running_stage, slots

STOP_SECONDS = 10.0  # seconds, as promised
TRANSPORTS = pytest.mark.parametrize("socket_mode", [False, True], ids=["http", "socket"])


@asynccontextmanager
async def stage_at_step_1(database: AnyDatabase, **settings: Any) -> AsyncIterator[DatabaseStage]:
    """A stage with an onboarding at its first step."""
    async with running_stage(database, **settings) as stage:
        await stage.engineer.command(stage.client_channel, "/servicetitan", "start Acme Plumbing")
        form = await stage.slack.until(lambda: stage.engineer.view)
        assert (await stage.engineer.submit(form)).ok
        await stage.slack.until(lambda: stage.slack.message(stage.client_channel, "step:1"))
        yield stage


async def wait_until_published(stage: DatabaseStage) -> None:
    """Wait until Slack shows the newest state, however slow the machine is."""
    async with asyncio.timeout(60):
        query = "SELECT 1 FROM onboarding WHERE revision > published_revision"
        while rows(stage, query):  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.02)


class HeldCalls:
    """Calls to one method that Slack receives but doesn't answer until released."""

    def __init__(self, stage: DatabaseStage, method: str) -> None:
        self._method, self.arrived, self.released = method, asyncio.Event(), asyncio.Event()
        stage.slack.guard(self._gate)

    async def _gate(self, moment: str, method: str, _arguments: dict[str, Any]) -> bool:
        if (moment, method) == ("arrived", self._method):
            self.arrived.set()
            await self.released.wait()
        return True


@ON_SQLITE
@TRANSPORTS
async def test_a_press_in_flight_at_shutdown_is_completed_and_acknowledged(
    database: AnyDatabase, socket_mode: bool
) -> None:
    async with stage_at_step_1(database, socket_mode=socket_mode) as stage:
        held = HeldCalls(stage, "users.info")  # looked up for anyone from HeavySet who presses
        step = stage.slack.message(stage.client_channel, "step:1")
        assert step
        newcomer = stage.slack.add_person("Max Member")
        await stage.slack.admin.invite(stage.client_channel, newcomer, stage.engineer)
        pressing = asyncio.create_task(newcomer.press(step, "choose_account:new"))
        async with asyncio.timeout(STOP_SECONDS):
            await held.arrived.wait()

        stopping = asyncio.create_task(stage.bot.stop())
        await stage.bot.retires()
        held.released.set()

        assert (await pressing).ack.ok
        assert await stopping == 0
        assert rows(stage, "SELECT kind FROM event WHERE kind = 'step_done'") == [("step_done",)]


@ON_SQLITE
@TRANSPORTS
async def test_a_hanging_slack_call_does_not_block_shutdown(
    database: AnyDatabase, socket_mode: bool
) -> None:
    async with stage_at_step_1(database, socket_mode=socket_mode) as stage:
        held = HeldCalls(stage, "chat.postMessage")
        step = stage.slack.message(stage.client_channel, "step:1")
        assert step
        assert (await stage.admin.press(step, "choose_account:new")).ack.ok
        async with asyncio.timeout(STOP_SECONDS):
            await held.arrived.wait()

        began = time.monotonic()
        assert await stage.bot.stop() == 0
        assert time.monotonic() - began < STOP_SECONDS
        held.released.set()

        assert rows(stage, "SELECT lease_owner FROM onboarding") == [(None,)]
        restarted = await BotProcess.start(stage.bot.environment, stage.directory)
        await wait_until_published(stage)
        assert slots(stage) == ["root", "welcome", "step:1", "step:2"]
        assert await restarted.stop() == 0
        assert offers(step, "step_done") is False


class BusyClients:
    """Several clients' admins, each pressing whatever their thread offers next."""

    def __init__(self, stage: DatabaseStage) -> None:
        self._stage = stage
        self.handled = 0
        self.unacknowledged: list[str] = []
        self.finished = False

    async def start(self, name: str) -> tuple[Person, Channel]:
        """Start a client's onboarding."""
        stage = self._stage
        admin = stage.slack.add_person(f"{name} Admin", stage.slack.add_team(name))
        channel = stage.slack.add_channel(name.lower(), stage.engineer, admin)
        await stage.engineer.command(channel, "/servicetitan", f"start {name}")
        form = await stage.slack.until(lambda: stage.engineer.view)
        assert (await stage.engineer.submit(form)).ok
        return admin, channel

    async def keep_pressing(self, admin: Person, channel: Channel) -> None:
        """Finish steps 1 through 10, then keep undoing and redoing step 10 until told to stop."""
        await self._press(admin, channel, 1, "choose_account:new")
        for number in range(2, 11):
            await self._press(admin, channel, number, "step_done")
        while not self.finished:
            await self._press(admin, channel, 10, "step_undo")
            await self._press(admin, channel, 10, "step_done")

    async def _press(self, admin: Person, channel: Channel, number: int, action_id: str) -> None:
        slack = self._stage.slack

        def offered() -> Message | None:
            step = slack.message(channel, f"step:{number}")
            return step if step and offers(step, action_id) else None

        step = await slack.until(offered, 30, f"{action_id} at step {number}")
        replies = len(admin.ephemerals)
        ack = (await admin.press(step, action_id)).ack
        if not ack.ok:
            self.unacknowledged.append(f"{action_id} {number}: {ack}")
        await slack.until(
            lambda: not offers(step, action_id) or len(admin.ephemerals) > replies, 30, "an answer"
        )
        if offers(step, action_id):  # the database was too busy, and a notice said so
            await self._press(admin, channel, number, action_id)
        else:
            self.handled += 1


@TRANSPORTS
async def test_a_rolling_restart_under_load_loses_no_press(
    database: AnyDatabase, socket_mode: bool
) -> None:
    async with (
        running_stage(database, socket_mode=socket_mode) as stage,
        AsyncExitStack() as processes,
    ):
        bot, busy = stage.bot, BusyClients(stage)
        clients = [await busy.start(f"Client{number}") for number in range(4)]
        pressing = asyncio.gather(*(busy.keep_pressing(*client) for client in clients))
        await stage.slack.until(lambda: busy.handled > 2 * len(clients), 30, "the load")
        successor = await BotProcess.start(bot.environment, database.directory)
        processes.push_async_callback(successor.stop)
        if socket_mode:
            await stage.slack.until(lambda: stage.slack.connections == 2 or None)
        stopping = asyncio.create_task(bot.stop())
        await bot.retires()  # only then does a load balancer switch over
        stage.slack.deliver_to(successor.events_url)
        assert await stopping == 0
        busy.finished = True
        await pressing
        await wait_until_published(stage)

        # When a socket closes, requests in flight are carried out but can't be acknowledged.
        assert socket_mode or busy.unacknowledged == []
        done = "SELECT count(*) FROM event WHERE kind IN ('step_done', 'step_undone')"
        assert rows(stage, done) == [(busy.handled,)]
        expected = ["root", "welcome", *(f"step:{number}" for number in range(1, 12))]
        for _, channel in clients:
            slots = [message.slot for message in channel.messages]
            assert [slot for slot in slots if not (slot or "").startswith("jump:")] == expected
        assert await successor.stop() == 0
        assert "Traceback" not in successor.log_text()
