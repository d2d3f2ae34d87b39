"""HeavySet as an Enterprise Grid organization: several workspaces, all of them home."""

from collections.abc import AsyncIterator

import pytest

from sandbox.slack import Person
from tests.databases import AnyDatabase
from tests.integration.world import World, last_reply, running_world

GRID = "E0HEAVYSET"


@pytest.fixture
async def grid(database: AnyDatabase) -> AsyncIterator[World]:
    async with running_world(database, enterprise_id=GRID) as world:
        await world.begin()
        yield world


def person_in_a_second_home_workspace(world: World, name: str, *, guest: bool = False) -> Person:
    team = world.slack.add_team("HeavySet West", GRID)
    person = world.slack.add_person(name, team, is_restricted=guest)
    world.channel.members[person.id] = person.user
    return person


async def test_someone_from_another_home_workspace_counts_as_an_engineer(grid: World) -> None:
    wes = person_in_a_second_home_workspace(grid, "Wes West")

    await grid.press(wes, "step:1", "choose_account:new")

    assert grid.rows("SELECT by_role FROM step WHERE number = 1") == [("engineer",)]


async def test_a_guest_from_another_home_workspace_is_refused(grid: World) -> None:
    gus = person_in_a_second_home_workspace(grid, "Gus Guest", guest=True)

    await grid.press(gus, "step:1", "choose_account:new")

    assert grid.current == 1
    assert "Only the client's team" in last_reply(gus)


async def test_client_users_stay_external_when_heavyset_is_on_grid(grid: World) -> None:
    await grid.press(grid.ann, "step:1", "choose_account:new")

    assert grid.rows("SELECT by_role FROM step WHERE number = 1") == [("client_admin",)]


def two_people_of_a_client_on_grid(world: World) -> tuple[Person, Person]:
    """Two people from one client, an organization with two workspaces."""
    people = (
        world.slack.add_person("Abe Acme", world.slack.add_team("Acme West", "E0ACME")),
        world.slack.add_person("Bea Acme", world.slack.add_team("Acme East", "E0ACME")),
    )
    for person in people:
        world.channel.members[person.id] = person.user
    del world.channel.members[world.ann.id]
    return people


@pytest.mark.parametrize("enterprise_id", [None, GRID])
async def test_the_workspaces_of_a_client_on_grid_are_one_client(
    database: AnyDatabase, enterprise_id: str | None
) -> None:
    async with running_world(database, enterprise_id=enterprise_id) as world:
        abe, bea = two_people_of_a_client_on_grid(world)
        await world.begin()

        await abe.say(world.channel, "new", world.message("root").ts)  # user_team is an E… id
        await world.slack.delivered()
        await world.idle()
        await world.press(bea, "step:2", "step_done")

        assert world.rows("SELECT by_role FROM step WHERE number < 3") == [("client_admin",)] * 2
        assert world.rows("SELECT client_team FROM onboarding") == [("E0ACME",)]


async def test_a_client_workspace_is_replaced_by_its_enterprise_once_known(
    database: AnyDatabase,
) -> None:
    async with running_world(database) as world:
        abe, bea = two_people_of_a_client_on_grid(world)
        world.slack.fail_next("conversations.members", status=500, times=3)
        await world.begin()
        world.slack.fail_next("users.info", status=500)
        await world.press(abe, "step:1", "choose_account:new")
        assert world.rows("SELECT client_team FROM onboarding") == [(abe.team.id,)]

        await world.press(abe, "step:2", "step_done")
        await world.press(bea, "step:3", "step_done")

        assert world.rows("SELECT client_team FROM onboarding") == [("E0ACME",)]
        assert world.current == 4


# --- commands carry the workspace's team id, forms the person's own (bolt-js#1875) ---


async def test_an_engineer_from_another_home_workspace_can_submit_every_form(
    database: AnyDatabase,
) -> None:
    async with running_world(database, enterprise_id=GRID) as world:
        wes = person_in_a_second_home_workspace(world, "Wes West")
        await world.type("start Acme Plumbing", wes)
        assert (await world.submit(wes, world.view_of(wes))).ok
        assert world.rows("SELECT engineer FROM onboarding") == [(wes.id,)]

        await world.type("start Zenith invite zoe@zenith.com", wes)
        assert (await world.submit(wes, world.view_of(wes))).ok
        await world.type("cancel", wes)
        assert (await world.submit(wes, world.view_of(wes), reason="They left.")).ok

        assert ("cancelled",) in world.rows("SELECT status FROM onboarding")


async def test_an_external_user_is_recognized_under_any_team_id(
    database: AnyDatabase,
) -> None:
    async with running_world(database) as world:
        abe, _ = two_people_of_a_client_on_grid(world)
        await world.begin()
        view = await world.open(abe, "step:1", "step_help")
        await world.submit(abe, view, question="Is this right?")
        payload = world.last_interaction
        payload["user"]["team_id"] = "E0ACME"
        payload["view"]["id"] = "V0AGAIN"

        await world.send(payload)
        payload["user"]["team_id"], payload["view"]["id"] = None, "V0AGAIN2"
        await world.send(payload)

        assert len(world.events("help_asked")) == 3


async def test_a_heavyset_colleague_joining_is_not_announced_as_the_client(grid: World) -> None:
    wes = grid.slack.add_person("Wes West", grid.slack.add_team("HeavySet West", GRID))

    await grid.slack.admin.invite(grid.channel, wes, grid.erin)
    await grid.idle()

    assert not [text for text in grid.announced if "joined the channel" in text]
