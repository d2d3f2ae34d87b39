"""Receives Slack's requests over Socket Mode; reconnects after any failure, and closes gracefully.

slack_sdk's client is not used: when the handshake of a reconnection fails, it retries the same
single-use URL forever (python-slack-sdk#1446, #1110). Here each attempt asks for a new one. The
frames are documented at docs.slack.dev, "Using Socket Mode".
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
from slack_bolt.response import BoltResponse
from yarl import URL

from bot.app.bolt import TimedApp
from bot.app.http_clients import proxy_for, slack_session
from bot.app.in_flight import InFlight
from bot.app.setting_urls import is_loopback
from bot.core.errors import OnboardingError, Unavailable
from bot.slack import RateLimited, translated

log = logging.getLogger(__name__)

NORMAL_CLOSURE = struct.pack("!H", 1000)
GOODBYE_SECONDS = 1
# From the handshake to Slack's first message.
HANDSHAKE_SECONDS = 10.0
# A ping is sent after this much silence; without a pong within half of it, the connection is dead.
HEARTBEAT_SECONDS = 10.0
# Slack doesn't wait longer than this for an acknowledgement.
ACKNOWLEDGEMENT_SECONDS = 3.0
# After a connection that lasted this long, the next attempt is made immediately.
STABLE_SECONDS = 30.0
MAX_PAUSE_SECONDS = 30


class SlackConnection:
    """One connection. `up` is set by Slack's first message or the end; `spent` by the end."""

    def __init__(
        self, ws: aiohttp.ClientWebSocketResponse, bolt: TimedApp, in_flight: InFlight
    ) -> None:
        """Start reading an open WebSocket."""
        self._ws, self._bolt, self._in_flight = ws, bolt, in_flight
        self.up, self.spent = asyncio.Event(), asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._began = asyncio.get_running_loop().time()
        self._reading = asyncio.create_task(self._read(), name="read from Slack")

    @property
    def was_stable(self) -> bool:
        return asyncio.get_running_loop().time() - self._began >= STABLE_SECONDS

    async def _read(self) -> None:
        try:
            async for frame in self._ws:
                if frame.type is WSMsgType.TEXT:
                    self._take(frame.data)
                elif frame.type is WSMsgType.ERROR:
                    break
        finally:
            self.spent.set()
            self.up.set()  # stop waiting for it

    def _take(self, frame: str) -> None:
        try:
            message = json.loads(frame)
            kind, envelope_id = message.get("type"), message.get("envelope_id")
        except (ValueError, AttributeError, RecursionError):
            log.warning("received a malformed frame")
            return
        self.up.set()
        if kind == "disconnect":
            log.info("Slack asks for a new connection", extra={"reason": message.get("reason")})
            self.spent.set()
        elif isinstance(envelope_id, str) and isinstance(message.get("payload"), dict):
            task = asyncio.create_task(self._handle(message), name="a request")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        elif kind != "hello":
            log.info("received a frame of an unknown type")

    async def _handle(self, envelope: dict[str, Any]) -> None:
        with self._in_flight.request():
            try:
                response = await self._bolt.answer(envelope["payload"])
                # Otherwise Slack repeats an event, and shows a person an error.
                if response.status == 200:
                    await self._ws.send_str(_acknowledgement(envelope["envelope_id"], response))
            except ConnectionError:  # it was carried out, as the thread shows
                log.warning("an acknowledgement was lost with its connection")
            except Exception as error:  # its text might contain what was sent
                log.warning("malformed request", extra={"reason": type(error).__name__})

    async def say_goodbye(self) -> None:
        """Ask Slack to close, and handle what it sends until it does."""
        # The WebSocket's own close() would discard messages that are already on their way.
        with suppress(ConnectionError):
            await self._ws.send_frame(NORMAL_CLOSURE, WSMsgType.CLOSE)
        await asyncio.wait([self._reading], timeout=GOODBYE_SECONDS)

    async def leave(self) -> None:
        """Close it once its requests are acknowledged; Slack doesn't wait for them forever."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=ACKNOWLEDGEMENT_SECONDS)
        await self.close()

    async def close(self) -> None:
        await self._ws.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


class Socket:
    """Keeps a connection to Slack open, replacing it whenever it ends."""

    def __init__(self, bolt: TimedApp, app_token: str, in_flight: InFlight) -> None:
        self._bolt, self._app_token, self._in_flight = bolt, app_token, in_flight
        self._session: aiohttp.ClientSession | None = None
        self._connection: SlackConnection | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        return self._connection is not None and not self._connection.spent.is_set()

    async def connect(self) -> None:
        """Connect, and reconnect from then on.

        Raises SlackRefused if Slack does not accept the token, and Unavailable.
        """
        if self._session is None:  # no timeout: a connection may be idle
            self._session = slack_session(None)
        self._connection = await self._opened(self._session)
        self._keeping = asyncio.create_task(
            self._keep(self._session, self._connection), name="keep the connection to Slack"
        )

    async def _opened(self, session: aiohttp.ClientSession) -> SlackConnection:
        """Return a new connection that Slack has confirmed; its URL is used once."""
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
            connection = SlackConnection(ws, self._bolt, self._in_flight)
            try:
                await connection.up.wait()
            except BaseException:
                self._leave(connection)
                raise
        if connection.spent.is_set():
            self._leave(connection)
            raise Unavailable("Socket Mode: Slack closed the connection at once")
        log.info("connected to Slack")
        return connection

    async def _keep(self, session: aiohttp.ClientSession, connection: SlackConnection) -> None:
        failures = 0
        while True:
            await connection.spent.wait()
            failures = 0 if connection.was_stable else failures + 1
            log.warning("the connection to Slack ended")
            await asyncio.sleep(_pause(failures))
            old, connection = connection, await self._opened_again(session)
            self._connection = connection
            self._leave(old)

    async def _opened_again(self, session: aiohttp.ClientSession) -> SlackConnection:
        failures = 0
        while True:
            try:
                return await self._opened(session)
            except Exception as error:  # even a bug of ours must not end the attempts
                failures += 1
                wait = error.seconds if isinstance(error, RateLimited) else 0.0
                pause = max(wait, _pause(failures + 1))
                reason = str(error) if isinstance(error, OnboardingError) else type(error).__name__
                extra = {"reason": reason, "retry_in": round(pause, 1)}
                log.warning("cannot connect to Slack", extra=extra)
                await asyncio.sleep(pause)

    def _leave(self, connection: SlackConnection) -> None:
        task = asyncio.create_task(connection.leave(), name="close a connection")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def close(self, at_most: float) -> None:
        """Answer the requests in flight, and those that arrive until Slack has closed."""
        if self._keeping:
            self._keeping.cancel()
        await self._in_flight.drain(at_most, quiet=0)
        if self._connection and not self._connection.spent.is_set():
            await self._connection.say_goodbye()
            await self._in_flight.drain(GOODBYE_SECONDS, quiet=0)
        if self._connection:
            await self._connection.close()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        if self._session:
            await self._session.close()


def _safe(url: str) -> str:
    """Return the URL; raises Unavailable if it is neither encrypted nor on this machine."""
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
    """Return the seconds until the next attempt: zero at first, then growing."""
    if failures <= 1:
        return 0.0
    longest = min(MAX_PAUSE_SECONDS, 1 << min(failures - 2, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret
