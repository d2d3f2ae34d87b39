"""Errors of the requests of a verification, without any value that was sent.

A platform's own errors may repeat what was sent, so only known texts are taken over.
"""

import re
import socket
import ssl
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import httpx

from bot.core.errors import OnboardingError
from bot.verification.answers import Answer

# A .NET trace id (W3C trace context, or the older form with bars) or a GUID; longer than any id.
TRACE_ID = re.compile(
    r"[0-9a-f]{32}|00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}|\|[0-9a-f]{8,32}[-.][0-9a-f.]{1,20}"
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE,
)
LONGEST_TEXT = 500


class Reason(StrEnum):
    """Why there was no usable response, as the engineers' report says it."""

    DNS = "the host name could not be resolved"
    TLS = "the secure connection (TLS) could not be made"
    TIMEOUT = "no answer in time"
    CONNECTION = "the connection failed"
    PROXY = "the proxy (PROXY_URL) did not let it through"
    SERVER_ERROR = "server error"
    NOT_JSON = "the answer is not ServiceTitan's JSON"
    ELSEWHERE = "a redirect, or not JSON"
    UNREADABLE = "the answer is too large, or packed in an unknown way"


class RequestError(OnboardingError):
    """A request failed.

    `str()` is one technical line: status, title and trace id, never a value that was sent. The
    exception has no cause or context, because httpx's exceptions hold the whole request.
    """

    def __init__(
        self, what: str = "", *, status: int | None = None, title: str = "", trace_id: str = ""
    ) -> None:
        self.status = status
        parts = (
            f"HTTP {status}" if status else "",
            what,
            f"“{title}”" if title else "",
            f"trace {trace_id}" if trace_id else "",
        )
        super().__init__(", ".join(part for part in parts if part))


class TooManyRequests(RequestError):
    """429. `retry_after` is the pause in seconds, if one is named."""

    def __init__(self, *, retry_after: float | None = None, **what: Any) -> None:
        super().__init__("rate limit", **what)
        self.retry_after = retry_after


class NoAnswer(RequestError):
    """No usable response, for a `reason` that says nothing about the values."""

    def __init__(self, reason: Reason, **what: Any) -> None:
        super().__init__(reason, **what)
        self.reason = reason


def reason_of(error: BaseException) -> Reason:
    """Return why httpx failed; the system's error is at the end of the chain of causes."""
    if isinstance(error, httpx.TimeoutException):
        return Reason.TIMEOUT
    if isinstance(error, httpx.ProxyError):
        return Reason.PROXY
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, ssl.SSLError):
            return Reason.TLS
        if isinstance(link, socket.gaierror):
            return Reason.DNS
        link = link.__cause__ or link.__context__
    return Reason.CONNECTION


def unavailable_error(answer: Answer, sent: Sequence[str] = ()) -> RequestError | None:
    """Return the error for a status that says nothing about the values: busy, or broken."""
    told: dict[str, Any] = {"status": answer.status, "trace_id": trace_id_of(answer, sent)}
    if answer.status == 429:
        return TooManyRequests(retry_after=_retry_after(answer), **told)
    if answer.status >= 500:
        return NoAnswer(Reason.SERVER_ERROR, **told)
    return None


def text_of(answer: Answer, *names: str) -> str:
    """Return the first text among these members of the body, cut to a sensible length."""
    found = ((answer.body or {}).get(name) for name in names)
    return next((one for one in found if isinstance(one, str) and one), "")[:LONGEST_TEXT]


def trace_id_of(answer: Answer, sent: Sequence[str]) -> str:
    """Return the id that a platform's support asks for, if it looks like one and was not sent."""
    found = text_of(answer, "traceId")
    if not TRACE_ID.fullmatch(found) or any(found in one for one in sent):
        return ""
    return found


def _retry_after(answer: Answer) -> float | None:
    header = answer.headers.get("Retry-After", "")
    if re.fullmatch(r"[0-9]{1,6}", header):
        return float(header)
    named = re.search(r"in ([0-9]{1,6}) second", text_of(answer, "title", "message", "error"))
    return float(named[1]) if named else None
