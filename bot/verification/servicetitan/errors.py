"""ServiceTitan's errors, without any value that was sent.

ServiceTitan's own errors are known to repeat what was sent, so only known texts are taken over.
"""

import re
import socket
import ssl
from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import httpx

from bot.core.errors import OnboardingError
from bot.verification.servicetitan.answers import Answer

# Titles known from ServiceTitan's documentation or its public clients; what follows is cut off.
NO_SCOPE = "Scope validation failed"
NO_OPERATION = "Unable to match incoming request to an operation"
TITLES = (
    "Application key not present",
    NO_SCOPE,
    NO_OPERATION,
    "Rate limit is exceeded",
    "One or more validation errors occurred",
    *(status.phrase for status in HTTPStatus if status >= 400),
)
# The token endpoint's codes (RFC 6749, section 5.2).
CODES = {
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
}
# What we send with a test booking; "request" is all of it.
PROPERTIES = (
    "request",
    "source",
    "name",
    "summary",
    "isFirstTimeClient",
    "isSendConfirmationEmail",
    "externalId",
    "start",
    "contacts",
    "dismissingMemo",
)
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
    UNREADABLE = "the answer is too large, or packed in an unknown way"


class ServiceTitanError(OnboardingError):
    """A call failed.

    `str()` is one technical line: status, title and trace id, never a value that was sent. The
    exception has no cause or context, because httpx's exceptions hold the whole request.
    """

    def __init__(
        self, what: str = "", *, status: int | None = None, title: str = "", trace_id: str = ""
    ) -> None:
        self.status, self.title, self.trace_id = status, title, trace_id
        parts = (
            f"HTTP {status}" if status else "",
            what,
            f"“{title}”" if title else "",
            f"trace {trace_id}" if trace_id else "",
        )
        super().__init__(", ".join(part for part in parts if part))


class InvalidClient(ServiceTitanError):
    """The token endpoint does not accept Client ID and Client Secret together."""


class Unauthorized(ServiceTitanError):
    """401: the application key, or a token that expired or was revoked."""


class Forbidden(ServiceTitanError):
    """403 for a reason other than a scope."""


class ScopeMissing(ServiceTitanError):
    """403 because the token lacks the scope of this operation."""


class ResourceNotFound(ServiceTitanError):
    """404 from the operation itself, not from the gateway."""


class UnexpectedAnswer(ServiceTitanError):
    """A response that only a wrong request explains: our bug, not the client's fault."""


class UnsendableValue(ServiceTitanError):
    """A value that HTTP cannot carry (a line break, a non-ASCII letter); nothing was sent."""


class TooManyRequests(ServiceTitanError):
    """429. `retry_after` is the pause in seconds, if ServiceTitan names one."""

    def __init__(self, *, retry_after: float | None = None, **what: Any) -> None:
        super().__init__("rate limit", **what)
        self.retry_after = retry_after


class NoAnswer(ServiceTitanError):
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


def token_error(answer: Answer, *sent: str) -> ServiceTitanError:
    """Return the error for a response of the token endpoint other than 200.

    A wrong Client ID, a wrong secret and an app that the tenant disabled all give 400
    `invalid_client`: seen on the live service, not documented.
    """
    if known := _gateway_error(answer, sent):
        return known
    code = _text(answer, "error")
    told: dict[str, Any] = {"status": answer.status, "title": code if code in CODES else ""}
    if answer.status == 401 or code in {"invalid_client", "unauthorized_client"}:
        return InvalidClient(**told)
    return UnexpectedAnswer("unexpected answer", **told)


def api_error(answer: Answer, *sent: str) -> ServiceTitanError:
    """Return the error for a response of the API other than 200; it never contains `sent`.

    The shape is RFC 7807 (schema ApiErrorResponse of the OpenAPI descriptions on
    developer.servicetitan.io); the gateway's own responses say `message` instead of `title`.
    """
    if known := _gateway_error(answer, sent):
        return known
    title = _title(answer)
    told: dict[str, Any] = {
        "status": answer.status,
        "title": title,
        "trace_id": _trace_id(answer, sent),
    }
    match answer.status:
        case 401:
            return Unauthorized(**told)
        case 403 if title == NO_SCOPE:
            return ScopeMissing(**told)
        case 403:
            return Forbidden(**told)
        case 404 if title != NO_OPERATION:
            return ResourceNotFound(**told)
        case _:
            about = ", ".join(["unexpected answer", *_properties(answer)])
            return UnexpectedAnswer(about, **told)


def _gateway_error(answer: Answer, sent: Sequence[str]) -> ServiceTitanError | None:
    """Return the error that means the same everywhere: busy, broken, or not ServiceTitan."""
    told: dict[str, Any] = {"status": answer.status, "trace_id": _trace_id(answer, sent)}
    if answer.status == 429:
        return TooManyRequests(retry_after=_retry_after(answer), **told)
    if answer.status >= 500:
        return NoAnswer(Reason.SERVER_ERROR, **told)
    # An empty body is a valid response; a gateway's page, or a redirect, is not.
    if (answer.content and answer.body is None) or answer.status in range(300, 400):
        return NoAnswer(Reason.NOT_JSON, **told)
    return None


def _text(answer: Answer, *names: str) -> str:
    """Return the first text among these members of the body, cut to a sensible length."""
    found = ((answer.body or {}).get(name) for name in names)
    return next((one for one in found if isinstance(one, str) and one), "")[:LONGEST_TEXT]


def _title(answer: Answer) -> str:
    """Return the known title that the response's title begins with, else nothing."""
    text = _text(answer, "title", "message", "error").lower()
    return next((title for title in TITLES if text.startswith(title.lower())), "")


def _properties(answer: Answer) -> list[str]:
    """Return the properties of our test booking that ServiceTitan objects to, by name only."""
    errors = (answer.body or {}).get("errors")
    return [name for name in PROPERTIES if isinstance(errors, dict) and name in errors]


def _trace_id(answer: Answer, sent: Sequence[str]) -> str:
    """Return the id that ServiceTitan's support asks for, if it looks like one and was not sent."""
    found = _text(answer, "traceId")
    if not TRACE_ID.fullmatch(found) or any(found in one for one in sent):
        return ""
    return found


def _retry_after(answer: Answer) -> float | None:
    header = answer.headers.get("Retry-After", "")
    if re.fullmatch(r"[0-9]{1,6}", header):
        return float(header)
    named = re.search(r"in ([0-9]{1,6}) second", _text(answer, "title", "message", "error"))
    return float(named[1]) if named else None
