"""`make pictures`: the pictures of README and docs, taken from one onboarding at a fixed time.

Beside each picture, `drawn.json` keeps the text that is on it: a test compares that.
"""

import asyncio
import hashlib
import json
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from playwright.async_api import Page, Route, async_playwright

from sandbox.bot_process import run_command
from sandbox.run import Stage
from sandbox.scripted_people import (
    LAST_CLIENT_STEP,
    STEPS,
    next_step,
    opened,
    outcome,
    press_until_gone,
    start,
    submit,
)
from sandbox.web.block_kit import TEMPLATES
from sandbox.web.scenes import CLIENTS, Walk, begin_another
from sandbox.web.server import STATIC, application
from sandbox.web.session import Session

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
DRAWN = PICTURES / "drawn.json"
START_TIME = datetime(2026, 3, 10, 10, 5, tzinfo=ZoneInfo("America/New_York")).timestamp()
SEED = 25
MINUTE = 60.0
PANE = (980, 640)  # the director's panel takes its part; the pane keeps one column
POLL_SECONDS = 0.02
# A thread has its lease until the engineering channel knows of it, too.
UNPUBLISHED = (
    "SELECT 1 FROM onboarding WHERE revision > published_revision OR lease_owner IS NOT NULL"
)
# What differs from run to run: durations, processes, ids, how many calls were needed.
VOLATILE = {
    r"\b[\d,.]+ ms\b": "8 ms",
    r"process \d+": "process 4711",
    r"Slack calls: \d+": "Slack calls",
    r"\b[0-9a-f]{16}\b": "5a4db0c5167a5cad",
}


@dataclass
class Camera:
    """Takes pictures of the page, and notes what is on them."""

    page: Page
    url: str
    save_in: Path | None  # None: only note
    drawn: dict[str, list[str]] = field(default_factory=dict)

    async def take(
        self, name: str, query: str, of: str = ".pane", size: tuple[int, int] = PANE
    ) -> None:
        """A picture of the part `of` of the page."""
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})
        await self.page.goto(f"{self.url}?{query}")
        await self._shoot(name, of)

    async def take_document(self, name: str, html: str, size: tuple[int, int]) -> None:
        """A picture of the top of another page."""
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})
        await self.page.set_content(html)
        await self._shoot(name, "body")

    async def _shoot(self, name: str, of: str) -> None:
        page = self.page
        await page.evaluate(
            """volatile => {
              const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              for (let node = walker.nextNode(); node; node = walker.nextNode())
                for (const [pattern, text] of Object.entries(volatile))
                  node.data = node.data.replace(new RegExp(pattern, "g"), text);
            }""",
            VOLATILE,
        )
        part = page.locator(of).first
        text = await part.inner_text()
        self.drawn[name] = [stripped for line in text.splitlines() if (stripped := line.strip())]
        if self.save_in is not None:
            target = self.save_in / f"{name}.png"
            if of == "body":
                await page.screenshot(path=target, animations="disabled", caret="hide")
            else:
                await part.screenshot(path=target, animations="disabled", caret="hide")


