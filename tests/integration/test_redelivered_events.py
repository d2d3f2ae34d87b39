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

OTHER_CLIENT = "Best Cooling"


class FlakyDatabase:
    """A database that fails some of the writes: those with the given numbers."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self._begin = world.bot.database.begin
        self._failing: set[int] = set()
        self._count = 0
        monkeypatch.setattr(world.bot.database, "begin", self._begin_or_fail)

    def fail_writes(self, *numbers: int) -> None:
        """Fail these of the upcoming writes, counted from 1."""
        self._count, self._failing = 0, set(numbers)

    @asynccontextmanager
    async def _begin_or_fail(
        self, *, write: bool = True, background: bool = False
    ) -> AsyncIterator[Any]:
        if write and not background:
            self._count += 1
            if self._count in self._failing:
                raise Unavailable("the database does not answer")
        async with self._begin(write=write, background=background) as session:
            yield session


@pytest.fixture
async def two_clients(begun: World) -> World:
    """A world with two clients in one channel."""
    await begun.begin(OTHER_CLIENT)
    return begun


@pytest.fixture
def flaky(two_clients: World, monkeypatch: pytest.MonkeyPatch) -> FlakyDatabase:
    return FlakyDatabase(two_clients, monkeypatch)


def statuses(world: World) -> set[str]:
    return {status for (status,) in world.rows("SELECT status FROM onboarding")}


async def wait_for_both(world: World, status: str) -> None:
    """Wait for Slack's retries, and until both onboardings have this status."""
    await world.slack.delivered()
    await world.until(lambda: statuses(world) == {status})
    await world.idle()


async def resend(world: World, kind: str) -> None:
    """Have Slack send the last event of a kind once more."""
    body = json.dumps(world.last_event(kind)).encode()
    headers = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
    assert (await world.slack.post_signed(body, "application/json", headers=headers)).ok
    await world.idle()


@ON_BOTH
@pytest.mark.parametrize("failing_write", [1, 2])
async def test_both_onboardings_resume_despite_a_database_failure_midway(
    two_clients: World, flaky: FlakyDatabase, failing_write: int
) -> None:
    await two_clients.slack.admin.archive(two_clients.channel, two_clients.erin)
    await wait_for_both(two_clients, "paused")

    flaky.fail_writes(failing_write)
    await two_clients.slack.admin.unarchive(two_clients.channel, two_clients.erin)

    await wait_for_both(two_clients, "active")
    assert len(two_clients.events("resumed")) == 2


@pytest.mark.parametrize("failing_write", [1, 2])
async def test_both_onboardings_pause_despite_a_database_failure_midway(
    two_clients: World, flaky: FlakyDatabase, failing_write: int
) -> None:
    flaky.fail_writes(failing_write)
    await two_clients.slack.admin.uninstall()

    await wait_for_both(two_clients, "paused")
    assert len(two_clients.events("paused")) == 2


async def test_both_follow_a_moved_channel_despite_a_database_failure_midway(
    two_clients: World, flaky: FlakyDatabase
) -> None:
    flaky.fail_writes(2)
    await two_clients.slack.admin.change_id(two_clients.channel)
    new = (two_clients.channel.id,)

    def moved() -> bool:
        return set(two_clients.rows("SELECT channel FROM onboarding")) == {new}

    await two_clients.slack.until(moved, awaited="both to follow")
    assert len(two_clients.events("channel_moved")) == 2


async def test_a_join_is_recorded_for_both_despite_a_database_failure_midway(
    two_clients: World, flaky: FlakyDatabase
) -> None:
    flaky.fail_writes(2)
    await two_clients.slack.admin.invite(
        two_clients.channel,
        two_clients.slack.add_person("Bea Acme", two_clients.ann.team),
        two_clients.erin,
    )

    await two_clients.until(lambda: len(two_clients.events("client_joined")) == 2)
    await resend(two_clients, "member_joined_channel")
    assert len(two_clients.events("client_joined")) == 2


@ON_BOTH
async def test_a_secret_is_flagged_for_both_despite_a_database_failure_midway(
    two_clients: World, flaky: FlakyDatabase
) -> None:
    secret = two_clients.servicetitan.credentials["client_secret"]
    flaky.fail_writes(2)
    await two_clients.ann.say(two_clients.channel, f"done {secret}")

    await two_clients.until(lambda: len(two_clients.events("exposed")) == 2)
    await two_clients.idle()
    assert "Client Secret" in last_reply(two_clients.ann)
    warnings = len(two_clients.ann.ephemerals)
    await resend(two_clients, "message")
    assert len(two_clients.events("exposed")) == 2
    assert len(two_clients.ann.ephemerals) == warnings
    assert not two_clients.events("help_asked")


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
