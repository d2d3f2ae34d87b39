"""What goes wrong: ServiceTitan away, a wrong secret, a secret in the channel."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ann, erin, say, submit, value


@pytest.fixture(scope="module")
def scene() -> str:
    return "failed"


def test_a_wrong_secret_is_put_right(page: Page) -> None:
    ann(page).locator("[data-action=enter_credentials]").last.click()
    form = ann(page).get_by_role("dialog")
    for field, name in (("client_id", "Client ID"), ("client_secret", "Client Secret")):
        form.locator(f"[name={field}]").fill(value(page, name))
    submit(ann(page))

    expect(form).to_have_count(0)
    expect(erin(page).locator(".thread")).to_contain_text(re.compile("passed|It works"))


def test_a_posted_secret_is_told_to_whoever_posted_it(page: Page) -> None:
    say(ann(page), f"the secret is {value(page, 'Client Secret')}", "thread")

    expect(ann(page).locator(".message.private")).to_contain_text("Only visible to you")
    assert erin(page).locator(".message.private").count() == 0


def test_servicetitan_down_is_told(page: Page) -> None:
    page.locator("#d-servicetitan > summary").click()
    switch = page.get_by_role("button", name=re.compile("is down"))

    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    erin(page).locator(".back").click()
    say(erin(page), "/servicetitan verify")

    expect(ann(page).locator(".thread .message").last).to_contain_text(
        re.compile("could not be finished|couldn't finish")
    )