@dataclass
class PhotoShoot:
    """The one onboarding, with the camera running."""

    session: Session
    camera: Camera

    async def run(self) -> None:
        stage = self.session.stage()
        old = stage.servicetitan.client_secret
        stage.servicetitan.regenerate_secret()
        walk = Walk(stage, {"client_secret": old})
        for scene in (self._begin, self._mistake, self._fail, self._pass, self._look_back):
            await scene(stage, walk)

    async def _begin(self, stage: Stage, walk: Walk) -> None:
        client = stage.client_channel
        await start(stage)
        await stage.slack.until(lambda: (client.pins and client.bookmarks) or None)
        await self._settled(stage)
        await self.camera.take("first-message", f"only=b&bc={client.id}&bt=-", size=(980, 620))
        await self._walk(walk, 1, 5)
        await self._settled(stage)
        await self.camera.take("step", "only=b", size=(980, 700))

    async def _mistake(self, stage: Stage, walk: Walk) -> None:
        await self._walk(walk, 5, 19)
        _, message = await next_step(stage, after=18)
        await stage.admin.press(message, "enter_credentials")
        form = await opened(stage, stage.admin, "enter_credentials")
        await stage.admin.submit(form, {"client_secret": stage.servicetitan.client_id})
        await self._settled(stage)
        await self.camera.take("form-error", "only=b")
        engineering = stage.engineering_channel.id
        await self.camera.take("both-sides", f"ac={engineering}", of="body", size=(1400, 800))
        await stage.admin.close(form)

    async def _fail(self, stage: Stage, walk: Walk) -> None:
        await self._walk(walk, 19, 22)
        _, message = await next_step(stage, after=21)
        await walk.enter(22, message)
        await outcome(stage)
        await self._settled(stage)
        await self.camera.take("check-failed", "only=b")

    async def _pass(self, stage: Stage, walk: Walk) -> None:
        failed = stage.slack.message(stage.client_channel, "verification:1")
        assert failed is not None
        await stage.admin.press(failed, "enter_credentials")
        form = await opened(stage, stage.admin, "enter_credentials")
        await submit(stage.admin, form, stage.servicetitan.credentials)
        await outcome(walk.stage, "verification:2")
        await self._settled(stage)
        await self.camera.take("check-passed", "only=b")
        for number, client in enumerate(CLIENTS[:3]):
            other = await begin_another(stage, client, f"{client} Admin")
            await self._walk(other, 1, 3 + 2 * number)
        await stage.engineer.open_home()
        await stage.slack.until(lambda: stage.engineer.home)
        await self._settled(stage)
        await self.camera.take("home", "only=a&ac=home", size=(980, 760))

    async def _look_back(self, stage: Stage, walk: Walk) -> None:
        await self._walk(walk, LAST_CLIENT_STEP, STEPS)
        _, message = await next_step(stage, after=STEPS - 1)
        await press_until_gone(stage, stage.engineer, message, "run_verification")
        await outcome(stage, "verification:3")
        await self._settled(stage)
        channel, engineering = stage.client_channel.id, stage.engineering_channel.id
        await self.camera.take("engineering-channel", f"only=a&ac={engineering}", size=(980, 900))
        await stage.engineer.command(stage.client_channel, "/servicetitan", "status")
        await self._settled(stage)
        await self.camera.take("status", f"only=a&ac={channel}&at=-", size=(980, 560))
        await stage.engineer.command(stage.client_channel, "/servicetitan", "history")
        await stage.slack.until(lambda: stage.engineer.view)
        await self._settled(stage)
        await self.camera.take("history", f"only=a&ac={channel}&at=-", size=(980, 900))
        running = self.session.now
        html = await run_command(
            running.scene.environment,
            running.scene.directory,
            (
                *("-m", "sandbox.shifted_time", str(running.clock.path)),
                *("bot", "export", "Acme", "--format", "html"),
            ),
        )
        await self.camera.take_document("export", html, (1000, 900))

    async def _walk(self, walk: Walk, begin: int, end: int) -> None:
        """Do the steps from `begin` up to `end`, each in four minutes."""
        for number in range(begin, end):
            await walk.to_step(number + 1)
            await self._published(walk.stage)
            self.session.now.clock.advance(4 * MINUTE)

    async def _settled(self, stage: Stage) -> None:
        """Wait until Slack shows everything; then let minutes pass."""
        await self._published(stage)
        self.session.now.clock.advance(7 * MINUTE)

    async def _published(self, stage: Stage) -> None:
        """Wait until Slack shows the newest state of every onboarding."""
        with closing(sqlite3.connect(f"file:{stage.database}?mode=ro", uri=True)) as database:
            while database.execute(UNPUBLISHED).fetchone():  # noqa: ASYNC110 (another process)
                await asyncio.sleep(POLL_SECONDS)


async def draw(chromium: str, save_in: Path | None = None) -> dict[str, list[str]]:
    """Take all pictures; the text on each, by its name."""
    session = Session(hold_at=START_TIME, seed=SEED)
    await session.start()
    runner = web.AppRunner(application(session), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            page = await browser.new_page()
            await page.route("**/events", _no_changes)
            camera = Camera(page, f"http://127.0.0.1:{runner.addresses[0][1]}/", save_in)
            await PhotoShoot(session, camera).run()
            await browser.close()
    finally:
        await runner.cleanup()
        await session.close()
    return camera.drawn


async def _no_changes(route: Route) -> None:
    """Have the page drawn once."""
    await route.fulfill(content_type="text/event-stream", body="retry: 3600000\n\n")


def style() -> str:
    """A digest of what draws the page: other colors make other pictures."""
    parts = sorted((*STATIC.iterdir(), *TEMPLATES.iterdir()))
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()


def _save(taken: Path, drawn: dict[str, Any]) -> None:
    """Keep what changed: antialiasing differs a little from run to run, which is no change."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    before = json.loads(DRAWN.read_text(encoding="utf-8")) if DRAWN.exists() else {}
    for picture in sorted(taken.glob("*.png")):
        kept = PICTURES / picture.name
        same = all(before.get(name) == drawn[name] for name in ("style", picture.stem))
        if not (same and kept.exists()):
            shutil.copyfile(picture, kept)
            sys.stdout.write(f"{picture.name}: {picture.stat().st_size // 1024} KB\n")
    DRAWN.write_text(json.dumps(drawn, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("pictures: there is no Chromium here (apt-get install chromium)\n")
        return 1
    with tempfile.TemporaryDirectory() as directory:
        drawn = asyncio.run(draw(chromium, Path(directory)))
        _save(Path(directory), {"style": style(), **drawn})
    return 0


if __name__ == "__main__":
    sys.exit(main())
