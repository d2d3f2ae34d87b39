"""Events about several onboardings: one failure doesn't affect the rest, and a retry fixes it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.core.errors import Unavailable
from bot.core.loops import MAX_FAILURES_IN_A_ROW, for_each
from tests.databases import ON_BOTH
from tests.integration.world import World, last_reply

ANOTHER = "Best Cooling"


class Flaky:
    """A database that fails some of the writes: those with the given numbers."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self._begin = world.bot.database.begin
        self._away: set[int] = set()
        self._count = 0
        monkeypatch.setattr(world.bot.database, "begin", self._flaky)

    def is_away_at(self, *numbers: int) -> None:
        """Fail these of the upcoming writes, counted from 1."""
        self._count, self._away = 0, set(numbers)

    @asynccontextmanager
    async def _flaky(self, *, write: bool = True, background: bool = False) -> AsyncIterator[Any]:
        if write and not background:
            self._count += 1
            if self._count in self._away:
                raise Unavailable("the database does not answer")
        async with self._begin(write=write, background=background) as session:
            yield session


@pytest.fixture
async def two(begun: World) -> World:
    """A world with two clients in one channel."""
    await begun.begin(ANOTHER)
    return begun


@pytest.fixture
def flaky(two: World, monkeypatch: pytest.MonkeyPatch) -> Flaky:
    return Flaky(two, monkeypatch)


def statuses(world: World) -> set[str]:
    return {status for (status,) in world.rows("SELECT status FROM onboarding")}


async def both_are(world: World, status: str) -> None:
    """Wait for Slack's retries, and until both onboardings have this status."""
    await world.slack.delivered()
    await world.until(lambda: statuses(world) == {status})
    await world.idle()


async def again(world: World, kind: str) -> None:
    """Have Slack send the last event of a kind once more."""
    body = json.dumps(world.last_event(kind)).encode()
    headers = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
    assert (await world.slack.post_signed(body, "application/json", headers=headers)).ok
    await world.idle()


@ON_BOTH
@pytest.mark.parametrize("lost", [1, 2])
async def test_both_onboardings_resume_despite_a_database_failure_midway(
    two: World, flaky: Flaky, lost: int
) -> None:
    await two.slack.admin.archive(two.channel, two.erin)
    await both_are(two, "paused")

    flaky.is_away_at(lost)
    await two.slack.admin.unarchive(two.channel, two.erin)

    await both_are(two, "active")
    assert len(two.events("resumed")) == 2


@pytest.mark.parametrize("lost", [1, 2])
async def test_both_onboardings_pause_despite_a_database_failure_midway(
    two: World, flaky: Flaky, lost: int
) -> None:
    flaky.is_away_at(lost)
    await two.slack.admin.uninstall()

    await both_are(two, "paused")
    assert len(two.events("paused")) == 2


async def test_both_follow_a_moved_channel_despite_a_database_failure_midway(
    two: World, flaky: Flaky
) -> None:
    flaky.is_away_at(2)
    await two.slack.admin.change_id(two.channel)
    new = (two.channel.id,)

    def moved() -> bool:
        return set(two.rows("SELECT channel FROM onboarding")) == {new}

    await two.slack.until(moved, awaited="both to follow")
    assert len(two.events("channel_moved")) == 2


async def test_a_join_is_recorded_for_both_despite_a_database_failure_midway(
    two: World, flaky: Flaky
) -> None:
    flaky.is_away_at(2)
    await two.slack.admin.invite(
        two.channel, two.slack.add_person("Bea Acme", two.ann.team), two.erin
    )

    await two.until(lambda: len(two.events("client_joined")) == 2)
    await again(two, "member_joined_channel")
    assert len(two.events("client_joined")) == 2


@ON_BOTH
async def test_a_secret_is_flagged_for_both_despite_a_database_failure_midway(
    two: World, flaky: Flaky
) -> None:
    secret = two.servicetitan.credentials["client_secret"]
    flaky.is_away_at(2)
    await two.ann.say(two.channel, f"done {secret}")

    await two.until(lambda: len(two.events("exposed")) == 2)
    await two.idle()
    assert "Client Secret" in last_reply(two.ann)
    warnings = len(two.ann.ephemerals)
    await again(two, "message")
    assert len(two.events("exposed")) == 2
    assert len(two.ann.ephemerals) == warnings
    assert not two.events("help_asked")


async def test_a_loop_gives_up_after_several_failures_in_a_row() -> None:
    asked: list[str] = []

    async def work(onboarding_id: str) -> None:
        asked.append(onboarding_id)
        raise Unavailable("the database does not answer")

    with pytest.raises(Unavailable):
        await for_each(map(str, range(100)), work)

    assert len(asked) == MAX_FAILURES_IN_A_ROW


@pytest.mark.parametrize(
    ("tokens", "status"),
    [
        ({"oauth": ["U0SOMEBODY"]}, "active"),
        ({"oauth": ["U0SOMEBODY"], "bot": []}, "active"),
        ({"oauth": ["U0SOMEBODY"], "bot": None}, "active"),
        (None, "active"),
        ({"oauth": [], "bot": ["U0BOT"]}, "paused"),
        ({"bot": ["U0BOT"]}, "paused"),
    ],
)
async def test_only_revoking_the_bots_own_token_pauses_onboardings(
    begun: World, tokens: dict[str, Any] | None, status: str
) -> None:
    await begun.slack.admin.revoke(tokens)
    await begun.idle()

    assert statuses(begun) == {status}
