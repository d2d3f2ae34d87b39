"""A minimal bot and a clock: the fake Slack's own tests need no real bot."""

import asyncio
import hmac
import json
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from sandbox.slack import SlackSandbox
from sandbox.slack.signing import signature

Json = dict[str, Any]


@dataclass
class FrozenClock:
    """For `SlackSandbox(clock=…)`: seconds since the epoch, which move only by hand."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class StubBot:
    """`async with StubBot(slack) as bot:` verifies and receives what `slack` delivers.

    Every acknowledgement has `answer` as its body and `status`, after `delay` seconds.
    """

    def __init__(self, slack: SlackSandbox) -> None:
        self.received: list[Json] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Json | str = ""
        self.status = 200
        self.delay = 0.0
        self._slack = slack

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_post("/slack/events", self._receive)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self._slack.deliver_to(f"http://127.0.0.1:{port}/slack/events")
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._session.close()
        await self._runner.cleanup()

    async def call(self, method: str, **arguments: Any) -> Json:
        """Call a Web API method with a JSON body."""
        url, headers = self._slack.api_url + method, self._authorization
        async with self._session.post(url, json=arguments, headers=headers) as response:
            answer: Json = await response.json()
            return answer

    async def request(self, http_method: str, url: str, **options: Any) -> tuple[int, str]:
        """Any HTTP request with the bot's token; the status and the body."""
        options.setdefault("headers", self._authorization)
        async with self._session.request(http_method, url, **options) as response:
            return response.status, await response.text()

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        """Open a Socket Mode connection."""
        url = self._slack.api_url + "apps.connections.open"
        headers = {"Authorization": f"Bearer {self._slack.app_token}"}
        async with self._session.post(url, headers=headers) as response:
            opened = await response.json()
        return await self._session.ws_connect(opened["url"])

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._slack.bot_token}"}

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        expected = signature(self._slack.signing_secret, timestamp, body)
        if not hmac.compare_digest(expected, request.headers.get("X-Slack-Signature", "")):
            return web.Response(status=401)
        self.received.append(_payload(request.content_type, body.decode()))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        await asyncio.sleep(self.delay)
        if isinstance(self.answer, str):
            return web.Response(status=self.status, text=self.answer)
        return web.json_response(self.answer, status=self.status)


def _payload(content_type: str, body: str) -> Json:
    if content_type == "application/json":
        event: Json = json.loads(body)
        return event
    form = dict(parse_qsl(body, keep_blank_values=True))
    payload: Json = json.loads(form["payload"]) if "payload" in form else form
    return payload
