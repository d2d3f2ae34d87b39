"""Checks that a guide declares: how to sign in to a platform's API, and what to read there."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from bot.guide.credential_fields import Part
from bot.guide.remedies import GAP, AnyChecks, Key, Remedy, Where

_ADDRESS = re.compile(
    r"(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1|\[::1\]))(:\d{1,5})?(/[\w./~-]*)?"
)
# A name that HTTP allows (RFC 9110), and that isn't the connection's own.
_HEADER = re.compile(
    r"(?!(?:host|cookie|connection|transfer-.*|content-.*|accept.*)$)[a-z0-9_-]{1,60}"
)
MOST_REQUESTS = 8
OURS = ("token", "shape")  # ids of checks that aren't a request's


def _expected(status: int) -> int:
    if status in range(300, 400) or status == 429:
        raise ValueError("a redirect isn't followed, and 429 means too many requests")
    return status


Status = Annotated[int, Field(ge=200, le=499), AfterValidator(_expected)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=60)]


def _safe(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise ValueError(
            "must be an https address without a name, a password or a query, such as "
            "https://api.example.com (http is for this machine only)"
        )
    return address.rstrip("/")


Address = Annotated[str, AfterValidator(_safe)]
Remedies = dict[Status, Remedy]


def _path(path: str) -> str:
    if not re.fullmatch(r"/[\w/.~?=&%,:+-]{0,300}", path):
        raise ValueError("must be a path, such as /v1/company")
    return path


class Request(Part):
    """A GET request. A status that is neither expected nor in `remedies` leaves the check open."""

    id: Key
    title: Title
    path: Annotated[str, AfterValidator(_path)]
    expect: Status
    passed: Line
    remedies: Remedies = Field(default_factory=dict)


class Token(Part):
    """An access token from OAuth's client credentials grant (RFC 6749, 4.4), for every request."""

    url: Address
    client_id: Key
    client_secret: Key
    title: Title
    passed: Line
    remedies: Remedies = Field(default_factory=dict)

    @property
    def id(self) -> str:
        return "token"


class Basic(Part):
    """A user name and a password with every request (RFC 7617): both are credentials."""

    user: Key
    password: Key


def _some(requests: tuple[Request, ...]) -> tuple[Request, ...]:
    if not 0 < len(requests) <= MOST_REQUESTS:
        raise ValueError(f"between one and {MOST_REQUESTS} requests are needed")
    return requests


class HttpChecks(AnyChecks):
    """Requests that the guide declares. Credentials are sent only to sign in, never in a URL."""

    by: Literal["http"]
    api: Address
    token: Token | None = None
    basic: Basic | None = None
    # A header's value names a credential: "{api_key}" or "Bearer {api_key}".
    headers: dict[str, Line] = Field(default_factory=dict)
    requests: Annotated[tuple[Request, ...], AfterValidator(_some)]

    @property
    def in_order(self) -> tuple[Token | Request, ...]:
        """All requests in order: first the one for a token, if that is how to sign in."""
        return (self.token, *self.requests) if self.token else self.requests

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        named = {name.lower() for name in self.headers}
        ids = [request.id for request in self.requests]
        if len({*ids, *OURS}) < len(ids) + len(OURS):
            raise ValueError("each request needs an id of its own, other than “token” and “shape”")
        if self.token and self.basic:
            raise ValueError("“token” and “basic” exclude each other")
        if not (self.token or self.basic or self.headers):
            raise ValueError("one of “token”, “basic” and “headers” must say how to sign in")
        if wrong := sorted(name for name in named if not _HEADER.fullmatch(name)):
            raise ValueError(f"“{wrong[0]}” is no header for a credential")
        if (self.token or self.basic) and "authorization" in named:
            raise ValueError("“token” and “basic” set Authorization themselves")
        return self

    def placed_remedies(self) -> Iterator[tuple[Where, str, Remedy]]:
        """A cause is a request's id and a status: `company.401`."""
        for at, request in enumerate(self.in_order, start=-1 if self.token else 0):
            place: Where = ("token",) if isinstance(request, Token) else ("requests", at)
            for status, remedy in request.remedies.items():
                where = (*place, "remedies", str(status))
                yield where, cause_of(request, status), remedy

    def placed_fields(self) -> Iterator[tuple[Where, str]]:
        if self.token:
            yield ("token", "client_id"), self.token.client_id
            yield ("token", "client_secret"), self.token.client_secret
        if self.basic:
            yield ("basic", "user"), self.basic.user
            yield ("basic", "password"), self.basic.password
        for header, value in self.headers.items():
            yield from ((("headers", header), name) for name in GAP.findall(value) or [value])


def cause_of(request: Request | Token, status: int) -> str:
    """Return what the cause is called when `request` is answered with `status`."""
    return f"{request.id}.{status}"
