"""What can go wrong between ServiceTitan and us, told without a single value that was sent."""

import json
import re
import socket
import ssl
from enum import StrEnum
from typing import Any

import httpx


class Reason(StrEnum):
    """Why there was no usable answer. The words stand in the engineers' report."""

    DNS = "the host name could not be resolved"
    TLS = "the secure connection (TLS) could not be made"
    TIMEOUT = "no answer in time"
    CONNECTION = "the connection failed"
    SERVER_ERROR = "server error"
    NOT_JSON = "the answer is not ServiceTitan's JSON"


class ServiceTitanError(Exception):
    """ServiceTitan did not do what was asked.

    `str()` is one technical line: status, title and trace id, never a value that was sent. The
    exception has no cause or context either, because httpx's exceptions carry the whole request.
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


class InvalidClientError(ServiceTitanError):
    """The token endpoint does not accept Client ID and Client Secret together."""


class UnauthorizedError(ServiceTitanError):
    """401: the application key, or a token that has expired or been withdrawn."""


class ForbiddenError(ServiceTitanError):
    """403 for another reason than a scope."""


class ScopeMissingError(ServiceTitanError):
    """403 because the token lacks the scope of this operation."""


class NotFoundError(ServiceTitanError):
    """404 from the operation itself, not from the gateway."""


class UnexpectedError(ServiceTitanError):
    """An answer that only a wrong request explains: our bug, nothing the client could mend."""


class UnsendableError(ServiceTitanError):
    """A value that HTTP cannot carry (a line break, a letter outside ASCII); nothing was sent."""


class RateLimitedError(ServiceTitanError):
    """429. `retry_after` is the pause asked for, in seconds, if one was named."""

    def __init__(self, *, retry_after: float | None = None, **what: Any) -> None:
        super().__init__("rate limit", **what)
        self.retry_after = retry_after


class UnavailableError(ServiceTitanError):
    """No usable answer, for a `reason` that says nothing about the values."""

    def __init__(self, reason: Reason, **what: Any) -> None:
        super().__init__(reason, **what)
        self.reason = reason


def reason_of(error: BaseException) -> Reason:
    """Why httpx gave up; the system's own error is found at the end of the chain of causes."""
    if isinstance(error, httpx.TimeoutException):
        return Reason.TIMEOUT
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, ssl.SSLError):
            return Reason.TLS
        if isinstance(link, socket.gaierror):
            return Reason.DNS
        link = link.__cause__ or link.__context__
    return Reason.CONNECTION


def token_error(response: httpx.Response) -> ServiceTitanError:
    """What an answer of the token endpoint other than 200 means.

    A wrong Client ID, a wrong secret and an app that the tenant disabled all give 400
    `invalid_client`; that is seen on the live service, ServiceTitan does not document it.
    """
    status = response.status_code
    problem = _problem(response)
    if known := _gateway_error(response, problem):
        return known
    code = str((problem or {}).get("error", ""))
    if status == 401 or code in {"invalid_client", "unauthorized_client"}:
        return InvalidClientError(status=status, title=_shown(code))
    return UnexpectedError("unexpected answer", status=status, title=_shown(code))


def api_error(response: httpx.Response, *secrets: str) -> ServiceTitanError:
    """What an answer of the API other than 200 means; `secrets` never show up in its title.

    The shape is RFC 7807 (schema ApiErrorResponse of the OpenAPI descriptions on
    developer.servicetitan.io); the gateway's own answers say `message` instead of `title`.
    """
    problem = _problem(response)
    if known := _gateway_error(response, problem):
        return known
    text = _text(problem)
    told: dict[str, Any] = {
        "status": response.status_code,
        "title": _shown(text, *secrets),
        "trace_id": _trace_id(problem),
    }
    match response.status_code:
        case 401:
            return UnauthorizedError(**told)
        case 403 if text.lower().startswith("scope validation failed"):
            return ScopeMissingError(**told)
        case 403:
            return ForbiddenError(**told)
        case 404 if "unable to match" not in text.lower():
            return NotFoundError(**told)
        case _:
            about = ", ".join(["unexpected answer", *_properties(problem)])
            return UnexpectedError(about, **told)


def _gateway_error(
    response: httpx.Response, problem: dict[str, Any] | None
) -> ServiceTitanError | None:
    """The answers that mean the same everywhere: busy, broken, or not from ServiceTitan."""
    told: dict[str, Any] = {"status": response.status_code, "trace_id": _trace_id(problem)}
    if response.status_code == 429:
        return RateLimitedError(retry_after=_retry_after(response, _text(problem)), **told)
    if response.status_code >= 500:
        return UnavailableError(Reason.SERVER_ERROR, **told)
    if problem is None or response.is_redirect:
        return UnavailableError(Reason.NOT_JSON, **told)
    return None


def _problem(response: httpx.Response) -> dict[str, Any] | None:
    """The body of an error; empty if there is none; None if it is no JSON (a gateway's page)."""
    if not response.content:
        return {}
    try:
        body = json.loads(response.content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _text(problem: dict[str, Any] | None) -> str:
    found = problem or {}
    return str(found.get("title") or found.get("message") or found.get("error") or "")


def _properties(problem: dict[str, Any] | None) -> list[str]:
    """The names of the properties that ServiceTitan found fault with; never what it says there."""
    errors = (problem or {}).get("errors")
    names = errors if isinstance(errors, dict) else {}
    return [name for name in names if re.fullmatch(r"[A-Za-z][A-Za-z.]{0,40}", name)][:10]


def _trace_id(problem: dict[str, Any] | None) -> str:
    trace_id = str((problem or {}).get("traceId", ""))
    return trace_id if re.fullmatch(r"[0-9A-Fa-f|.:-]{8,64}", trace_id) else ""


def _retry_after(response: httpx.Response, text: str) -> float | None:
    header = response.headers.get("Retry-After", "")
    if re.fullmatch(r"\d{1,6}", header):
        return float(header)
    named = re.search(r"in (\d{1,6}) seconds?", text)
    return float(named[1]) if named else None


# Anything that may be an id, a key or a token: long runs, long numbers, ServiceTitan's prefixes.
_VALUE = re.compile(r"(cid|cs\d*|ak\d*)\.\S*|[A-Za-z0-9_-]{20,}|\d{4,}|\S*@\S*", re.IGNORECASE)


def _shown(text: str, *secrets: str) -> str:
    """`text` as it may be shown: ServiceTitan's errors are known to repeat what was sent."""
    for secret in secrets:
        text = text.replace(secret, "…") if secret else text
    text = " ".join(text.split())
    # An operation such as '/tenant/{tenant}/booking-provider-tags' is no value, however long.
    kept = re.sub(r"[^\s/'\"]+", lambda word: _VALUE.sub("…", word[0]), text)
    return kept[:200]
