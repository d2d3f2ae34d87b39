"""Roles are rechecked on every use: people just removed or deactivated can't do anything."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from sandbox.slack import Person, View, visible_text
from tests.databases import AnyDatabase
from tests.integration.world import World, hold_calls, last_reply, running_world

pytestmark = [pytest.mark.slow_slack, pytest.mark.virtual_time]

NOT_ANSWERING = "Slack isn't answering"


@dataclass
class GroupEngineer:
    """A world at step 23 in which Eve is an engineer through her user group."""

    world: World
    eve: Person
    group: str

    async def reveal(self) -> View | None:
        await self.world.press(self.eve, "step:23", "reveal_credentials")
        return self.eve.view


@pytest.fixture
async def engineer(database: AnyDatabase) -> AsyncIterator[GroupEngineer]:
    async with running_world(database, named_engineers=True) as world:
        eve = world.slack.add_person("Eve Engineer")
        world.channel.members[eve.id] = eve.user
        group = world.slack.add_usergroup(eve)
        async with world.second_bot(engineers=[world.erin.id, group]) as bot:
            world.slack.deliver_to(f"http://127.0.0.1:{bot.settings.port}/slack/events")
            world = replace(world, bot=bot)
            await world.begin()
            await world.walk_to(23)
            await world.type("status", eve)  # her role is cached from now on
            yield GroupEngineer(world, eve, group)


async def test_an_engineer_by_user_group_can_reveal_credentials(engineer: GroupEngineer) -> None:
    assert await engineer.reveal()


async def test_removal_from_the_user_group_revokes_access_immediately(
    engineer: GroupEngineer,
) -> None:
    engineer.world.slack.admin.remove_from_usergroup(engineer.group, engineer.eve)

    assert await engineer.reveal() is None

    assert "Only HeavySet engineers can see stored credentials" in last_reply(engineer.eve)
    assert engineer.world.events("credentials_revealed") == []
    assert engineer.world.events("refused") == [(engineer.eve.id, None)]


@pytest.mark.parametrize("change", [{"deleted": True}, {"is_restricted": True}])
async def test_deactivated_users_and_guests_lose_access_immediately(
    engineer: GroupEngineer, change: dict[str, bool]
) -> None:
    for name, value in change.items():
        setattr(engineer.eve.user, name, value)

    assert await engineer.reveal() is None

    assert engineer.world.events("credentials_revealed") == []


async def test_a_lost_role_found_by_one_action_applies_to_commands_too(
    engineer: GroupEngineer,
) -> None:
    engineer.world.slack.admin.remove_from_usergroup(engineer.group, engineer.eve)
    await engineer.reveal()

    answer = await engineer.world.type("status", engineer.eve)

    assert "for HeavySet engineers" in answer.text


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
@pytest.mark.parametrize("fault", [{"status": 503}, {"error": "internal_error"}])
async def test_a_cached_role_reveals_no_credentials_while_slack_fails(
    engineer: GroupEngineer, method: str, fault: dict[str, object]
) -> None:
    engineer.world.slack.fail_next(method, times=9, **fault)

    assert await engineer.reveal() is None

    assert NOT_ANSWERING in last_reply(engineer.eve)
    assert engineer.world.events("credentials_revealed") == []


async def test_an_open_list_reveals_nothing_after_removal_from_the_user_group(
    engineer: GroupEngineer,
) -> None:
    world, view = engineer.world, await engineer.reveal()
    assert view
    world.slack.admin.remove_from_usergroup(engineer.group, engineer.eve)

    await engineer.eve.press(view, "reveal_credentials:client_secret")
    await world.idle()

    assert world.servicetitan.client_secret not in visible_text(view)
    assert "Only HeavySet engineers can see stored credentials" in last_reply(engineer.eve)
    assert world.events("credentials_revealed") == []


async def test_a_cached_role_reveals_no_credentials_while_slack_hangs(
    engineer: GroupEngineer,
) -> None:
    world = engineer.world
    async with hold_calls(world.slack, "users.info"):
        await engineer.eve.press(world.message("step:23"), "reveal_credentials")
        await world.slack.until(lambda: NOT_ANSWERING in last_reply(engineer.eve))

    await world.idle()
    assert engineer.eve.view is None
    assert world.events("credentials_revealed") == []


async def open_step_18(world: World, person: Person) -> View:
    await world.walk_to(18)
    return await world.open(person, "step:18", "enter_credentials")


def step_18_values(world: World) -> dict[str, str]:
    return {name: world.servicetitan.credentials[name] for name in ("tenant_id", "client_id")}


async def test_a_form_from_someone_who_left_the_channel_is_refused(begun: World) -> None:
    view = await open_step_18(begun, begun.ann)
    await begun.slack.admin.remove(begun.channel, begun.ann)

    answer = await begun.submit(begun.ann, view, **step_18_values(begun))

    assert "no longer in this channel" in next(iter(answer.errors.values()))
    assert begun.rows("SELECT count(*) FROM credential") == [(0,)]


async def test_a_form_from_a_deactivated_user_is_refused(begun: World) -> None:
    view = await open_step_18(begun, begun.ann)
    begun.ann.user.deleted = True

    answer = await begun.submit(begun.ann, view, **step_18_values(begun))

    assert not answer.ok
    assert begun.rows("SELECT count(*) FROM credential") == [(0,)]


async def test_a_question_from_someone_who_left_the_channel_is_refused(begun: World) -> None:
    view = await begun.open(begun.ann, "step:1", "step_help")
    await begun.slack.admin.remove(begun.channel, begun.ann)

    answer = await begun.submit(begun.ann, view, question="What is a tenant?")

    assert not answer.ok
    assert begun.events("help_asked") == []


async def test_someone_who_rejoined_the_channel_can_submit_an_open_form(begun: World) -> None:
    view = await open_step_18(begun, begun.ann)
    await begun.slack.admin.remove(begun.channel, begun.ann)
    await begun.slack.admin.invite(begun.channel, begun.ann)

    assert (await begun.submit(begun.ann, view, **step_18_values(begun))).ok


@pytest.mark.parametrize("code", ["channel_not_found", "fetch_members_failed", "missing_scope"])
async def test_a_form_is_accepted_if_channel_members_cannot_be_listed(
    begun: World, code: str
) -> None:
    view = await open_step_18(begun, begun.ann)
    begun.slack.fail_next("conversations.members", error=code)

    assert (await begun.submit(begun.ann, view, **step_18_values(begun))).ok


async def test_a_form_from_a_member_on_a_later_page_is_accepted(begun: World) -> None:
    for number in range(450):
        person = begun.slack.add_person(f"P{number}")
        begun.channel.members = {person.id: person.user, **begun.channel.members}
    view = await open_step_18(begun, begun.ann)

    assert (await begun.submit(begun.ann, view, **step_18_values(begun))).ok


async def test_a_form_is_accepted_after_a_brief_wait_while_slack_hangs(begun: World) -> None:
    view = await open_step_18(begun, begun.ann)
    async with (
        hold_calls(begun.slack, "conversations.members"),
        hold_calls(begun.slack, "users.info"),
    ):
        assert (await begun.ann.submit(view, step_18_values(begun))).ok
    await begun.idle()
