"""Slack in over Socket Mode: connected by Bolt's client, and closed without losing a press."""

import asyncio
import logging
import struct
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from bot.slack import translated
from bot.traffic import Traffic

log = logging.getLogger(__name__)

NORMAL_CLOSURE = struct.pack("!H", 1000)
GOODBYE_SECONDS = 1


class Socket:
    """The connection over which Slack's requests come."""

    def __init__(
        self, bolt: AsyncApp, app_token: str, traffic: Traffic, logger: logging.Logger
    ) -> None:
        """Take who answers the requests; nothing is connected yet."""
        self._handler: Any = AsyncSocketModeHandler(bolt, app_token, logger=logger)  # has no types
        self._client = self._handler.client
        self._client.socket_mode_request_listeners = [self._handle]
        self._traffic = traffic

    async def is_connected(self) -> bool:
        """Whether requests can reach us."""
        return bool(await self._client.is_connected())

    async def connect(self) -> None:
        """Connect; from then on the client does so again by itself whenever it must."""
        async with translated("apps.connections.open"):
            # Asked here, as the client itself would go on asking with a token that is refused.
            self._client.wss_uri = await self._client.issue_new_wss_url()
            await self._handler.connect_async()

    async def close(self, at_most: float) -> None:
        """Answer what is under way, say goodbye, carry out what Slack sent before it heard that."""
        client = self._client
        client.auto_reconnect_enabled = False
        await self._traffic.end(at_most, quiet=0)
        if client.current_session and not client.current_session.closed:
            # The session's own close() would throw away what is on its way to us.
            await client.current_session.send_frame(NORMAL_CLOSURE, WSMsgType.CLOSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    while not client.current_session.closed:  # noqa: ASYNC110 (no event tells it)
                        await asyncio.sleep(0.01)
            await self._traffic.end(GOODBYE_SECONDS, quiet=0)
        await self._handler.close_async()

    async def _handle(self, client: Any, request: Any) -> None:
        with self._traffic.request():
            try:
                await self._handler.handle(client, request)
            except (
                ConnectionError
            ):  # carried out all the same; whoever pressed sees it in the thread
                log.warning("an acknowledgement was lost with its connection")
