"""`make schematics`: draws the guide's schematics from their SVG sources (needs Chromium)."""

import shutil

from playwright.sync_api import sync_playwright

from bot.guide.loading import FOLDER

ARGUMENTS = ["--no-sandbox", "--disable-gpu"]
SCALE = 1.25


def draw_all() -> None:
    """Draw each SVG file as the PNG file beside it."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(device_scale_factor=SCALE)
        for source in sorted(FOLDER.glob("*/schematics/*.svg")):
            page.set_content(f"<style>body {{ margin: 0 }}</style>{source.read_text('utf-8')}")
            page.locator("svg").screenshot(path=source.with_suffix(".png"))
        browser.close()


if __name__ == "__main__":
    draw_all()
