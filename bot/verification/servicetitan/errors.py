"""ServiceTitan's errors, without any value that was sent.

ServiceTitan's own errors are known to repeat what was sent, so only known texts are taken over.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from bot.verification.answers import Answer
from bot.verification.errors import (
    NoAnswer,
    Reason,
    RequestError,
    text_of,
    trace_id_of,
    unavailable_error,
)

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


class InvalidClient(RequestError):
    """The token endpoint does not accept Client ID and Client Secret together."""


class Unauthorized(RequestError):
    """401: the application key, or a token that expired or was revoked."""


class Forbidden(RequestError):
    """403 for a reason other than a scope."""


class ScopeMissing(RequestError):
    """403 because the token lacks the scope of this operation."""


class ResourceNotFound(RequestError):
    """404 from the operation itself, not from the gateway."""


def token_error(answer: Answer, *sent: str) -> RequestError:
    """Return the error for a response of the token endpoint other than 200.

    A wrong Client ID, a wrong secret and an app that the tenant disabled all give 400
    `invalid_client`: seen on the live service, not documented.
    """
    if known := _gateway_error(answer, sent):
        return known
    code = text_of(answer, "error")
    told: dict[str, Any] = {"status": answer.status, "title": code if code in CODES else ""}
    if answer.status == 401 or code in {"invalid_client", "unauthorized_client"}:
        return InvalidClient(**told)
    return RequestError("unexpected answer", **told)


def api_error(answer: Answer, *sent: str) -> RequestError:
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
        "trace_id": trace_id_of(answer, sent),
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
        case _:  # only a wrong request explains it: our bug, not the client's fault
            about = ", ".join(["unexpected answer", *_properties(answer)])
            return RequestError(about, **told)


def _title(answer: Answer) -> str:
    """Return the known title that the response's title begins with, else nothing."""
    text = text_of(answer, "title", "message", "error").lower()
    return next((title for title in TITLES if text.startswith(title.lower())), "")


def _properties(answer: Answer) -> list[str]:
    """Return the properties of our test booking that ServiceTitan objects to, by name only."""
    errors = (answer.body or {}).get("errors")
    return [name for name in PROPERTIES if isinstance(errors, dict) and name in errors]


def _gateway_error(answer: Answer, sent: Sequence[str]) -> RequestError | None:
    """Return the error that means the same everywhere: busy, broken, or not ServiceTitan."""
    if known := unavailable_error(answer, sent):
        return known
    # An empty body is a valid response; a gateway's page, or a redirect, is not.
    if (answer.content and answer.body is None) or answer.status in range(300, 400):
        told = trace_id_of(answer, sent)
        return NoAnswer(Reason.NOT_JSON, status=answer.status, trace_id=told)
    return None
