"""Socket Mode: envelopes over web sockets (docs: apis/events-api/using-socket-mode)."""

import asyncio
import contextlib
import itertools
import json
import uuid
from enum import Enum

from aiohttp import WSMsgType, web

from sandbox.slack.delivery import Ack, Outgoing
from sandbox.slack.faults import cut_off
from sandbox.slack.model import Json
from sandbox.slack.state import State

MOST_CONNECTIONS = 10


class LineTrouble(Enum):
    """How a connection is lost. Slack announces its own reasons in `disconnect` frames."""

    RESET = "the connection is reset"
    CLOSED = "the connection is closed without a word"
    SILENT = "nothing comes any more, not even an answer to a PING"
    GARBAGE = "frames that are not Slack's, then the end"
    WARNING = "warning"
    REFRESH_REQUESTED = "refresh_requested"
    LINK_DISABLED = "link_disabled"
    TOO_MANY_WEBSOCKETS = "too_many_websockets"


class HandshakeTrouble(Enum):
    """How an attempt to connect fails; its URL is used up anyway."""

    REFUSED = "HTTP 403"
    RATE_LIMITED = "HTTP 429"
    SERVER_ERROR = "HTTP 503"
    RESET = "the connection is reset"
    SILENT = "no answer to the handshake"
    NO_HELLO = "connected, and then nothing"
    CLOSED = "connected, and closed at once"
    DISCONNECT = "connected, and told to connect again"


REFUSALS = {
    HandshakeTrouble.REFUSED: web.HTTPForbidden,
    HandshakeTrouble.RATE_LIMITED: web.HTTPTooManyRequests,
    HandshakeTrouble.SERVER_ERROR: web.HTTPServiceUnavailable,
}
GARBAGE = ("{", "[1]", "null", '"hello"', '{"type": []}', '{"type": "events_api"}', "\x00")


class Sockets:
    """The open connections; each payload is sent over one of them, in turn.

    `held` counts all connections that were not closed,
    including those over which nothing is sent anymore.
    """

    def __init__(self, state: State, deadline: float) -> None:
        self._troubles: list[HandshakeTrouble] = []
        self.held = 0
        self._state = state
        self._deadline = deadline
        self._connections: dict[web.WebSocketResponse, web.Request] = {}
        self._silent: set[web.WebSocketResponse] = set()
        self._turns = itertools.count()
        self._awaited: dict[str, asyncio.Future[Ack]] = {}

    def fail_next(self, trouble: HandshakeTrouble, times: int = 1) -> None:
        """Make the next attempts to open a connection fail in this way."""
        self._troubles += [trouble] * times

    def __len__(self) -> int:
        return len(self._connections)

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends; a ticket is good for only one."""
        if request.query.get("ticket") not in self._state.tickets:
            raise web.HTTPForbidden
        self._state.tickets.remove(request.query["ticket"])
        if len(self._connections) >= MOST_CONNECTIONS:
            raise web.HTTPTooManyRequests
        trouble = self._troubles.pop(0) if self._troubles else None
        if trouble in REFUSALS:
            raise REFUSALS[trouble]
        if trouble is HandshakeTrouble.RESET:
            return cut_off(request)
        self.held += 1
        try:
            if trouble is HandshakeTrouble.SILENT:
                while request.transport and not request.transport.is_closing():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                return cut_off(request)
            return await self._serve(request, trouble)
        finally:
            self.held -= 1
            self._state.touch()

    async def _serve(
        self, request: web.Request, trouble: HandshakeTrouble | None
    ) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        if trouble is HandshakeTrouble.CLOSED:
            await socket.close()
        if trouble is HandshakeTrouble.DISCONNECT:
            await socket.send_json({"type": "disconnect", "reason": "warning"})
            await socket.close()
        if trouble is None:
            await socket.send_json(self._hello())
            self._connections[socket] = request
            self._state.touch()
        try:
            async for frame in socket:
                if frame.type is WSMsgType.PING and socket not in self._silent:
                    await socket.pong(frame.data)
                elif frame.type is WSMsgType.TEXT:
                    self._acknowledge(frame.data)
        except ConnectionError:
            pass
        finally:
            self._forget(socket)
        return socket

    async def send(self, outgoing: Outgoing) -> Ack:
        """Deliver in one envelope, and wait for the acknowledgement with its id."""
        socket = list(self._connections)[next(self._turns) % len(self._connections)]
        envelope = _envelope(outgoing)
        acked: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._awaited[envelope["envelope_id"]] = acked
        try:
            await socket.send_json(envelope)
            async with asyncio.timeout(self._deadline):
                return await acked
        except TimeoutError:
            return Ack(failure="timeout")
        except ConnectionError:
            return Ack(failure="connection_failed")
        finally:
            del self._awaited[envelope["envelope_id"]]

    async def lose(self, trouble: LineTrouble) -> None:
        """Lose every connection in this way; for Slack's reasons, clients are told to reconnect."""
        for socket, request in list(self._connections.items()):
            self._forget(socket)
            match trouble:
                case LineTrouble.RESET:
                    cut_off(request)
                case LineTrouble.SILENT:
                    self._silent.add(socket)
                case LineTrouble.CLOSED:
                    await socket.close()
                case LineTrouble.GARBAGE:
                    for frame in GARBAGE:
                        await socket.send_str(frame)
                    await socket.send_bytes(b"\xff\xfe")
                    await socket.close()
                case _:
                    with contextlib.suppress(ConnectionError):
                        await socket.send_json({"type": "disconnect", "reason": trouble.value})
                        await socket.close()

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if self._connections.pop(socket, None) is not None:
            self._state.touch()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections) + 1,
            "connection_info": {"app_id": self._state.app_id},
            "debug_info": {"host": "sandbox", "approximate_connection_time": 3600},
        }

    def _acknowledge(self, frame: str) -> None:
        message = json.loads(frame)
        acked = self._awaited.get(message.get("envelope_id", ""))
        if acked is not None and not acked.done():
            payload = message.get("payload")
            acked.set_result(Ack(status=200, body=json.dumps(payload) if payload else ""))


def _envelope(outgoing: Outgoing) -> Json:
    takes_answer = (
        outgoing.kind == "slash_commands" or outgoing.payload.get("type") == "view_submission"
    )
    envelope: Json = {
        "envelope_id": str(uuid.uuid4()),
        "type": outgoing.kind,
        "payload": outgoing.payload,
        "accepts_response_payload": takes_answer,
    }
    if outgoing.kind == "events_api":
        envelope |= {"retry_attempt": outgoing.retry_num, "retry_reason": outgoing.retry_reason}
    return envelope
