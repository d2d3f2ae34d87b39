"""The director's panel: adding people, the bot's process, Slack faults, the guide, the clock."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import (
    add_person,
    ann,
    erin,
    last_button,
    open_channel,
    say,
    show_person,
    toggle,
    wait_for_step,
)


@pytest.fixture(scope="module")
def scene() -> str:
    return "step-4"


def steps(pane: Locator) -> list[str]:
    return pane.locator(".thread h4", has_text="Step ").all_inner_texts()


def current(page: Page) -> int:
    """The number of the newest step."""
    return int(steps(ann(page))[-1].split()[1])


def failed(page: Page, text: str) -> Locator:
    """The calls to Slack that failed this way."""
    return page.locator("#d-calls .failed", has_text=text)


def test_external_members_get_no_home_commands_or_shortcuts(page: Page) -> None:
    for name in ("Home", "engineering"):
        assert erin(page).get_by_role("link", name=name).count() == 1
        assert ann(page).get_by_role("link", name=name).count() == 0
    ann(page).locator(".back").click()
    say(ann(page), "/servicetitan status")
    expect(ann(page).locator(".notice")).to_contain_text("not offered to external members")
    open_channel(ann(page), "acme-heavyset")
    message = ann(page).locator(".thread .message").last
    message.get_by_label("More actions").click()
    expect(message.locator(".menu")).to_contain_text("Forward to")
    expect(message.locator(".menu")).not_to_contain_text("⚡")
    message.get_by_label("More actions").click()


def test_third_parties_and_guests_are_refused_but_sales_can_check_status(page: Page) -> None:
    for who, name in (("third company", "Tess Third"), ("guest", "Gus Guest")):
        add_person(page, who, name)
        show_person(ann(page), name)
        last_button(ann(page), "step_done").click()
        expect(ann(page).locator(".message.private")).to_contain_text("Only the client's team")
    add_person(page, "sales", "Sam Sales")
    show_person(ann(page), "Sam Sales")
    ann(page).locator(".back").click()
    say(ann(page), "/servicetitan status")
    expect(ann(page).locator(".message.private")).to_contain_text("Acme Plumbing")
    show_person(ann(page), "Ann Admin")
    wait_for_step(ann(page), 4)


def test_an_engineer_reassigns_a_client_from_the_app_home(page: Page) -> None:
    add_person(page, "sales", "Sam Sales")
    open_channel(erin(page), "Home")
    form = erin(page).get_by_role("dialog")
    erin(page).locator(".home").get_by_role("button", name="Assign").click()
    form.locator("select").select_option(label="Sam Sales")
    form.get_by_role("button", name="Assign", exact=True).click()
    expect(form).to_have_count(0)
    ann(page).locator(".back").click()
    expect(ann(page).locator(".message").first).to_contain_text("engineer: @Sam Sales")
    for pane in (erin(page), ann(page)):
        open_channel(pane, "acme-heavyset")


def test_when_two_people_press_done_one_is_told_it_was_already_done(page: Page) -> None:
    add_person(page, "colleague", "Cal Colleague")
    show_person(erin(page), "Cal Colleague")
    now = current(page)
    buttons = [last_button(pane, "step_done").element_handle() for pane in (erin(page), ann(page))]
    page.evaluate("buttons => buttons.forEach((button) => button.click())", buttons)

    wait_for_step(ann(page), now + 1)
    loser = page.locator(".message.private", has_text=f"already finished step {now}")
    expect(loser).to_have_count(1)
    show_person(erin(page), "Erin Engineer")


def test_the_bot_works_again_after_a_kill_and_restart(page: Page) -> None:
    now = current(page)
    page.get_by_role("button", name="kill -9").click()
    expect(page.locator("#trouble")).to_contain_text("killed")
    last_button(ann(page), "step_done").click()
    expect(ann(page).locator(".notice")).to_contain_text("did not answer")
    page.locator("#trouble").get_by_role("button", name="Start the bot").click()
    expect(page.locator("#trouble")).to_have_count(0)
    last_button(ann(page), "step_done").click()
    wait_for_step(ann(page), now + 1)


@pytest.mark.parametrize(
    ("switch", "shown"),
    [
        ("Rate limited", "HTTP 429"),
        ("Server errors", "HTTP 50"),
        ("Answers get lost", "no answer, though it was done"),
    ],
)
def test_slack_api_errors_delay_a_step_but_post_nothing_twice(
    page: Page, switch: str, shown: str
) -> None:
    now = current(page)
    toggle(page, "slack", switch)
    last_button(ann(page), "step_done").click()

    wait_for_step(ann(page), now + 1)
    expect(failed(page, f"chat.postMessage #acme-heavyset step:{now + 1} ({shown}")).to_have_count(
        1
    )
    toggle(page, "slack", switch)
    last_button(ann(page), "step_done").click()
    wait_for_step(ann(page), now + 2)
    # For a while, the first message may still show it as the next step.
    texts = ann(page).locator(".thread .message", has_text=f"✅ Step {now + 1}:")
    expect(texts).to_have_count(1)


def test_a_step_finished_while_slack_is_down_shows_up_afterward(page: Page) -> None:
    now = current(page)
    toggle(page, "slack", "Slack's API is down")
    last_button(ann(page), "step_done").click()
    expect(failed(page, f"step:{now + 1} (HTTP 503)")).not_to_have_count(0)
    wait_for_step(ann(page), now)

    toggle(page, "slack", "Slack's API is down")

    wait_for_step(ann(page), now + 1)


def test_reloading_shows_an_edited_guide_or_the_line_of_a_syntax_error(
    page: Page, guide: Path
) -> None:
    text = guide.read_text(encoding="utf-8")
    title = ann(page).locator(".thread h4").last.inner_text().partition(": ")[2]
    assert text.count(f'title = "{title}"') == 1

    guide.write_text(text.replace(title, "Other Words"), encoding="utf-8")
    page.get_by_role("button", name="Reload guide").click()
    expect(ann(page).locator(".thread h4").last).to_contain_text("Other Words")

    guide.write_text(text + "\n[[broken\n", encoding="utf-8")
    page.get_by_role("button", name="Reload guide").click()
    line = len(text.splitlines()) + 2
    expect(page.locator("#trouble")).to_contain_text(f"servicetitan/guide.toml:{line}")
    expect(ann(page).locator(".thread h4").last).to_contain_text("Other Words")

    guide.write_text(text, encoding="utf-8")
    page.locator("#trouble").get_by_role("button", name="Start the bot").click()
    expect(page.locator("#trouble")).to_have_count(0)
    expect(ann(page).locator(".thread h4").last).to_contain_text(title)


def test_clock_jumps_apply_to_both_slack_and_the_bot(page: Page) -> None:
    messages = ann(page).locator(".thread .message")
    before = messages.count()

    page.get_by_role("button", name="Three days later").click()
    page.get_by_role("button", name="Next business morning").click()

    expect(page.locator("#clock")).to_contain_text("9:05 AM")
    expect(messages).not_to_have_count(before)  # a reminder
    expect(messages.last.locator("time")).to_have_text("9:05 AM")
    expect(messages.last.locator("[data-action^=snooze]")).to_be_visible()
