"""Delivers commands, interactions and events to the bot, and records its responses."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.model import Json
from sandbox.slack.signing import signed_headers
from sandbox.slack.state import State

if TYPE_CHECKING:
    from sandbox.slack.socket_mode import Sockets

Kind = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True)
class Outgoing:
    """Something that Slack sends to the bot; `retry_num` counts retries from 1."""

    kind: Kind
    payload: Json
    retry_num: int = 0
    retry_reason: str = ""

    def http_body(self) -> tuple[bytes, str]:
        """The body and its content type (docs: each kind of request has its own)."""
        form = "application/x-www-form-urlencoded"
        if self.kind == "slash_commands":
            return urlencode(self.payload).encode(), form
        content = json.dumps(self.payload)
        if self.kind == "interactive":
            return urlencode({"payload": content}).encode(), form
        return content.encode(), "application/json"


@dataclass(frozen=True)
class Ack:
    """How the bot acknowledged; `failure` is Slack's own word for what went wrong."""

    failure: str | None = None
    status: int | None = None
    body: str = ""
    retry: bool = True  # false after `x-slack-no-retry: 1`

    @property
    def ok(self) -> bool:
        return self.failure is None

    def json(self) -> Json | None:
        """The body as a JSON object, if it is one."""
        try:
            content: Any = json.loads(self.body)
        except ValueError:
            return None
        return content if isinstance(content, dict) else None


@dataclass(frozen=True)
class Delivery:
    """A record of what was sent and how it was answered; times are the event loop's."""

    outgoing: Outgoing
    ack: Ack
    sent_at: float
    seconds: float  # until the acknowledgement


class Courier:
    """Delivers everything to the bot over the open connection, and keeps a record.

    HTTP requests are signed (docs: apis/events-api, verifying-requests-from-slack).
    """

    session: aiohttp.ClientSession  # open while the sandbox serves
    # Asked for each request: there may be several servers behind one address.
    url: Callable[[], str] | None = None
    # HTTP gets no events until someone has verified the Request URL by hand (docs: manifests).
    events_verified = True

    def __init__(self, state: State, sockets: "Sockets", deadline: float) -> None:
        self.deliveries: list[Delivery] = []
        self._state = state
        self._sockets = sockets
        self._deadline = deadline

    async def send(self, outgoing: Outgoing) -> Ack:
        """Deliver once; while a socket is connected, HTTP receives nothing (docs: Socket Mode)."""
        if outgoing.kind == "events_api" and not (self.events_verified or self._sockets):
            return Ack()
        time = asyncio.get_running_loop().time
        sent_at = time()
        if self._sockets:
            ack = await self._sockets.send(outgoing)
        elif self.url is not None:
            retry = {}
            if outgoing.retry_num:
                retry["x-slack-retry-num"] = str(outgoing.retry_num)
                retry["x-slack-retry-reason"] = outgoing.retry_reason
            ack = await self.post(*outgoing.http_body(), headers=retry)
        else:
            ack = Ack(failure="connection_failed")
        self.deliveries.append(Delivery(outgoing, ack, sent_at, time() - sent_at))
        self._state.touch()
        return ack

    async def post(
        self,
        body: bytes,
        content_type: str,
        *,
        secret: str | None = None,
        timestamp: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Ack:
        """Send any body; another `secret` or `timestamp` makes it a forgery or a replay."""
        if self.url is None:
            raise RuntimeError("deliver_to was not called")
        at = timestamp or str(int(self._state.clock()))
        all_headers = {
            "Content-Type": content_type,
            **signed_headers(secret or self._state.signing_secret, at, body),
            **(headers or {}),
        }
        try:
            async with (
                asyncio.timeout(self._deadline),
                self.session.post(self.url(), data=body, headers=all_headers) as response,
            ):
                text = await response.text()
        except TimeoutError:
            return Ack(failure="http_timeout")
        except aiohttp.ClientError:
            return Ack(failure="connection_failed")
        failure = None if response.status // 100 == 2 else "http_error"
        again = response.headers.get("x-slack-no-retry") != "1"
        return Ack(failure, response.status, text, again)
