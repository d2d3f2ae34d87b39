"""Socket Mode: envelopes over web sockets (docs: apis/events-api/using-socket-mode)."""

import asyncio
import contextlib
import itertools
import json
import uuid

from aiohttp import web

from sandbox.slack.delivery import Ack, Outgoing
from sandbox.slack.model import Json
from sandbox.slack.state import State

MOST_CONNECTIONS = 10


class Sockets:
    """The open connections; every payload goes to one of them, in turn."""

    def __init__(self, state: State, deadline: float) -> None:
        self._state = state
        self._deadline = deadline
        self._connections: list[web.WebSocketResponse] = []
        self._turns = itertools.count()
        self._awaited: dict[str, asyncio.Future[Ack]] = {}

    def __len__(self) -> int:
        return len(self._connections)

    async def accept(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it ends; a ticket admits only one."""
        if request.query.get("ticket") not in self._state.tickets:
            raise web.HTTPForbidden
        if len(self._connections) >= MOST_CONNECTIONS:
            raise web.HTTPTooManyRequests
        self._state.tickets.remove(request.query["ticket"])
        socket = web.WebSocketResponse()  # answers PINGs with the same payload by itself
        await socket.prepare(request)
        await socket.send_json(self._hello())
        self._connections.append(socket)
        self._state.touch()
        try:
            async for frame in socket:
                self._acknowledge(frame.data)
        finally:
            self._forget(socket)
        return socket

    async def send(self, outgoing: Outgoing) -> Ack:
        """Deliver in one envelope, and wait for the acknowledgement that names it."""
        socket = self._connections[next(self._turns) % len(self._connections)]
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

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every client to reconnect, then close (facts 3)."""
        for socket in list(self._connections):
            self._forget(socket)
            with contextlib.suppress(ConnectionError):
                await socket.send_json({"type": "disconnect", "reason": reason})
                await socket.close()

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._connections:
            self._connections.remove(socket)
            self._state.touch()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections) + 1,
            "connection_info": {"app_id": self._state.app.id},
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
