"""Faults on demand: refusals, server errors, rate limits, silence, garbage, lost responses."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from sandbox.slack.model import Json

Moment = Literal["arrived", "performed"]
# Called with a call's method and arguments; if it returns False, the connection is cut.
Gate = Callable[[Moment, str, Json], Awaitable[bool]]


@dataclass
class Fault:
    """What goes wrong with the next `times` calls of `method` whose arguments match `predicate`.

    `method` may also be "response_url": the next POST to one. `error`: refused with that code.
    `status`: an HTTP error, with a web page or with the `error`; 429 has a `retry_after` in
    seconds (default 1); with `location`, the caller is redirected there, which Slack never does.
    `hang`: silence for that many seconds, then the connection drops. `drop`: it drops immediately.
    `body`: sent instead of the response, with HTTP 200 or `status`. With `performed`, Slack does
    what was asked and only the response is lost: the caller cannot know.
    """

    method: str
    error: str | None = None
    status: int | None = None
    retry_after: int | None = None
    hang: float | None = None
    drop: bool = False
    body: str | None = None
    performed: bool = False
    times: int = 1
    predicate: Callable[[Json], bool] | None = None
    content_type: str = "application/json"  # of `body`
    location: str | None = None

    def __str__(self) -> str:
        """What the caller gets, in brief."""
        if self.hang is not None or self.drop:
            words = "no answer"
        elif self.error or self.body:
            words = self.error or "nonsense"
        elif self.status == 429 or self.retry_after is not None:
            words = "HTTP 429"
        else:
            words = f"HTTP {self.status or 500}"
        return f"{words}, though it was done" if self.performed else words

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Fail the request in the way that was requested."""
        if self.hang is not None:
            await asyncio.sleep(self.hang)
        if self.error is not None:
            answer = {"ok": False, "error": self.error}
            return web.json_response(answer, status=self.status or 200)
        if self.drop or self.hang is not None:
            return cut_off(request)
        if self.body is not None:
            return web.Response(
                status=self.status or 200, text=self.body, content_type=self.content_type
            )
        if self.status == 429 or self.retry_after is not None:
            return rate_limited(1 if self.retry_after is None else self.retry_after)
        headers = {"Location": self.location} if self.location else None
        text = "<html>Server Error</html>"
        return web.Response(status=self.status or 500, text=text, headers=headers)


def cut_off(request: web.Request) -> web.Response:
    """Cut the connection; what is returned never reaches the caller."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def rate_limited(seconds: int) -> web.Response:
    """HTTP 429 as Slack sends it (docs: apis/web-api/rate-limits)."""
    headers = {"Retry-After": str(seconds)}
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
