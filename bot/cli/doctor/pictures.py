"""Findings on the guide's pictures: their type and size, and whether Slack can download them."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx

from bot import guide
from bot.app.guides import guide_files
from bot.app.settings import Settings
from bot.cli.doctor.finding import Finding, not_tested
from bot.guide.pictures import (
    LARGEST_BYTES,
    PictureFile,
    PictureSources,
    find_all,
    problem_with,
    type_of,
)

ADVICE = "save it as a PNG, JPEG, or GIF of at most 2 MB, named like step-03.png"
GONE = {404, 410}


async def picture_findings(
    settings: Settings, http: httpx.AsyncClient, wrong: frozenset[str]
) -> AsyncIterator[Finding]:
    """Yield a finding for each picture, and for each file that can't be one."""
    if unknown := wrong & {"GUIDE_IMAGES", "PUBLIC_URL"}:
        yield not_tested("pictures", *unknown)
        return
    try:
        guides = {file: guide.load(file) for file in guide_files(settings)}
    except guide.GuideError:  # another finding reports it
        return
    every, problems = find_all(guides, settings.guide_images, settings.public_url)
    for name, problem in problems.items():
        yield Finding(f"picture {name}", problem, ADVICE)
    for sources, newest in zip(every, guides.values(), strict=True):
        for file in sources.files:
            yield await _file(http, sources, file)
        for step in newest.steps:
            named = step.figure.image if step.figure else None
            if named or sources.base_url:
                for picture in sources.of(step, {}):
                    yield await _address(http, step.number, picture.url, is_guess=not named)


async def _file(http: httpx.AsyncClient, sources: PictureSources, file: PictureFile) -> Finding:
    title, is_good = f"picture {file.name}", _described(file.content)
    if not sources.public_url:
        return Finding(title, f"{is_good}; uploaded to Slack if files:write is granted")
    try:
        content = await _download(http, sources.url_of(file))
    except httpx.HTTPStatusError as error:
        fix = "let GET /guide/ through to the bot, and restart it after a change of the pictures"
        status = error.response.status_code
        return Finding(title, f"{is_good}; PUBLIC_URL answers HTTP {status}", fix)
    except httpx.HTTPError as error:
        text = f"{is_good}; PUBLIC_URL wasn't reached ({type(error).__name__}): is the bot running?"
        return Finding(title, text, tested=False)
    if content != file.content:
        return Finding(title, "PUBLIC_URL has another picture", "restart the bot")
    return Finding(title, f"{is_good}; Slack can download it from the bot")


async def _address(http: httpx.AsyncClient, step: int, url: str, *, is_guess: bool) -> Finding:
    """Check a picture on somebody else's server; if its name `is_guess`, it may be missing."""
    title, name = f"picture of step {step}", urlsplit(url).path.rpartition("/")[2]
    fix = "correct GUIDE_IMAGES" if is_guess else "correct figure.image in the guide's file"
    try:
        content = await _download(http, url)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        text = f"{name} isn't there (HTTP {status}); the step has words instead"
        return Finding(title, text, "" if is_guess and status in GONE else fix, tested=False)
    except httpx.HTTPError as error:
        return Finding(title, f"{name} wasn't reached ({type(error).__name__})", fix)
    if problem := problem_with(content):
        return Finding(title, f"{name} {problem}", ADVICE)
    return Finding(title, f"{name}: {_described(content)}")


def _described(content: bytes) -> str:
    kind = (type_of(content) or "").removeprefix("image/").upper()
    return f"{kind}, {len(content) / 1024:.0f} kB"


async def _download(http: httpx.AsyncClient, url: str) -> bytes:
    """Return what is at an address, cut off where it is too large."""
    content = b""
    async with http.stream("GET", url) as response:
        response.raise_for_status()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > LARGEST_BYTES:
                break
    return content
