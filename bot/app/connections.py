"""The server's connections: a limited number at once, each with three seconds to send a request.

A stranger who opens too many loses their own connections; Slack can still connect.
"""

import asyncio
import errno
import logging
import os
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.core.metrics import Metrics

log = logging.getLogger(__name__)

MAX_CONNECTIONS, MIN_CONNECTIONS = 256, 16
# File descriptors for everything else: the database, Slack, ServiceTitan, and connections that are
# accepted but not counted yet.
RESERVED_DESCRIPTORS = 128
REQUEST_SECONDS = 3.0
IDLE_SECONDS = 30.0
CLOSING_SECONDS = 0.5
LINGER_SECONDS = 1.0  # to read the rest of a rejected request, so that the response arrives
# asyncio accepts up to its backlog in one go, before we can count them; the system queues the rest.
ACCEPT_BACKLOG, SYSTEM_BACKLOG = 16, 1024
LOG_INTERVAL_SECONDS = 60.0  # between log lines about missing file descriptors
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Connections:
    """The open connections. Over the limit, the oldest one that Slack hasn't used is closed."""

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self._limit, self.turned_away = limit, metrics.turned_away
        self._open: dict[Connection, None] = {}

    def opened(self, connection: "Connection") -> None:
        """Add a connection; over the limit, drop an idle one, or this one if all are busy."""
        if len(self._open) >= self._limit:
            strangers = (other for other in self._open if not other.is_slacks)
            idle = (other for other in self._open if not other.answering)
            self.drop(next(chain(strangers, idle), connection), "crowded")
        if not connection.is_closing:
            self._open[connection] = None

    def closed(self, connection: "Connection") -> None:
        self._open.pop(connection, None)

    def drop(self, connection: "Connection", reason: str) -> None:
        """Close a connection without a response."""
        self.turned_away.labels(reason).inc()
        self.closed(connection)
        connection.abort()


class Connection(web.RequestHandler):
    """An aiohttp connection that waits three seconds at most for a complete request.

    `request_since` is when its request began to arrive. The server sets `answering` while it
    handles a complete request, and `is_slacks` if that request was Slack's.
    """

    __slots__ = ("_all", "_socket", "answering", "is_slacks", "request_since")

    def __init__(self, server: web.Server, connections: Connections) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # None turns it off
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=LINGER_SECONDS,
            auto_decompress=False,  # Slack sends nothing compressed
        )
        self._all = connections
        self._socket: asyncio.Transport | None = None
        self.request_since: float | None = None
        self.answering = self.is_slacks = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (for the type checker)
        self._socket = transport
        self._begin_request()
        self._all.opened(self)

    def data_received(self, data: bytes) -> None:
        if self.request_since is None:
            self._begin_request()
        super().data_received(data)

    def connection_lost(self, error: BaseException | None) -> None:
        self._all.closed(self)
        super().connection_lost(error)

    @property
    def is_closing(self) -> bool:
        return self._socket is None or self._socket.is_closing()

    def abort(self) -> None:
        if self._socket:
            self._socket.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Respond to a malformed request without logging it: anyone can send one."""
        if isinstance(exc, HttpProcessingError):
            self._all.turned_away.labels("malformed").inc()
            if self._socket:  # by hand: aiohttp would reveal its version
                self._socket.write(BAD_REQUEST)
            raise ConnectionAbortedError
        if isinstance(exc, ConnectionError):  # the peer is gone
            raise exc
        return super().handle_error(request, status, exc, message)

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Log an error, unless the connection was closed in the middle of a request."""
        if not self.is_closing:
            super().log_exception(*args, **kwargs)

    def _begin_request(self) -> None:
        loop = asyncio.get_running_loop()
        self.request_since = loop.time()
        loop.call_later(REQUEST_SECONDS, self._drop_if_slow, self.request_since)

    def _drop_if_slow(self, since: float) -> None:
        if self.request_since == since and not self.answering and not self.is_closing:
            self._all.drop(self, "slow")


class CannotListen(Exception):
    """The address can't be listened on; the text names the settings that it comes from."""


@asynccontextmanager
async def listening(
    app: web.Application,
    host: str,
    port: int,
    metrics: Metrics,
    *,
    setting: str = "PORT",
    max_connections: int | None = None,
) -> AsyncIterator[None]:
    """Serve `app` until the block ends; responses in progress then get CLOSING_SECONDS.

    Raises CannotListen, which names HOST and the port's `setting`, if the address cannot be used.
    """
    app.on_response_prepare.append(_remove_server_header)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=CLOSING_SECONDS)
    await runner.setup()
    web_server = runner.server
    assert web_server  # noqa: S101 (set up just now; for the type checker)
    connections = Connections(max_connections or _connection_limit(), metrics)
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(_ErrorHandler(metrics))
    try:
        try:
            server = await loop.create_server(
                lambda: Connection(web_server, connections), host, port, backlog=ACCEPT_BACKLOG
            )
        except OSError as error:
            why = f"cannot listen there ({error.strerror})"
            raise CannotListen(f"HOST and {setting}: {why}") from error
        for listener in server.sockets:
            with socket.socket(fileno=os.dup(listener.fileno())) as duplicate:
                duplicate.listen(SYSTEM_BACKLOG)
        log.info("listening", extra={"host": host, "port": port})
        try:
            yield
        finally:
            await _stop_accepting(server)
            server.close()
    finally:
        await runner.cleanup()
        loop.set_exception_handler(before)


async def _stop_accepting(server: asyncio.Server) -> None:
    """Stop accepting, and let what has been accepted become connections.

    If the server is closed in between, asyncio leaves its socket open (python/cpython#109564).
    """
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    for _ in range(3):  # rounds of the event loop
        await asyncio.sleep(0)


async def _remove_server_header(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Do not reveal our versions to strangers."""
    response.headers.popall("Server", None)


def _connection_limit() -> int:
    """Raise the file descriptor limit; return how many connections it leaves room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + RESERVED_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < wanted:
            log.warning("few file descriptors (ulimit -n)", extra={"limit": soft, "wanted": wanted})
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(MIN_CONNECTIONS, min(MAX_CONNECTIONS, soft - RESERVED_DESCRIPTORS))


class _ErrorHandler:
    """The event loop's error handler: counts connections refused for lack of file descriptors."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics, self._logged_at = metrics, -LOG_INTERVAL_SECONDS

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if "socket" not in context or getattr(error, "errno", None) not in EXHAUSTED:
            loop.default_exception_handler(context)
            return
        self._metrics.turned_away.labels("descriptors").inc()
        if loop.time() - self._logged_at >= LOG_INTERVAL_SECONDS:
            self._logged_at = loop.time()
            log.warning("no file descriptor is left for a connection", extra={"reason": str(error)})
