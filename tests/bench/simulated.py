"""Ten minutes in a few seconds: the bot, Slack and the people on one clock that skips waits.

What it can't show is CPU time; what it shows exactly is what Slack's rate limits do.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from sandbox.slack import Channel, Message, offers
from sandbox.slack.change_feed import Change, MessageEdited
from tests import virtual_time
from tests.integration.world import World, running_world
from tests.virtual_time import Clock, use_clock_for_signatures

Result = TypeVar("Result")

CALL_SECONDS = 0.08
LIMITS_RESET_SECONDS = 120.0  # by then, Slack's counters are empty
TIMEOUT_SECONDS = 600.0


async def simulate(scenario: Callable[[World], Awaitable[Result]]) -> Result:
    """Run a scenario in a world with virtual time."""

    async def run(clock: Clock) -> Result:
        with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
            use_clock_for_signatures(clock, patch)
            async with _world(Path(name), clock) as world:
                return await scenario(world)

    return await asyncio.to_thread(virtual_time.run, run)


@asynccontextmanager
async def _world(directory: Path, clock: Clock) -> AsyncIterator[World]:
    monotonic = asyncio.get_running_loop().time
    async with running_world(
        directory, clock=clock, monotonic=monotonic, sweep_interval=5, latency=CALL_SECONDS
    ) as world:
        yield world


@dataclass
class Timings:
    """Seconds from a press until the next step is visible, and until the pressed button is gone."""

    waits: list[float] = field(default_factory=list)
    button_gone: list[float] = field(default_factory=list)
    _pressed: dict[str, float] = field(default_factory=dict)  # by the message's ts

    def pressed(self, message: Message) -> None:
        self._pressed[message.ts] = asyncio.get_running_loop().time()

    def changed(self, change: Change) -> None:
        """Look at a change in Slack."""
        if isinstance(change, MessageEdited) and not offers(change.message, "step_done"):
            pressed_at = self._pressed.pop(change.message.ts, None)
            if pressed_at is not None:
                self.button_gone.append(asyncio.get_running_loop().time() - pressed_at)


class Client:
    """A client's admin who does the steps one by one."""

    def __init__(self, world: World, channel: Channel, timings: Timings) -> None:
        self._world, self._channel, self._timings = world, channel, timings
        self.step = 1

    @classmethod
    async def begin(cls, world: World, name: str, timings: Timings) -> "Client":
        """Start an onboarding in a channel of its own."""
        slack, erin = world.slack, world.erin
        channel = slack.add_channel(name.lower().replace(" ", "-"), erin, world.ann)
        await erin.command(channel, "/servicetitan", f"start {name}")
        form = await slack.until(lambda: erin.view, TIMEOUT_SECONDS)
        assert (await erin.submit(form)).ok
        client = cls(world, channel, timings)
        await slack.until(client._message, TIMEOUT_SECONDS)
        return client

    async def press(self) -> None:
        """Do the current step, and wait until the next one is visible."""
        message, loop = self._message(), asyncio.get_running_loop()
        assert message
        choice = "choose_account:new"
        action = choice if offers(message, choice) else "step_done"
        began = loop.time()
        self._timings.pressed(message)
        assert (await self._world.ann.press(message, action)).ack.ok
        self.step += 1
        await self._world.slack.until(self._message, TIMEOUT_SECONDS)
        self._timings.waits.append(loop.time() - began)

    def _message(self) -> Message | None:
        return self._world.slack.message(self._channel, f"step:{self.step}")
