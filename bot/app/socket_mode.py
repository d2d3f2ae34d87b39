"""Slack in over Socket Mode: a line that comes back whatever becomes of it, and closes gently.

slack_sdk's client is not used: when a reconnection's handshake fails, it tries the same used-up
address forever (python-slack-sdk#1446, #1110). Here each attempt asks for another. Source of the
frames: docs.slack.dev, "Using Socket Mode".
"""

import asyncio
import json
import logging
import random
import struct
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import WSMsgType
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest
from yarl import URL

from bot.app.http_clients import proxy_for, slack_session
from bot.app.in_flight import InFlight
from bot.app.payload_cleaning import cleaned
from bot.app.setting_values import is_loopback
from bot.core.errors import OnboardingError, Unavailable
from bot.slack import RateLimited, translated

log = logging.getLogger(__name__)

NORMAL_CLOSURE = struct.pack("!H", 1000)
GOODBYE_SECONDS = 1
# From the handshake to Slack's first word.
HANDSHAKE_SECONDS = 10.0
# After so much silence we ask whether Slack is still there; half as long again, and it is not.
HEARTBEAT_SECONDS = 10.0
# An acknowledgement that takes longer comes too late anyway.
ANSWERING_SECONDS = 3.0
# A line that held for so long was a good one: the next attempt is made at once.
STEADY_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 30


