"""Every prepared scene can be started, and shows what it's named for."""

import pytest
from playwright.sync_api import Page, expect

from sandbox.web.scenes import SCENES
from tests.browser.conftest import OpenPage, erin, open_channel, start_scene

pytestmark = pytest.mark.long

IN_THE_ENGINEERING_CHANNEL = {
    "failed": "check 1",
    "hand-over": "finished their part",
    "complete": "25 of 25 steps",
    "twelve": "Keystone Rooter",
    "later": "we still store",
}


@pytest.fixture(scope="module")
def page(open_page: OpenPage) -> Page:
    return open_page()


@pytest.mark.parametrize("name", SCENES)
def test_each_scene_starts_at_the_moment_it_is_named_for(page: Page, name: str) -> None:
    start_scene(page, name)

    open_channel(erin(page), "engineering")
    shown = erin(page).locator(".room")
    expect(shown).to_contain_text(IN_THE_ENGINEERING_CHANNEL.get(name, ""))
