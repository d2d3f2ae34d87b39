"""When things go wrong: ServiceTitan down, a wrong secret, a secret in the channel."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    ann,
    choose_menu_item,
    erin,
    last_button,
    open_channel,
    say,
    shown_value,
    submit,
    toggle,
)


@pytest.fixture(scope="module")
def scene() -> str:
    return "failed"


def ask(page: Page, question: str) -> None:
    """Have Ann ask for help in its modal."""
    last_button(ann(page), "step_help").click()
    form = ann(page).get_by_role("dialog")
    form.locator("textarea").fill(question)
    submit(ann(page))
    expect(form).to_have_count(0)


def test_a_wrong_secret_is_corrected_and_modals_open_on_the_right_side(page: Page) -> None:
    last_button(ann(page), "enter_credentials").click()
    form = ann(page).get_by_role("dialog")
    for field, name in (("client_id", "Client ID"), ("client_secret", "Client Secret")):
        form.locator(f"[name={field}]").fill(shown_value(page, name))
    submit(ann(page))

    expect(form).to_have_count(0)
    expect(erin(page).locator(".thread .message").last).to_contain_text("It works")

    form = erin(page).get_by_role("dialog")
    erin(page).locator(".back").click()
    for command in ("history", "cancel"):
        say(erin(page), f"/servicetitan {command}")
        expect(form).to_be_visible()
        assert ann(page).get_by_role("dialog").count() == 0
        page.keyboard.press("Escape")
        expect(form).to_have_count(0)
    last_button(ann(page), "step_done").click()
    open_channel(erin(page), "acme-heavyset")
    last_button(erin(page), "reveal_credentials").click()
    form.locator(".b-section", has_text="Client Secret").locator("button").click()
    expect(form).to_contain_text(shown_value(page, "Client Secret"))
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)


def test_message_shortcuts_relay_mark_answered_and_add_to_history(page: Page) -> None:
    ask(page, "Which of the two menus is it?")
    open_channel(erin(page), "engineering")
    room = erin(page).locator(".thread")
    expect(room).to_contain_text("Which of the two menus is it?")
    say(erin(page), "The one on the *left*.", "thread")
    choose_menu_item(
        room.locator(".message", has_text="The one on the left").first, "Send to client's thread"
    )
    expect(ann(page).locator(".thread .message").last).to_contain_text("The one on the left.")

    open_channel(erin(page), "acme-heavyset")
    say(ann(page), "What does that cost?", "thread")
    asked = room.locator(".message", has_text="What does that cost?").first
    private = erin(page).locator(".message.private")
    choose_menu_item(asked, "Mark question answered")
    expect(private.last).to_contain_text("Marked as answered")
    choose_menu_item(asked, "Note to history")
    expect(private.last).to_contain_text("history")


def test_only_the_author_of_a_posted_secret_is_asked_to_delete_it(page: Page) -> None:
    say(ann(page), f"the secret is {shown_value(page, 'Client Secret')}", "thread")

    expect(ann(page).locator(".message.private").last).to_contain_text("Please delete it now")
    warning = ann(page).locator(".message.private").last.inner_text()
    assert warning not in erin(page).locator(".message.private").all_inner_texts()


def test_a_servicetitan_outage_is_reported_in_the_clients_thread(page: Page) -> None:
    toggle(page, "servicetitan", "is down")
    erin(page).locator(".back").click()
    say(erin(page), "/servicetitan verify")

    expect(ann(page).locator(".thread .message").last).to_contain_text(
        re.compile("could not be finished|couldn't finish")
    )