class Line:
    """One connection: `up` once Slack has spoken, or never will; `spent` once another is needed."""

    def __init__(
        self, ws: aiohttp.ClientWebSocketResponse, bolt: AsyncApp, in_flight: InFlight
    ) -> None:
        """Take an open connection, and read it until it ends."""
        self._ws, self._bolt, self._in_flight = ws, bolt, in_flight
        self.up, self.spent = asyncio.Event(), asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._began = asyncio.get_running_loop().time()
        self._reading = asyncio.create_task(self._read(), name="read Slack's line")

    @property
    def was_steady(self) -> bool:
        """Whether it has held for a while."""
        return asyncio.get_running_loop().time() - self._began >= STEADY_SECONDS

    async def _read(self) -> None:
        try:
            async for frame in self._ws:
                if frame.type is WSMsgType.TEXT:
                    self._take(frame.data)
                elif frame.type is WSMsgType.ERROR:
                    break
        finally:
            self.spent.set()
            self.up.set()  # nobody needs to wait for it any more

    def _take(self, frame: str) -> None:
        try:
            message = json.loads(frame)
            kind, envelope_id = message.get("type"), message.get("envelope_id")
        except (ValueError, AttributeError, RecursionError):
            log.warning("a frame that is not Slack's")
            return
        self.up.set()
        if kind == "disconnect":
            log.info("Slack wants another connection", extra={"reason": message.get("reason")})
            self.spent.set()
        elif isinstance(envelope_id, str) and isinstance(message.get("payload"), dict):
            task = asyncio.create_task(self._handle(message), name="a request")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        elif kind != "hello":
            log.info("a frame of an unknown kind")

    async def _handle(self, envelope: dict[str, Any]) -> None:
        with self._in_flight.request():
            try:
                envelope = {**envelope, "payload": cleaned(envelope["payload"])}
                request: Any = SocketModeRequest.from_dict(envelope)
                response = await run_async_bolt_app(self._bolt, request)
                if response.status == 200:  # else Slack sends an event again, and tells a person
                    await self._ws.send_str(_acknowledgement(request.envelope_id, response))
            except ConnectionError:  # carried out all the same; they see it in the thread
                log.warning("an acknowledgement was lost with its connection")
            except Exception as error:  # its text might bear what was sent
                log.warning("a malformed request", extra={"reason": type(error).__name__})

    async def answered(self) -> None:
        """Wait until what came over it is acknowledged, as long as that matters."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=ANSWERING_SECONDS)

    async def say_goodbye(self) -> None:
        """Ask Slack to close, and take until then what it has sent before it heard that."""
        # The connection's own close() would throw away what is on its way to us.
        with suppress(ConnectionError):
            await self._ws.send_frame(NORMAL_CLOSURE, WSMsgType.CLOSE)
        await asyncio.wait([self._reading], timeout=GOODBYE_SECONDS)

    async def close(self) -> None:
        """Close it for good."""
        await self._ws.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


class Socket:
    """The connection over which Slack's requests come."""

    def __init__(self, bolt: AsyncApp, app_token: str, in_flight: InFlight) -> None:
        """Take who answers the requests; nothing is connected yet."""
        self._bolt, self._app_token, self._in_flight = bolt, app_token, in_flight
        self._session: aiohttp.ClientSession | None = None
        self._line: Line | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether requests can reach us."""
        return self._line is not None and not self._line.spent.is_set()

    async def connect(self) -> None:
        """Connect; from then on it is done again whenever it must.

        Raises SlackRefused for a token that Slack does not take, and Unavailable.
        """
        if self._session is None:  # no timeout: a line may be silent for as long as it likes
            self._session = slack_session(None)
        self._line = await self._opened(self._session)
        self._keeping = asyncio.create_task(
            self._keep(self._session, self._line), name="keep Slack's line"
        )

    async def _opened(self, session: aiohttp.ClientSession) -> Line:
        """Return a new line over which Slack has spoken; its address is used once."""
        client = self._bolt.client
        async with translated("apps.connections.open"):
            answer = await client.apps_connections_open(app_token=self._app_token)
            url = _safe(str(answer["url"]))
        async with translated("Socket Mode"), asyncio.timeout(HANDSHAKE_SECONDS):
            ws = await session.ws_connect(
                url,
                heartbeat=HEARTBEAT_SECONDS,
                proxy=proxy_for(url, client.proxy),
                timeout=aiohttp.ClientWSTimeout(ws_close=GOODBYE_SECONDS),
            )
            line = Line(ws, self._bolt, self._in_flight)
            try:
                await line.up.wait()
            except BaseException:
                self._leave(line)
                raise
        if line.spent.is_set():
            self._leave(line)
            raise Unavailable("Socket Mode: Slack closed the connection at once")
        log.info("connected to Slack")
        return line

    async def _keep(self, session: aiohttp.ClientSession, line: Line) -> None:
        failures = 0
        while True:
            await line.spent.wait()
            failures = 0 if line.was_steady else failures + 1
            log.warning("the connection to Slack ended")
            await asyncio.sleep(_pause(failures))
            old, line = line, await self._opened_again(session)
            self._line = line
            self._leave(old)

    async def _opened_again(self, session: aiohttp.ClientSession) -> Line:
        failures = 0
        while True:
            try:
                return await self._opened(session)
            except OnboardingError as error:
                failures += 1
                wait = error.seconds if isinstance(error, RateLimited) else 0.0
                pause = max(wait, _pause(failures + 1))
                extra = {"reason": str(error), "retry_in": round(pause, 1)}
                log.warning("Slack cannot be connected to", extra=extra)
                await asyncio.sleep(pause)

    def _leave(self, line: Line) -> None:
        """Let a line go, once what came over it is acknowledged."""

        async def leave() -> None:
            await line.answered()
            await line.close()

        task = asyncio.create_task(leave(), name="leave a line")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def close(self, at_most: float) -> None:
        """Answer what is under way, say goodbye, carry out what Slack sent before it heard that."""
        if self._keeping:
            self._keeping.cancel()
        await self._in_flight.drain(at_most, quiet=0)
        if self._line and not self._line.spent.is_set():
            await self._line.say_goodbye()
            await self._in_flight.drain(GOODBYE_SECONDS, quiet=0)
        if self._line:
            await self._line.close()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        if self._session:
            await self._session.close()


def _safe(url: str) -> str:
    """Return the address of a line, which is encrypted unless it ends on this machine."""
    where = URL(url)
    if where.scheme == "wss" or (where.scheme == "ws" and is_loopback(where.host or "")):
        return url
    raise Unavailable("Socket Mode: an address that is not encrypted")


def _acknowledgement(envelope_id: str, response: BoltResponse) -> str:
    answer: dict[str, Any] = {"envelope_id": envelope_id}
    if response.body:
        is_json = response.first_headers().get("content-type", "").startswith("application/json")
        answer["payload"] = json.loads(response.body) if is_json else {"text": response.body}
    return json.dumps(answer)


def _pause(failures: int) -> float:
    """Return the seconds until the next attempt: none at first, then growing."""
    if failures <= 1:
        return 0.0
    longest = min(LONGEST_PAUSE_SECONDS, 1 << min(failures - 2, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret
