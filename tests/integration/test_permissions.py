"""Permissions: every role, action, and channel, decided from the signed payload alone."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from bot.onboarding.permissions import REFUSALS
from sandbox.slack import Channel, NotOfferedError, Person
from tests.databases import AnyDatabase
from tests.integration.world import World, last_reply, running_world

# The permission matrix of the design. “-” marks what Slack itself doesn't offer.
MATRIX = """
                                     step_done:7  step_undo:7  enter_credentials:11  step_help:7  step_done:23  run_verification:25  reveal_credentials:23  status
engineer                             yes          yes          yes                   yes          yes           yes                  yes                    yes
engineer by user group               yes          yes          yes                   yes          yes           yes                  yes                    yes
client's admin                       yes          yes          yes                   yes          no            no                   no                     -
guest named as admin                 yes          yes          yes                   yes          no            no                   no                     no
another of the client's people       yes          yes          yes                   yes          no            no                   no                     -
member of HeavySet, no engineer      no           no           no                    no           no            no                   no                     no
guest of HeavySet                    no           no           no                    no           no            no                   no                     no
engineer who became a guest          no           no           no                    no           no            no                   no                     no
engineer who was deactivated         no           no           no                    no           no            no                   no                     no
bot listed as engineer               no           no           no                    no           no            no                   no                     no
engineer, from another channel       no           no           no                    no           no            no                   no                     yes
client's admin, from another channel no           no           no                    no           no            no                   no                     -
another client's admin, forged id    no           no           no                    no           no            no                   no                     -
"""  # noqa: E501 (a table)

FORBIDDEN = (*REFUSALS.values(), "That button belongs to another channel.")


@dataclass(frozen=True)
class Caller:
    """A person, and the channel their request comes from."""

    person: Person
    channel: Channel


@dataclass
class Attempts:
    """Everyone who attempts an action."""

    world: World
    callers: dict[str, Caller]

    async def attempt(self, caller: Caller, action_name: str) -> str:
        """Have someone attempt an action, and return whether it's allowed."""
        before = len(caller.person.ephemerals)
        if action_name == "status":
            return await self._attempt_status(caller)
        action, _, step = action_name.partition(":")
        value = f"{self.world.onboarding}:{step}"
        root = self.world.message("root")
        await caller.person.press_raw(root, action, value, channel=caller.channel)
        await self.world.idle()
        if caller.person.view:
            await caller.person.close(caller.person.view)
        answered = len(caller.person.ephemerals) > before
        return "no" if answered and last_reply(caller.person).startswith(FORBIDDEN) else "yes"

    async def _attempt_status(self, caller: Caller) -> str:
        try:
            reply = await caller.person.command(caller.channel, "/servicetitan", "status")
        except NotOfferedError:
            return "-"
        return "no" if reply.text.startswith(FORBIDDEN) else "yes"


def all_callers(world: World) -> dict[str, Caller]:
    """Everyone who attempts an action, by role; all but the last three in the client's channel."""
    slack = world.slack
    people = {
        "engineer": world.erin,
        "engineer by user group": slack.add_person("Uma Group"),
        "client's admin": world.ann,
        "guest named as admin": slack.add_person("Nan Named", is_restricted=True),
        "another of the client's people": slack.add_person("Abe Acme", world.ann.team),
        "member of HeavySet, no engineer": slack.add_person("Max Member"),
        "guest of HeavySet": slack.add_person("Gus Guest", is_ultra_restricted=True),
        "engineer who became a guest": slack.add_person("Flo Former", is_restricted=True),
        "engineer who was deactivated": slack.add_person("Gil Gone", deleted=True),
        "bot listed as engineer": slack.add_person("Rob Robot", is_bot=True),
    }
    for person in people.values():
        world.channel.members[person.id] = person.user
    zoe = slack.add_person("Zoe Zenith", slack.add_team("Zenith Heating"))
    other = slack.add_channel("zenith", world.erin, zoe, world.ann)
    callers = {name: Caller(person, world.channel) for name, person in people.items()}
    callers["engineer, from another channel"] = Caller(world.erin, other)
    callers["client's admin, from another channel"] = Caller(world.ann, other)
    callers["another client's admin, forged id"] = Caller(zoe, other)
    return callers


def engineers_setting(world: World, callers: dict[str, Caller]) -> list[str]:
    """The value of ENGINEERS: people, some of whom no longer count, and a user group."""
    names = [name for name in callers if name.startswith("engineer who") or "bot" in name]
    group = world.slack.add_usergroup(callers["engineer by user group"].person)
    return [world.erin.id, group, *(callers[name].person.id for name in names)]


@pytest.fixture
async def attempts(database: AnyDatabase) -> AsyncIterator[Attempts]:
    async with running_world(database) as world:
        callers = all_callers(world)
        engineers = engineers_setting(world, callers)
        async with world.second_bot(engineers=engineers) as bot:
            world.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")
            world = replace(world, bot=bot)
            await world.begin(client_admins=[callers["guest named as admin"].person.id])
            yield Attempts(world, callers)


def parse(matrix: str) -> dict[str, list[str]]:
    """Parse the matrix: each role, with yes, no, or - for each action."""
    _, *lines = matrix.strip("\n").splitlines()
    return {line[:37].strip(): line[37:].split() for line in lines}


ACTIONS = MATRIX.strip("\n").splitlines()[0].split()


async def test_permissions_match_the_designed_matrix(
    attempts: Attempts, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = {
        name: [await attempts.attempt(caller, action_name) for action_name in ACTIONS]
        for name, caller in attempts.callers.items()
    }

    with capsys.disabled():
        print()  # noqa: T201 (show the matrix)
        print(" " * 36, *ACTIONS)  # noqa: T201
        for name, answers in measured.items():
            print(f"{name:36}", *(f"{a:{len(d)}}" for a, d in zip(answers, ACTIONS, strict=True)))  # noqa: T201
    assert measured == parse(MATRIX)


async def test_every_refusal_is_private_and_leaves_a_record(attempts: Attempts) -> None:
    messages = len(attempts.world.channel.messages)
    refused = [name for name, answers in parse(MATRIX).items() if answers[0] == "no"]

    for name in refused:
        await attempts.attempt(attempts.callers[name], "step_done:7")

    recorded = [actor for actor, _step in attempts.world.events("refused")]
    assert recorded == [attempts.callers[name].person.id for name in refused]
    assert len(attempts.world.channel.messages) == messages
    assert all(attempts.callers[name].person.ephemerals for name in refused)


async def test_only_the_person_who_opened_a_form_can_submit_it(attempts: Attempts) -> None:
    world, abe = attempts.world, attempts.callers["another of the client's people"].person
    form = await world.open(world.ann, "step:1", "step_help")
    await world.submit(world.ann, form, question="Is this right?")
    payload = world.last_interaction
    payload["user"]["id"] = abe.id
    payload["view"]["id"] = "V0FORGED"

    await world.send(payload)

    assert len(world.events("help_asked")) == 1
