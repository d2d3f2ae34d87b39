"""`onboarding doctor --blocks`: every message and window, sent to Slack's own validator.

blocks.validate needs no token and no scope (docs.slack.dev, reference/methods/blocks.validate), and
receives only made-up names.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from bot.app.http_clients import http_client
from bot.cli.doctor.finding import TIMEOUT_SECONDS, Finding
from bot.cli.doctor.specimens import Specimen, specimens
from bot.guide import Guide

# Slack documents only "special rate limits".
MAX_PAUSES, MAX_PAUSE_SECONDS = 5, 60
REFUSALS = {"invalid_blocks", "invalid_message", "invalid_view"}


class NoAnswer(Exception):
    """Slack's validator gave no verdict; the text says why."""


async def validate(guide: Guide, api_url: str, proxy: str | None = None) -> AsyncIterator[Finding]:
    """Yield a finding for each message and window, then a summary."""
    count = refused = 0
    async with http_client(proxy, base_url=api_url, timeout=TIMEOUT_SECONDS) as http:
        for specimen in specimens(guide):
            try:
                problems = await _problems(http, specimen)
            except NoAnswer as error:
                fix = "check the network, and SLACK_API_URL; then try again"
                yield Finding("blocks", f"after {count}, no answer ({error})", fix)
                return
            count += 1
            if problems:
                refused += 1
                yield Finding(
                    specimen.name, "; ".join(problems), "report it to HeavySet's developers"
                )
            else:
                yield Finding(specimen.name, "valid")
    if refused:
        yield Finding("blocks", f"Slack refuses {refused} of {count}", "see above")
    else:
        yield Finding("blocks", f"Slack accepts all {count} messages and windows")


async def _problems(http: httpx.AsyncClient, specimen: Specimen) -> list[str]:
    form: Mapping[str, str] = {specimen.kind: json.dumps(specimen.payload)}
    for _ in range(MAX_PAUSES):
        try:
            response = await http.post("blocks.validate", data=form)
        except httpx.HTTPError as error:
            raise NoAnswer(type(error).__name__) from error
        if response.status_code != 429:
            return _problems_in(response)
        await asyncio.sleep(_pause(response))
    raise NoAnswer("ratelimited")


def _problems_in(response: httpx.Response) -> list[str]:
    try:
        answer: Any = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
        raise NoAnswer(f"HTTP {response.status_code}")
    if answer["ok"]:
        return []
    if answer.get("error") not in REFUSALS:
        raise NoAnswer(str(answer.get("error")))
    errors = answer.get("errors")
    found = [_line(one) for one in errors if isinstance(one, Mapping)] if errors else []
    return found or [str(answer["error"])]


def _line(error: Mapping[str, Any]) -> str:
    return f"{error.get('message') or error.get('code')} (at {error.get('pointer') or '/'})"


def _pause(response: httpx.Response) -> float:
    wait = response.headers.get("Retry-After", "")
    return min(float(wait), MAX_PAUSE_SECONDS) if wait.isdecimal() else 1.0
