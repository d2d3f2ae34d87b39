"""The world that most tests live in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def begun(world: World) -> World:
    """A world in which Acme's onboarding has begun."""
    await world.begin()
    return world
