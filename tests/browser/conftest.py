"""`make play` in a process of its own, and a Chromium that looks at it.

Each test begins at a prepared scene. Without a Chromium they are skipped, and the summary says so.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        if (found := shutil.which(name))
    ),
    "",
)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
DESKTOP, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 800}
SCENE_TIMEOUT, CHANGE_TIMEOUT = 60_000, 20_000
NO_CHROMIUM = (
    "no Chromium on this machine: NOTHING WAS TESTED IN A BROWSER (apt-get install chromium)"
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not CHROMIUM:
        terminalreporter.write_line(NO_CHROMIUM, yellow=True, bold=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not CHROMIUM and "page" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


@dataclass(frozen=True)
class WebSandbox:
    """A running `onboarding sandbox --web`."""

    process: subprocess.Popen[str]
    url: str


def start_sandbox(root: Path) -> WebSandbox:
    """Start it from the project in `root`, and wait for the line that says where it is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "sandbox", "--web", "--port", "0"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url), url
    return WebSandbox(process, url)


def stop_sandbox(web_sandbox: WebSandbox) -> None:
    web_sandbox.process.send_signal(signal.SIGINT)
    assert web_sandbox.process.wait(15) == 0
    assert web_sandbox.process.stdout is not None
    web_sandbox.process.stdout.close()


@pytest.fixture(scope="session")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's file in a copy of the project, so that a test may edit it."""
    root = tmp_path_factory.mktemp("project")
    for name in ("bot", "handlers", "storage", "sandbox"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manifest.yml", root)
    return root / "bot" / "guide" / "guides" / "servicetitan" / "guide.toml"


@pytest.fixture(scope="session")
def web_sandbox(guide: Path) -> Iterator[WebSandbox]:
    running = start_sandbox(guide.parents[4])
    yield running
    stop_sandbox(running)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; while it runs, no other event loop can, so no test of another module."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def open_page(browser: Browser, web_sandbox: WebSandbox) -> Iterator[OpenPage]:
    """Another window; a complaint of its scripts, or a request to elsewhere, fails the test."""
    problems: list[str] = []
    contexts = []

    def open_window(
        path: str = "", viewport: dict[str, int] = DESKTOP, scheme: str = "light"
    ) -> Page:
        context = browser.new_context(
            viewport=viewport,  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(CHANGE_TIMEOUT)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request", lambda request: None if is_own(request.url) else problems.append(request.url)
        )
        page.goto(web_sandbox.url + path)
        return page

    def is_own(url: str) -> bool:
        return url.startswith((web_sandbox.url, "data:"))

    expect.set_options(timeout=CHANGE_TIMEOUT)
    yield open_window
    for context in contexts:
        context.close()
    assert not problems


@pytest.fixture(scope="module")
def page(open_page: OpenPage, scene: str) -> Page:
    """The page at the module's `scene`, which its tests take on from one to the next.

    Each test can also be the first one: pytest-xdist deals them out to several processes.
    """
    page = open_page()
    start_scene(page, scene)
    return page


def start_scene(page: Page, scene: str) -> None:
    """Start over, at a prepared scene."""
    generation = page.locator("body").get_attribute("data-generation")
    page.locator(f'form[data-direct=scene]:has(input[value="{scene}"]) button').click()
    expect(page.locator("body")).not_to_have_attribute(
        "data-generation", str(generation), timeout=SCENE_TIMEOUT
    )
    expect(page.locator("#state")).to_be_empty(timeout=SCENE_TIMEOUT)
    assert page.locator(".notice").all_inner_texts() == []


def erin(page: Page) -> Locator:
    return page.locator("#pane-a")


def ann(page: Page) -> Locator:
    return page.locator("#pane-b")


def last_button(pane: Locator, action: str) -> Locator:
    """The lowest button with this action_id: the one in the newest message."""
    return pane.locator(f"button[data-action^={action}]").last


def shown_value(page: Page, name: str) -> str:
    """What ServiceTitan's screens show, as the director's panel lists it."""
    row = page.locator("#d-values div", has=page.locator("dt", has_text=re.compile(f"^{name}$")))
    return row.locator("code").inner_text()


def say(pane: Locator, text: str, where: str = "channel") -> None:
    box = pane.locator(f"textarea[id$=-{where}]")
    box.fill(text)
    box.press("Enter")


def submit(pane: Locator) -> None:
    pane.get_by_role("dialog").locator("footer .primary").click()


def show_person(pane: Locator, name: str) -> None:
    """Have somebody else's Slack in this pane."""
    pane.get_by_label("Who is shown here").select_option(label=name)
    expect(pane).to_have_attribute("aria-label", f"{name}'s Slack")


def add_person(page: Page, who: str, name: str) -> None:
    """Bring somebody from the director's list into the client's channel, unless they are there."""
    people = page.locator("#pane-b").get_by_label("Who is shown here").locator("option")
    if name not in people.all_inner_texts():
        page.locator("#d-people").evaluate("part => { part.open = true; }")
        page.locator("#d-people").get_by_role("button", name=who).click()
    expect(people.filter(has_text=name)).to_have_count(1)


def toggle(page: Page, part: str, switch: str) -> None:
    """Turn one of the director's switches on or off."""
    page.locator(f"#d-{part}").evaluate("part => { part.open = true; }")
    button = page.locator(f"#d-{part}").get_by_role("button", name=switch)
    was_on = button.get_attribute("aria-pressed") == "true"
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false" if was_on else "true")


def choose_menu_item(message: Locator, action: str) -> None:
    """Choose an entry of a message's menu."""
    message.get_by_label("More actions").click()
    message.get_by_role("button", name=action).click()


def wait_for_step(pane: Locator, number: int) -> None:
    """Wait until the newest step is this one."""
    expect(pane.locator(".thread h4").last).to_have_text(re.compile(rf"Step {number}\b"))


def open_channel(pane: Locator, channel: str) -> None:
    """Open a channel by its tab."""
    tab = pane.locator(".channels a", has_text=channel)
    tab.click()
    expect(tab).to_have_attribute("aria-current", "page")  # until then, the old one would be used
