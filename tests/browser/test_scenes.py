"""Every prepared scene can be started, and shows what it's named for."""

import pytest
from playwright.sync_api import Page, expect

from sandbox.web.scenes import SCENES
from tests.browser.conftest import OpenPage, ann, erin, open_channel, start_scene, wait_for_step

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

    if name == "fresh":
        expect(ann(page).locator(".room")).to_contain_text("Nothing here yet")
    elif name.startswith("step-"):
        wait_for_step(ann(page), int(name.removeprefix("step-")))
    else:
        open_channel(erin(page), "engineering")
        expect(erin(page).locator(".room")).to_contain_text(IN_THE_ENGINEERING_CHANNEL[name])
