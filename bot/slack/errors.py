"""What Slack's refusals, and its silence, are to us: translated here, at the border."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import OnboardingError, Unavailable

log = logging.getLogger(__name__)

REQUEST_ID = "x-slack-req-id"
# What the SDK raises when the answer is not Slack's, or none came.
BROKEN = (
    SlackClientError,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    ValueError,
    AttributeError,
    KeyError,
)
# Answers that pass by themselves; after the last two, part of the call may have been done
# (docs.slack.dev, errors common to all methods).
PASSING = {"service_unavailable", "request_timeout", "internal_error", "fatal_error"}
RATE_LIMITED = {"ratelimited", "rate_limited"}
LONGEST_WAIT_SECONDS = 3600.0


class RateLimited(Unavailable):
    """Slack asks to wait; the call was not done."""

    def __init__(self, seconds: float) -> None:
        """Take how long Slack asks to wait."""
        super().__init__("Slack asks to wait")
        self.seconds = seconds


class SlackRefused(OnboardingError):
    """Slack understood a call and did not do it; `code` is its error."""

    def __init__(self, method: str, code: str) -> None:
        """Take the method and Slack's error code."""
        super().__init__(f"{method}: {code}")
        self.method, self.code = method, code


@asynccontextmanager
async def translated(method: str) -> AsyncIterator[None]:
    """Raise our errors for those of slack_sdk and aiohttp in the block."""
    try:
        yield
    except BROKEN as error:
        raise _translation(method, error) from None


async def heed(response: aiohttp.ClientResponse) -> None:
    """Raise RateLimited for a 429 that is no JSON: slack_sdk would forget how long to wait.

    For aiohttp's `raise_for_status`.
    """
    if response.status == 429 and response.content_type != "application/json":
        response.release()
        raise RateLimited(_seconds(response.headers.get("Retry-After")))


def _translation(method: str, error: Exception) -> OnboardingError:
    """Return our error for one of slack_sdk or aiohttp; its text bears nothing of what was sent."""
    if isinstance(error, SlackApiError):
        return _of_answer(method, error.response)
    return Unavailable(f"{method}: {type(error).__name__}")


def request_id(response: Any) -> dict[str, str]:
    """Return Slack's own id of a call, for which its support asks."""
    found = (getattr(response, "headers", None) or {}).get(REQUEST_ID)
    return {"slack_request": str(found)} if found else {}


def _of_answer(method: str, response: Any) -> OnboardingError:
    status: int = getattr(response, "status_code", 0) or getattr(response, "status", 0)
    data = response.data if isinstance(response, AsyncSlackResponse) else None
    code = data.get("error", "") if isinstance(data, dict) else ""  # a web page has none
    extra = {"method": method, "code": code or str(status), **request_id(response)}
    log.info("Slack did not do it", extra=extra)
    if status == 429 or code in RATE_LIMITED:
        return RateLimited(_seconds(response.headers.get("Retry-After")))
    if status >= 500 or code in PASSING or not code:
        return Unavailable(f"{method}: {code or status}")
    return SlackRefused(method, code)


def _seconds(retry_after: str | None) -> float:
    try:
        return min(max(1.0, float(retry_after or 1)), LONGEST_WAIT_SECONDS)
    except ValueError:
        return 1.0
