"""The report's HTML file: self-contained, readable on a phone, no serious axe findings."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bot.cli.reporting.rendering import render
from bot.onboarding.reporting.period import Period
from tests.browser.conftest import CHROMIUM, NO_CHROMIUM, PHONE
from tests.browser.test_accessibility import serious_findings
from tests.unit.test_reporting import report_on_clients


@pytest.mark.skipif(not CHROMIUM, reason=NO_CHROMIUM)
def test_the_html_report_fits_a_phone_and_makes_no_network_requests(
    browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(report_on_clients(9), Period(), "html"), encoding="utf-8")
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))

    page.goto(file.as_uri())

    assert [url for url in urls if not url.startswith(("file:", "data:"))] == []
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    loaded = "images => images.every(image => image.naturalWidth > 0)"
    assert page.locator("figure img").evaluate_all(loaded)
    assert serious_findings(page) == []
    page.close()
