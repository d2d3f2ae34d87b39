"""HeavySet as an Enterprise Grid organisation: several workspaces, all of them home."""

from collections.abc import AsyncIterator

import pytest

from sandbox.slack import Person
from tests.databases import AnyDatabase
from tests.integration.world import World, a_world, told

GRID = "E0HEAVYSET"


@pytest.fixture
async def grid(database: AnyDatabase) -> AsyncIterator[World]:
    async with a_world(database, enterprise_id=GRID) as world:
        await world.begin()
        yield world


def of_the_second_workspace(world: World, name: str, *, guest: bool = False) -> Person:
    team = world.slack.add_team("HeavySet West", GRID)
    person = world.slack.add_person(name, team, is_restricted=guest)
    world.channel.members[person.id] = person.user
    return person


async def test_an_engineer_of_another_home_workspace_is_an_engineer(grid: World) -> None:
    wes = of_the_second_workspace(grid, "Wes West")

    await grid.press(wes, "step:1", "choose_account:new")

    assert grid.rows("SELECT by_role FROM step WHERE number = 1") == [("engineer",)]


async def test_a_guest_of_another_home_workspace_is_nobody(grid: World) -> None:
    gus = of_the_second_workspace(grid, "Gus Guest", guest=True)

    await grid.press(gus, "step:1", "choose_account:new")

    assert grid.current == 1
    assert "Only the client's own team" in told(gus)


async def test_the_clients_people_are_still_external(grid: World) -> None:
    await grid.press(grid.ann, "step:1", "choose_account:new")

    assert grid.rows("SELECT by_role FROM step WHERE number = 1") == [("client_admin",)]


async def test_a_client_that_is_an_organisation_itself_is_external(grid: World) -> None:
    team = grid.slack.add_team("Acme West", "E0ACME")
    abe = grid.slack.add_person("Abe Acme", team)
    grid.channel.members[abe.id] = abe.user

    await abe.say(grid.channel, "new", grid.message("root").ts)  # user_team is an E… id
    await grid.slack.delivered()
    await grid.idle()

    assert grid.rows("SELECT by_role FROM step WHERE number = 1") == [("client_admin",)]


async def test_a_colleague_who_joins_is_not_taken_for_the_client(grid: World) -> None:
    wes = grid.slack.add_person("Wes West", grid.slack.add_team("HeavySet West", GRID))

    await grid.slack.admin.invite(grid.channel, wes, grid.erin)
    await grid.idle()

    assert not [text for text in grid.announced if "joined the channel" in text]
