"""The world that most tests live in."""

from collections.abc import AsyncIterator

import pytest

from bot.verification.sender import Sender
from sandbox.slack import SlackSandbox
from tests.databases import AnyDatabase
from tests.integration.world import World, running_world

# Seconds: longer than any machine stands still, however busy.
AMPLE = 20.0


@pytest.fixture(autouse=True)
def ample_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give Slack and the bot all the time they need, unless the test is about how long it takes."""
    if request.node.get_closest_marker("slow_slack"):
        return
    for bound in ("bot.app.bolt.PRESS_SECONDS", "bot.app.bolt.ANSWER_SECONDS"):
        monkeypatch.setattr(bound, AMPLE)
    monkeypatch.setattr("handlers.commands.COMMAND_SECONDS", AMPLE)
    monkeypatch.setattr("sandbox.slack.state.TRIGGER_LIFETIME", AMPLE)
    assert SlackSandbox.__init__.__kwdefaults__
    monkeypatch.setitem(SlackSandbox.__init__.__kwdefaults__, "ack_deadline", AMPLE)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try ServiceTitan again at once."""

    async def sleep(_seconds: float) -> None:
        pass

    defaults = Sender.__init__.__kwdefaults__
    assert defaults
    assert "sleep" in defaults
    monkeypatch.setitem(defaults, "sleep", sleep)


@pytest.fixture
async def world(database: AnyDatabase) -> AsyncIterator[World]:
    async with running_world(database) as world:
        yield world


@pytest.fixture
async def begun(world: World) -> World:
    """A world in which Acme's onboarding has begun."""
    await world.begin()
    return world
