"""An onboarding belongs to one client organization; anyone else is referred to its contacts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from sandbox.slack import Person
from tests.databases import AnyDatabase
from tests.integration.world import World, last_reply, running_world

CONTACT_REQUIRED = "Choose at least one person from the client"


@dataclass
class SharedChannel:
    """A channel with the client in it, and someone from a third company."""

    world: World
    zoe: Person

    async def begin(self, *contacts: Person) -> str:
        return await self.world.begin(client_admins=[contact.id for contact in contacts])


@pytest.fixture
async def shared_channel(database: AnyDatabase) -> AsyncIterator[SharedChannel]:
    async with running_world(database) as world:
        yield SharedChannel(world, add_outsider(world))


def add_outsider(world: World, name: str = "Zoe Zenith") -> Person:
    zoe = world.slack.add_person(name, world.slack.add_team(f"Zenith of {name}"))
    world.slack.join(world.channel, zoe.user)
    return zoe


async def say(world: World, person: Person, text: str) -> None:
    await person.say(world.channel, text, world.message("root").ts)
    await world.slack.delivered()
    await world.idle()


async def test_only_the_contacts_organization_can_act(shared_channel: SharedChannel) -> None:
    world = shared_channel.world
    await shared_channel.begin(world.ann)

    await world.press(shared_channel.zoe, "step:1", "choose_account:new")
    assert world.current == 1
    await world.press(world.ann, "step:1", "choose_account:new")

    assert world.current == 2
    assert world.rows("SELECT client_team FROM onboarding") == [(world.ann.team.id,)]


async def test_a_refused_person_is_told_whom_to_ask(shared_channel: SharedChannel) -> None:
    world = shared_channel.world
    await shared_channel.begin(world.ann)

    await world.press(shared_channel.zoe, "step:1", "choose_account:new")

    assert f"Please ask <@{world.ann.id}> or <@{world.erin.id}>." in last_reply(shared_channel.zoe)
    assert world.events("refused") == [(shared_channel.zoe.id, None)]


@pytest.mark.parametrize("word", ["new", "done", "undo", "help", "status", "help Where is it?"])
async def test_typed_words_from_another_organization_are_refused(
    shared_channel: SharedChannel, word: str
) -> None:
    world = shared_channel.world
    await shared_channel.begin(world.ann)

    await say(world, shared_channel.zoe, word)

    assert world.current == 1
    assert "Please ask" in last_reply(shared_channel.zoe)
    assert world.events("help_asked") == []


async def test_a_third_company_that_just_talks_is_left_alone(shared_channel: SharedChannel) -> None:
    await shared_channel.begin(shared_channel.world.ann)

    await say(shared_channel.world, shared_channel.zoe, "where do I find the application key?")

    assert not shared_channel.zoe.ephemerals
    assert shared_channel.world.find("answer:1") is None


@pytest.mark.parametrize("action", ["step_help", "hand_over"])
async def test_no_form_opens_for_another_organization(
    shared_channel: SharedChannel, action: str
) -> None:
    await shared_channel.begin(shared_channel.world.ann)
    await shared_channel.world.press(shared_channel.world.ann, "step:1", "choose_account:new")

    await shared_channel.world.press(shared_channel.zoe, "step:2", action)

    assert shared_channel.zoe.view is None
    assert "Please ask" in last_reply(shared_channel.zoe)


async def test_the_start_form_requires_a_contact_with_several_organizations(
    shared_channel: SharedChannel,
) -> None:
    world = shared_channel.world
    await world.type("start Acme Plumbing")
    view = world.view_of(world.erin)

    refused = await world.submit(world.erin, view)
    assert CONTACT_REQUIRED in refused.errors["client_admins"]
    accepted = await world.submit(world.erin, view, client_admins=[world.ann.id])

    assert accepted.ok
    assert world.rows("SELECT client_team FROM onboarding") == [(world.ann.team.id,)]


async def test_the_only_organization_in_the_channel_is_the_client(world: World) -> None:
    await world.begin()
    zoe = add_outsider(world)

    await world.press(zoe, "step:1", "choose_account:new")

    assert world.current == 1
    assert "Please ask" in last_reply(zoe)


async def test_the_first_organization_to_act_is_the_client_if_none_was_there(world: World) -> None:
    del world.channel.members[world.ann.id]
    await world.begin()
    await world.slack.admin.invite(world.channel, world.ann, world.erin)
    zoe = add_outsider(world)

    await world.press(world.ann, "step:1", "choose_account:new")
    await world.press(zoe, "step:2", "step_done")

    assert world.current == 2
    assert world.rows("SELECT client_team FROM onboarding") == [(world.ann.team.id,)]


async def test_opening_help_or_status_does_not_make_someone_the_client(world: World) -> None:
    del world.channel.members[world.ann.id]
    await world.begin()
    zoe = add_outsider(world)
    world.channel.members[world.ann.id] = world.ann.user

    await world.press(zoe, "step:1", "step_help")
    await say(world, zoe, "status")
    await world.press(world.ann, "step:1", "choose_account:new")
    answer = await world.submit(zoe, world.view_of(zoe), question="What is this?")

    assert not answer.ok
    assert world.rows("SELECT client_team FROM onboarding") == [(world.ann.team.id,)]


async def test_a_contact_may_act_whatever_their_organization(shared_channel: SharedChannel) -> None:
    world = shared_channel.world
    bob = add_outsider(world, "Bob Builder")
    await shared_channel.begin(world.ann, bob)

    await world.press(bob, "step:1", "choose_account:new")

    assert world.rows("SELECT by_role FROM step WHERE number = 1") == [("client_admin",)]
    assert world.rows("SELECT client_team FROM onboarding") == [(world.ann.team.id,)]


async def test_a_third_company_cannot_act_when_only_our_guests_are_contacts(
    shared_channel: SharedChannel,
) -> None:
    world = shared_channel.world
    gus = world.slack.add_person("Gus Guest", is_restricted=True)
    world.channel.members[gus.id] = gus.user
    await shared_channel.begin(gus)

    await world.press(shared_channel.zoe, "step:1", "choose_account:new")
    assert world.current == 1
    await world.press(gus, "step:1", "choose_account:new")
    assert world.current == 2


async def test_a_legacy_onboarding_belongs_to_the_organization_that_acted(
    shared_channel: SharedChannel,
) -> None:
    world = shared_channel.world
    await shared_channel.begin(world.ann)
    await world.press(world.ann, "step:1", "choose_account:new")
    world.write("UPDATE onboarding SET client_team = NULL, client_admins = '[]'")

    await world.press(shared_channel.zoe, "step:2", "step_done")
    assert world.current == 2
    await world.press(world.ann, "step:2", "step_done")

    assert world.current == 3
    assert world.rows("SELECT client_team FROM onboarding") == [(world.ann.team.id,)]


async def test_people_are_asked_to_retry_while_slack_cannot_identify_their_team(
    shared_channel: SharedChannel,
) -> None:
    world = shared_channel.world
    await shared_channel.begin(world.ann)
    await world.press(world.ann, "step:1", "choose_account:new")
    world.write("UPDATE onboarding SET client_team = NULL, client_admins = '[]'")
    world.bot.use_cases.start._services.directory._users._found.clear()
    world.slack.fail_next("users.info", status=429, retry_after=30)

    await world.press(shared_channel.zoe, "step:2", "step_help")

    assert last_reply(shared_channel.zoe) == "Sorry, I couldn't do that just now. Please try again."


async def test_contacts_decide_the_client_even_if_slack_failed_at_the_start(
    shared_channel: SharedChannel,
) -> None:
    world = shared_channel.world
    await world.type("start Acme Plumbing")
    view = world.view_of(world.erin)
    world.write("DELETE FROM home")
    world.bot.use_cases.start._services.directory._users._found.clear()
    world.slack.fail_next(
        "users.info", status=500, predicate=lambda sent: sent.get("user") == world.ann.id
    )
    assert (await world.submit(world.erin, view, client_admins=[world.ann.id])).ok
    assert world.rows("SELECT client_team FROM onboarding") == [(None,)]
    world.slack.heal()

    await world.press(shared_channel.zoe, "step:1", "choose_account:new")

    assert world.current == 1
    assert "Please ask" in last_reply(shared_channel.zoe)


async def test_a_third_company_that_joins_is_not_announced_as_the_client(world: World) -> None:
    await world.begin()
    zoe = world.slack.add_person("Zoe Zenith", world.slack.add_team("Zenith"))

    await world.slack.admin.invite(world.channel, zoe, world.erin)
    await world.idle()

    assert world.events("client_joined") == []


async def test_the_start_form_suggests_no_contacts_with_several_companies(
    shared_channel: SharedChannel,
) -> None:
    await shared_channel.world.type("start Acme Plumbing")

    view = shared_channel.world.view_of(shared_channel.world.erin)

    assert "several outside organizations" in str(view.blocks)
    assert not [
        block
        for block in view.blocks
        if block.get("block_id") == "client_admins" and "initial_users" in block["element"]
    ]
