"""Accessibility: phone width, keyboard only, axe's findings, and two windows sharing one state."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    PHONE,
    OpenPage,
    ann,
    erin,
    last_button,
    open_channel,
    shown_value,
    submit,
    wait_for_step,
)

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def scene() -> str:
    return "step-11"


def serious_findings(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {[node['html'][:120] for node in violation['nodes'][:3]]}"
        for violation in violations
        if violation["impact"] in SERIOUS
    ]


def test_axe_reports_no_serious_accessibility_issues(page: Page, open_page: OpenPage) -> None:
    for part in ("servicetitan", "slack", "people", "calls"):
        page.locator(f"#d-{part} > summary").click()
    assert serious_findings(page) == []
    last_button(ann(page), "enter_credentials").click()
    submit(ann(page))
    expect(ann(page).locator(".error")).to_be_visible()
    open_channel(erin(page), "Home")
    expect(erin(page).locator(".home")).to_contain_text("Acme Plumbing")
    assert serious_findings(page) == []
    assert serious_findings(open_page("?only=b", PHONE, "dark")) == []
    ann(page).get_by_role("button", name="Cancel").click()
    open_channel(erin(page), "acme-heavyset")


@pytest.mark.usefixtures("page")
def test_everything_fits_the_width_of_a_phone(open_page: OpenPage) -> None:
    phone = open_page("", PHONE)

    for part in (erin(phone), ann(phone), phone.locator(".director")):
        box = part.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    assert phone.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    last_button(ann(phone), "enter_credentials").click()
    dialog = ann(phone).get_by_role("dialog")
    expect(dialog.get_by_label("Booking Provider ID", exact=True)).to_be_focused()
    dialog.get_by_role("button", name="Close", exact=True).click()
    expect(dialog).to_have_count(0)


def test_credentials_can_be_entered_with_the_keyboard_alone(page: Page) -> None:
    _tab_to(page, "enter_credentials")
    page.keyboard.press("Enter")
    pane = page.locator(".pane", has=page.get_by_role("dialog"))
    box = pane.get_by_label("Booking Provider ID", exact=True)
    expect(box).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    page.keyboard.press("Tab")
    _tab_to(page, "enter_credentials")
    page.keyboard.press("Enter")
    expect(box).to_be_focused()
    page.keyboard.type("123456789")
    page.keyboard.press("Enter")
    expect(box).to_have_count(0)
    expect(ann(page).locator(".thread")).to_contain_text("6789")


def _tab_to(page: Page, action: str) -> None:
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.dataset.action") == action:
            return
    raise AssertionError(f"{action} was not reached by Tab")


def test_two_browsers_and_a_reload_show_the_same_state(page: Page, open_page: OpenPage) -> None:
    other = open_page("?only=b")

    last_button(ann(page), "enter_credentials").click()
    expect(ann(other).get_by_role("dialog")).to_be_visible()  # both show the same person's screen
    box = ann(page).get_by_label("Booking Provider ID", exact=True)
    with page.expect_response(re.compile("/act$")):
        box.fill(shown_value(page, "Booking Provider ID"))
    page.reload()
    expect(box).to_have_value(shown_value(page, "Booking Provider ID"))
    submit(ann(page))
    expect(ann(other).get_by_role("dialog")).to_have_count(0)
    last_button(ann(page), "step_done").click(no_wait_after=True)
    last_button(ann(other), "step_done").click(no_wait_after=True)
    wait_for_step(ann(page), 12)


def test_text_that_could_not_be_sent_stays_in_its_box_with_an_error(page: Page) -> None:
    box = ann(page).locator("textarea[id$=-thread]")
    box.fill("x" * 1_000_000)
    box.press("Enter")
    expect(page.locator("#told")).to_contain_text("256 KB")
    expect(box).to_have_value("x" * 1_000_000)
    box.fill("Hello?")
    page.context.set_offline(True)
    box.press("Enter")
    expect(page.locator("#told")).to_contain_text("doesn't answer")
    expect(box).to_have_value("Hello?")
    page.context.set_offline(False)
    box.press("Enter")
    expect(page.locator("#told")).to_be_hidden()
    expect(ann(page).locator(".thread .message").last).to_contain_text("Hello?")
