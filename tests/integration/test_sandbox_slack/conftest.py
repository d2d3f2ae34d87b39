"""A pretend Slack on a frozen clock, with one client, and the smallest bot there can be."""

from collections.abc import AsyncIterator

import pytest

from sandbox.slack import Channel, Manifest, Person, SlackSandbox, Team
from tests.stub_bot import FrozenClock, StubBot

SCOPES = """
    chat:write commands channels:read channels:history channels:join groups:read groups:history
    im:read im:write im:history users:read usergroups:read reactions:write pins:write
"""
EVENTS = "message.channels member_joined_channel channel_archive channel_id_changed app_home_opened"


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def slack(clock: FrozenClock) -> AsyncIterator[SlackSandbox]:
    manifest = Manifest(
        scopes=frozenset(SCOPES.split()),
        bot_events=frozenset(EVENTS.split()),
        commands={"/servicetitan": ""},
        has_home=True,
    )
    async with SlackSandbox(manifest, clock=clock, event_retries=()) as slack:
        yield slack


@pytest.fixture
async def bot(slack: SlackSandbox) -> AsyncIterator[StubBot]:
    async with StubBot(slack) as bot:
        yield bot


@pytest.fixture
def acme(slack: SlackSandbox) -> Team:
    return slack.add_team("Acme Plumbing")


@pytest.fixture
def erin(slack: SlackSandbox) -> Person:
    return slack.add_person("Erin")


@pytest.fixture
def ann(slack: SlackSandbox, acme: Team) -> Person:
    return slack.add_person("Ann", acme)


@pytest.fixture
def channel(slack: SlackSandbox, erin: Person, ann: Person) -> Channel:
    return slack.add_channel("acme", erin, ann)
