"""The port's connections: so many at once, and three seconds to send a request.

A stranger can open as many as they like; that costs them the connections, not us the port.
"""

import asyncio
import errno
import logging
import os
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.core.metrics import Metrics

log = logging.getLogger(__name__)

MOST, FEWEST = 256, 16
# Descriptors for all else: the database, Slack, ServiceTitan, and what is accepted and not counted
# yet.
KEPT_BACK = 128
REQUEST_SECONDS = 3.0
IDLE_SECONDS = 30.0  # until a connection on which nothing comes is closed
UNREAD_SECONDS = 1.0  # for the rest of a request that was refused, so that the answer arrives
# asyncio takes so many new ones in one go, before it is known that they are too many; those that
# have to wait are kept by the system.
ACCEPTED_AT_ONCE, WAITING = 16, 1024
EVERY_SECONDS = 60.0  # that descriptors are missing is said that often
NOT_HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
NONE_LEFT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Connections:
    """Those that are open. One too many costs a stranger theirs, the oldest first."""

    def __init__(self, most: int, metrics: Metrics) -> None:
        """Take how many there may be at once."""
        self._most, self._metrics = most, metrics
        self._strangers: dict[Connection, None] = {}
        self._known: dict[Connection, None] = {}

    def opened(self, connection: "Connection") -> None:
        """Count one; close another if that is one too many, or itself if all the others work."""
        if len(self._strangers) + len(self._known) >= self._most:
            idle = (one for one in self._known if not one.answering)
            self.drop(next(iter(self._strangers or idle), connection), "crowded")
        if not connection.is_closing:
            self._strangers[connection] = None

    def trust(self, connection: "Connection") -> None:
        """Take note that Slack uses this one."""
        if self._strangers.pop(connection, self) is None:
            self._known[connection] = None

    def closed(self, connection: "Connection") -> None:
        """Forget one."""
        self._strangers.pop(connection, None)
        self._known.pop(connection, None)

    def drop(self, connection: "Connection", reason: str) -> None:
        """Close one without a word."""
        self._metrics.turned_away(reason)
        self.closed(connection)
        connection.abort()

    def malformed(self) -> None:
        """Count what is not HTTP."""
        self._metrics.turned_away("malformed")


class Connection(web.RequestHandler):
    """aiohttp's end of a connection; it waits for the whole of a request for three seconds only."""

    __slots__ = ("_all", "_deadline", "_socket", "answering")

    def __init__(self, server: web.Server, connections: Connections) -> None:
        """Take the server that answers, and all the connections that this will be one of."""
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # None means none
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=UNREAD_SECONDS,
            auto_decompress=False,  # Slack sends nothing compressed
        )
        self._all = connections
        self._deadline: asyncio.TimerHandle | None = None
        self._socket: asyncio.Transport | None = None
        self.answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (for the type checker)
        self._socket = transport
        self._wait()
        self._all.opened(self)

    def data_received(self, data: bytes) -> None:
        """Begin to wait for the rest of the next request."""
        if self._deadline is None and not self.answering:
            self._wait()
        super().data_received(data)

    def connection_lost(self, error: BaseException | None) -> None:
        """Forget the connection."""
        self._done_waiting()
        self._all.closed(self)
        super().connection_lost(error)

    def begin_answer(self) -> None:
        """Take note that a request is there as a whole."""
        self._done_waiting()
        self.answering = True

    def end_answer(self) -> None:
        """Take note that a request was answered."""
        self._done_waiting()
        self.answering = False

    def trust(self) -> None:
        """Take note that a request on it was Slack's."""
        self._all.trust(self)

    @property
    def is_closing(self) -> bool:
        """Whether nothing more comes of it."""
        return self._socket is None or self._socket.is_closing()

    def abort(self) -> None:
        """Close at once."""
        if self._socket:
            self._socket.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is not HTTP, without a line in the log: anybody can send it."""
        if isinstance(exc, HttpProcessingError):
            self._all.malformed()
            if self._socket:  # by hand: aiohttp would say what we are made of
                self._socket.write(NOT_HTTP)
            raise ConnectionAbortedError
        if isinstance(exc, ConnectionError):  # nobody is there anymore
            raise exc
        return super().handle_error(request, status, exc, message)

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Log an error, unless it is that the connection was closed in the middle of a request."""
        if not self.is_closing:
            super().log_exception(*args, **kwargs)

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(REQUEST_SECONDS, self._all.drop, self, "slow")

    def _done_waiting(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None


class CannotListen(Exception):
    """An address is not ours to listen at; the text names the settings that it comes from."""


@asynccontextmanager
async def listening(
    app: web.Application,
    host: str,
    port: int,
    metrics: Metrics,
    closing_seconds: float,
    *,
    setting: str = "PORT",
    most: int | None = None,
) -> AsyncIterator[None]:
    """Serve `app` until the block ends; answers under way then have `closing_seconds`.

    There are `most` connections at once. Raises CannotListen, which names HOST and the port's
    `setting`, if that address cannot be listened on.
    """
    app.on_response_prepare.append(_without_our_make)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=closing_seconds)
    await runner.setup()
    answers = runner.server
    assert answers  # noqa: S101 (set up just now; for the type checker)
    connections = Connections(most or _room(), metrics)
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(_Exhausted(metrics))
    try:
        try:
            server = await loop.create_server(
                lambda: Connection(answers, connections), host, port, backlog=ACCEPTED_AT_ONCE
            )
        except OSError as error:
            why = f"cannot listen there ({error.strerror})"
            raise CannotListen(f"HOST and {setting}: {why}") from error
        for one in server.sockets:
            with socket.socket(fileno=os.dup(one.fileno())) as same:
                same.listen(WAITING)
        log.info("listening", extra={"host": host, "port": port})
        try:
            yield
        finally:
            server.close()
    finally:
        await runner.cleanup()
        loop.set_exception_handler(before)


async def _without_our_make(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Do not tell strangers which versions answer them."""
    response.headers.popall("Server", None)


def _room() -> int:
    """Return how many connections there are descriptors for; raise the limit as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + KEPT_BACK
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < wanted:
            log.warning("few file descriptors (ulimit -n)", extra={"limit": soft, "wanted": wanted})
    return MOST if soft == resource.RLIM_INFINITY else max(FEWEST, min(MOST, soft - KEPT_BACK))


class _Exhausted:
    """The loop's handler of errors: what strangers can bring about is counted, not printed."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics, self._said_at = metrics, -EVERY_SECONDS

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if "socket" not in context or getattr(error, "errno", None) not in NONE_LEFT:
            loop.default_exception_handler(context)
            return
        self._metrics.turned_away("descriptors")
        if loop.time() - self._said_at >= EVERY_SECONDS:
            self._said_at = loop.time()
            log.warning("no file descriptor is left for a connection", extra={"reason": str(error)})
