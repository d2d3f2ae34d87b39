"""Who is offered what, and the director's panel: the bot's process, the clock, the guide."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ann, erin, last, look_at, say


@pytest.fixture(scope="module")
def scene() -> str:
    return "step-4"


def test_outsiders_are_offered_what_slack_offers_them(page: Page) -> None:
    assert erin(page).get_by_role("link", name="Home").count() == 1
    assert ann(page).get_by_role("link", name="Home").count() == 0
    assert ann(page).get_by_role("link", name="engineering").count() == 0
    ann(page).locator(".back").click()
    say(ann(page), "/servicetitan status")
    expect(ann(page).locator(".notice")).to_contain_text("not offered to external members")
    page.locator("#d-people > summary").click()
    page.get_by_role("button", name="Somebody from HeavySet's sales").click()
    switch = ann(page).get_by_label("Who is shown here")
    expect(switch.locator("option")).to_have_count(3)
    switch.select_option(label="Sam Sales")
    expect(ann(page)).to_have_attribute("aria-label", "Sam Sales's Slack")
    erin(page).locator(".back").click()
    say(erin(page), "/servicetitan status")
    expect(erin(page).locator(".message.private")).to_contain_text("Acme Plumbing")
    switch.select_option(label="Ann Admin")
    for pane in (erin(page), ann(page)):
        look_at(pane, "acme-heavyset")


def test_the_killed_bot_comes_back(page: Page) -> None:
    page.get_by_role("button", name="kill -9").click()
    expect(page.locator("#trouble")).to_contain_text("killed")
    last(ann(page), "step_done").click()
    expect(ann(page).locator(".notice")).to_contain_text("did not answer")
    page.locator("#trouble").get_by_role("button", name="Start the bot").click()
    expect(page.locator("#trouble")).to_have_count(0)
    last(ann(page), "step_done").click()
    expect(ann(page).locator(".thread h4").last).to_contain_text("Step 5")


def test_an_edited_guide_is_shown_and_a_broken_one_names_its_line(page: Page, guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    title = "Initiate a New Application"
    assert title in text

    guide.write_text(text.replace(title, "Click + New App"), encoding="utf-8")
    page.get_by_role("button", name="Reload guide").click()
    expect(ann(page).locator(".thread h4").last).to_contain_text("Click + New App")

    guide.write_text(text + "\n[[broken\n", encoding="utf-8")
    page.get_by_role("button", name="Reload guide").click()
    line = len(text.splitlines()) + 2
    expect(page.locator("#trouble")).to_contain_text(f"servicetitan.toml:{line}")
    expect(ann(page).locator(".thread h4").last).to_contain_text("Click + New App")

    guide.write_text(text, encoding="utf-8")
    page.locator("#trouble").get_by_role("button", name="Start the bot").click()
    expect(page.locator("#trouble")).to_have_count(0)


def test_the_clock_jumps_for_slack_and_the_bot_alike(page: Page) -> None:
    messages = ann(page).locator(".thread .message")
    before = messages.count()

    page.get_by_role("button", name="Three days later").click()
    page.get_by_role("button", name="Next business morning").click()

    expect(page.locator("#clock")).to_contain_text("9:05 AM")
    expect(messages).not_to_have_count(before)  # a reminder
    expect(messages.last.locator("time")).to_have_text("9:05 AM")
    expect(messages.last.locator("[data-action^=snooze]")).to_be_visible()
