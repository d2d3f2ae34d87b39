"""Translates the errors of slack_sdk and aiohttp into ours."""

import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.core.errors import OnboardingError, Unavailable

log = logging.getLogger(__name__)

# What slack_sdk raises if the response isn't from Slack, or there is none.
BROKEN = (
    SlackClientError,
    aiohttp.ClientError,
    OSError,
    ValueError,
    AttributeError,
    KeyError,
    RecursionError,
)
# Temporary errors, after which the call was not carried out (docs.slack.dev: errors common to
# all methods, and those of chat.*, conversations.*, pins.* and reactions.*).
PASSING = {
    "external_channel_migrating",  # it is becoming a Slack Connect channel
    "org_login_required",  # the workspace is moving to an Enterprise organization
    "team_added_to_org",
    "update_failed",
    "service_unavailable",
    "request_timeout",
    "message_limit_exceeded",
    "team_quota_exceeded",
}
# After these, part of the call may have been carried out (docs.slack.dev, errors common to all
# methods).
AMBIGUOUS = {"internal_error", "fatal_error"}
# "ratelimited", "rate_limited", and conversations.inviteShared's "ratelimit".
RATE_LIMITED = re.compile("rate_?limit")
SERVER_ERRORS = set(range(500, 600)) - {HTTPStatus.NOT_IMPLEMENTED}
# Statuses of web pages that reject the request itself; those that are left out come from a proxy
# instead of Slack.
REJECTED = {*range(400, 500), HTTPStatus.NOT_IMPLEMENTED} - {401, 403, 407, 408, 425, 429}
# Errors about a message that was sent (docs.slack.dev, chat.postMessage).
ABOUT_THE_MESSAGE = {
    *("invalid_arguments", "invalid_blocks", "invalid_blocks_format", "no_text", "msg_too_long"),
    *("msg_blocks_too_long", "invalid_metadata_format", "metadata_too_large"),
}
# Errors that a retry never fixes: about the channel, us, or what was sent (docs.slack.dev,
# chat.postMessage, pins.add, bookmarks.add, and errors common to all methods). Errors in neither
# list are unknown: they are retried for a while before they count as final.
FINAL = {
    *("channel_not_found", "not_in_channel", "is_archived", "is_inactive"),
    *("account_inactive", "token_revoked", "token_expired", "invalid_auth", "not_authed"),
    *("missing_scope", "not_allowed_token_type", "no_permission", "access_denied"),
    *("team_access_not_granted", "enterprise_is_restricted", "messages_tab_disabled"),
    *ABOUT_THE_MESSAGE,
    *("not_pinnable", "too_many_pins", "too_many_bookmarks", "permission_denied"),
}
# A reply whose thread was deleted (chat.postMessage, chat.postEphemeral, conversations.replies).
NO_THREAD = {"thread_not_found", "message_not_found", "cannot_reply_to_message"}
CODE = re.compile("[a-z_]{2,40}")
LONGEST_WAIT_SECONDS = 3600.0


class NotNow(Unavailable):
    """Slack refuses for now; the call was not carried out."""


class RateLimited(NotNow):
    """Slack asks us to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Slack asks us to wait")
        self.seconds = seconds


class SlackRefused(OnboardingError):
    """Slack rejected a call; `code` is its error."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.method, self.code = method, code

    @property
    def is_final(self) -> bool:
        """Whether a retry is known to be useless."""
        return self.code in FINAL or self.code.startswith("restricted_action")


class NotInThread(OnboardingError):
    """A reply was posted at the top of the channel, because its thread is gone."""

    def __init__(self, ts: str) -> None:
        super().__init__("chat.postMessage: not in the thread")
        self.ts = ts


@contextmanager
def ignoring(code: str) -> Iterator[None]:
    """Ignore one of Slack's errors in the block: there was nothing to do."""
    try:
        yield
    except SlackRefused as error:
        if error.code != code:
            raise


@asynccontextmanager
async def translated(method: str) -> AsyncIterator[None]:
    """Translate the errors of slack_sdk and aiohttp in the block; what was sent is not repeated."""
    try:
        yield
    except SlackApiError as error:
        raise _of_answer(method, error.response) from None
    except BROKEN as error:
        raise Unavailable(f"{method}: {type(error).__name__}") from None


async def raise_for_rate_limit(response: aiohttp.ClientResponse) -> None:
    """Raise RateLimited for a 429 that is not JSON; slack_sdk would lose its Retry-After.

    For aiohttp's `raise_for_status`.
    """
    if response.status == 429 and response.content_type != "application/json":
        response.release()
        raise _rate_limited("a call", response.headers.get("Retry-After"))


def slack_request(response: Any) -> dict[str, str]:
    """Return Slack's id of a call, which its support asks for."""
    found = (getattr(response, "headers", None) or {}).get("x-slack-req-id")
    return {"slack_request": str(found)} if found else {}


def _of_answer(method: str, response: Any) -> OnboardingError:
    status: int = getattr(response, "status_code", 0) or getattr(response, "status", 0)
    data = response.data if isinstance(response, AsyncSlackResponse) else None
    code = str(data.get("error") or "") if isinstance(data, dict) else ""  # a web page has none
    return _classified(method, status, code, response)


def of_response_url(response: Any) -> OnboardingError | None:
    """Return the error in a response_url's response; None for success.

    Slack responds with a word, such as `used_url`, or with JSON like the Web API. slack_sdk
    treats every response as success.
    """
    body = str(response.body or "").strip()
    try:
        data = json.loads(body)
    except ValueError:
        data = {"error": body if CODE.fullmatch(body) else ""}
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if response.status_code == HTTPStatus.OK and code in ("", "ok"):
        return None
    return _classified("response_url", response.status_code, code, response)


def _classified(method: str, status: int, code: str, response: Any) -> OnboardingError:
    extra = {"method": method, "code": code or str(status), **slack_request(response)}
    log.info("a call to Slack failed", extra=extra)
    if status == 429 or RATE_LIMITED.search(code):
        return _rate_limited(method, response.headers.get("Retry-After"))
    if code in PASSING:
        return NotNow(f"{method}: {code}")
    if code in AMBIGUOUS or (not code and status not in REJECTED) or status in SERVER_ERRORS:
        return Unavailable(f"{method}: {code or status}")
    return SlackRefused(method, code or f"http_{status}")


def _rate_limited(method: str, retry_after: str | None) -> NotNow:
    """Return RateLimited, or NotNow if Slack does not say how long to wait."""
    try:
        return RateLimited(min(max(1.0, float(retry_after or "")), LONGEST_WAIT_SECONDS))
    except ValueError:
        return NotNow(f"{method}: rate limited")
