"""Faults that the pretend ServiceTitan was told to have."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple

from aiohttp import web

from sandbox.servicetitan.endpoints import problem


class Odd(NamedTuple):
    """A response that ServiceTitan has never sent; `endless` repeats the body until cut off."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {"Content-Type": "application/json"}
    endless: bool = False


FaultKind = int | Literal["html", "timeout", "drop"] | Odd


@dataclass
class Fault:
    """What goes wrong with the next `times` requests (None: every one) to `endpoint`.

    `endpoint`: "token", a name in READS, "booking-provider-tags", "create-booking",
    "get-booking", "dismiss-booking" or "all". `status`: a number, "html" (200, but a web page),
    "timeout" (no response), "drop" (the connection is closed), or an `Odd`. With `performed`,
    the request is carried out and only the response is lost: the caller cannot know.
    """

    endpoint: str
    status: FaultKind = 503
    times: int | None = None
    retry_after: int | None = None
    performed: bool = False

    async def answer(self, request: web.Request, closing: asyncio.Event) -> web.StreamResponse:
        """Fail the request as specified; silence lasts until `closing`."""
        match self.status:
            case Odd(body, status, headers, endless=False):
                return web.Response(body=body, status=status, headers=headers)
            case Odd(body, status, headers):
                return await _endless(
                    request, closing, web.StreamResponse(status=status, headers=headers), body
                )
            case "html":
                page = "<html><h1>Maintenance</h1></html>"
                return web.Response(text=page, content_type="text/html")
            case "timeout":
                await closing.wait()
                return web.Response(status=504)
            case "drop":
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=502)
            case 429:
                wait = self.retry_after
                title = f"Rate limit is exceeded. Try again in {wait or 5} seconds."
                return problem(429, title, {} if wait is None else {"Retry-After": str(wait)})
            case status:
                return problem(status, "An error occurred.")


async def _endless(
    request: web.Request, closing: asyncio.Event, response: web.StreamResponse, body: bytes
) -> web.StreamResponse:
    await response.prepare(request)
    with suppress(ConnectionError):
        while not closing.is_set():
            await response.write(body)
            await asyncio.sleep(0)
    return response
