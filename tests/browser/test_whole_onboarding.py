"""A whole onboarding, clicked through on both sides of the channel."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    OpenPage,
    ann,
    choose_menu_item,
    erin,
    last_button,
    open_channel,
    say,
    shown_value,
    submit,
    wait_for_step,
)

SHOWN_AT = {
    11: ("Booking Provider ID",),
    18: ("Tenant ID", "Client ID"),
    19: ("Client Secret",),
    22: ("Application Key",),
}


@pytest.fixture(scope="module")
def scene() -> str:
    return "fresh"


def enter(page: Page, names: tuple[str, ...]) -> None:
    last_button(ann(page), "enter_credentials").click()
    form = ann(page).get_by_role("dialog")
    for name in names:
        form.get_by_label(name, exact=True).fill(shown_value(page, name))
    submit(ann(page))
    expect(form).to_have_count(0)


def test_a_stale_page_reloads_after_starting_over(
    open_page: OpenPage, request: pytest.FixtureRequest
) -> None:
    stale = open_page()
    stale.route("**/events", lambda route: route.abort())
    stale.reload()
    page = request.getfixturevalue("page")

    ann(stale).locator("textarea:visible").fill("Too late")
    ann(stale).locator("textarea:visible").press("Enter")

    expect(stale.locator("body")).to_have_attribute(
        "data-generation", str(page.locator("body").get_attribute("data-generation"))
    )
    expect(ann(stale).locator(".room")).to_contain_text("Nothing here yet")


def test_messages_can_be_edited_forwarded_and_deleted(page: Page) -> None:
    say(ann(page), "Hello @Erin Engineer, *ready*?")
    message = ann(page).locator(".message").last
    expect(erin(page).locator(".mention.me")).to_have_text("@Erin Engineer")
    expect(erin(page).locator(".message strong").last).to_have_text("ready")
    message.get_by_label("More actions").click()
    message.get_by_label("Edit").fill("Hello again")
    message.get_by_role("button", name="Save").click()
    expect(erin(page).locator(".message").last).to_contain_text("Hello again (edited)")
    choose_menu_item(message, "React with eyes")
    expect(erin(page).locator(".reactions")).to_contain_text("👀 1")
    ann(page).locator("[data-file]").first.set_input_files(
        {"name": "screen.png", "mimeType": "image/png", "buffer": b"x"}
    )
    expect(erin(page).locator(".file")).to_contain_text("screen.png")
    choose_menu_item(erin(page).locator(".message").first, "Forward to engineering")
    open_channel(erin(page), "engineering")
    expect(erin(page).locator(".forwarded")).to_contain_text("Hello again")
    choose_menu_item(ann(page).locator(".message").first, "Delete message")
    expect(ann(page).locator(".message")).to_have_count(1)
    open_channel(erin(page), "acme-heavyset")


def test_a_whole_onboarding_by_clicks(page: Page) -> None:
    say(erin(page), "/servicetitan start Acme Plumbing")
    expect(erin(page).get_by_role("dialog")).to_be_visible()
    assert ann(page).get_by_role("dialog").count() == 0
    submit(erin(page))
    wait_for_step(ann(page), 1)
    ann(page).locator("[data-action='choose_account:new']").last.click()
    for number in range(2, 23):
        wait_for_step(ann(page), number)
        if number in (10, 22):
            picture = ann(page).locator(".thread .b-image img").last
            expect(picture).to_have_js_property("naturalWidth", 800)
            expect(picture).to_have_attribute("alt", re.compile("^Schematic, not a screenshot"))
        if number == 5:  # a change of mind
            last_button(ann(page), "step_undo").click()
            page.locator("#confirm-yes").click()
            wait_for_step(ann(page), 4)
            last_button(ann(page), "step_done").click()
            wait_for_step(ann(page), 5)
        if number == 19:  # a wrong value: the error appears at its field, and the input stays
            last_button(ann(page), "enter_credentials").click()
            form = ann(page).get_by_role("dialog")
            box = form.get_by_label("Client Secret", exact=True)
            box.fill(shown_value(page, "Client ID"))
            submit(ann(page))
            expect(box).to_have_attribute("aria-invalid", "true")
            expect(form.locator(".error")).to_contain_text("Client ID")
            expect(box).to_be_focused()
            expect(box).to_have_value(shown_value(page, "Client ID"))
            box.fill(shown_value(page, "Client Secret"))
            submit(ann(page))
            expect(form).to_have_count(0)
        elif number in SHOWN_AT:
            enter(page, SHOWN_AT[number])
        last_button(ann(page), "step_done").click()
    for number in (23, 24):
        wait_for_step(ann(page), number)
        last_button(erin(page), "step_done").click()
    wait_for_step(ann(page), 25)
    last_button(erin(page), "test_booking").click()
    page.evaluate("draw()")  # as if something else happened in Slack in the meantime
    expect(page.locator("#confirm")).to_contain_text("TEST - please dismiss")
    page.locator("#confirm-no").click()
    last_button(erin(page), "test_booking").click()
    page.locator("#confirm-yes").click()
    result = ann(page).locator(".thread .message").last
    expect(result).to_contain_text(re.compile("connected|complete", re.IGNORECASE))
    expect(result).to_contain_text("Test booking")
    open_channel(erin(page), "engineering")
    expect(erin(page).locator(".messages").last).to_contain_text("25 of 25 steps")
    say(erin(page), "/servicetitan status", "thread")  # Slack has no commands in threads
    expect(erin(page).locator(".notice")).to_contain_text("thread")
