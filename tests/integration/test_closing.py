"""Connections that arrive while the bot stops listening."""

import asyncio
import contextlib
import gc
import socket

import pytest
from aiohttp import web

from bot.app.connections import listening
from bot.core.metrics import Metrics
from sandbox.bot_process import free_port


@pytest.mark.parametrize("rounds", range(5))
async def test_a_connection_arriving_during_shutdown_is_closed(rounds: int) -> None:
    port = free_port()
    async with listening(web.Application(), "127.0.0.1", port, Metrics()):
        client = socket.create_connection(("127.0.0.1", port))
        for _ in range(rounds):
            await asyncio.sleep(0)

    with client:
        client.settimeout(2)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
    gc.collect()  # a leaked socket would raise a warning
