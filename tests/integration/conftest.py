"""The world that most tests live in."""

from collections.abc import AsyncIterator

import pytest

from tests.databases import AnyDatabase
from tests.integration.world import World, a_world


@pytest.fixture
async def world(database: AnyDatabase) -> AsyncIterator[World]:
    async with a_world(database) as world:
        yield world


@pytest.fixture
async def begun(world: World) -> World:
    """A world in which Acme's onboarding has begun."""
    await world.begin()
    return world
