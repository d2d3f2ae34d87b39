"""The report's HTML file: self-contained, readable on a phone, no serious axe findings."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bot.cli.reporting.rendering import render
from bot.onboarding.reporting.period import Period
from tests.browser.conftest import CHROMIUM, LEFT_OUT, PHONE
from tests.browser.test_for_everybody import serious_findings
from tests.unit.test_reporting import report_on_clients


@pytest.mark.skipif(not CHROMIUM, reason=LEFT_OUT)
def test_the_html_report_fits_a_phone_and_makes_no_network_requests(
    browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(report_on_clients(9), Period(), "html"), encoding="utf-8")
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))

    page.goto(file.as_uri())

    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    assert page.locator("figure img").evaluate_all("all => all.every(one => one.naturalWidth > 0)")
    assert serious_findings(page) == []
    page.close()
