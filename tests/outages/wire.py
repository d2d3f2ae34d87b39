"""A connection between the bot and PostgreSQL, on which a test can inject faults."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from tests.databases import PostgresDatabase

CHUNK_BYTES = 1 << 16


class Fault(Enum):
    """What happens to a message from the bot to the server."""

    CUT_BEFORE = "the connection breaks before it arrives"
    CUT_AFTER = "it is executed, but the connection breaks before the response"
    SILENT = "neither it nor anything later on this connection arrives, without an error"


@dataclass
class Wire:
    """Forwards to the server at `path`, a Unix socket. `fault` is called for each message."""

    path: Path
    fault: Callable[[], Fault | None] = lambda: None
    messages: int = 0
    hits: Counter[Fault] = field(default_factory=Counter)
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    connections: list[asyncio.Task[None]] = field(default_factory=list)
    port: int = 0

    @asynccontextmanager
    async def stalled(self) -> AsyncIterator[None]:
        """Hold everything back until the block ends, like a server that hangs."""
        self.flowing.clear()
        try:
            yield
        finally:
            self.flowing.set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle a new connection from the bot."""
        self.connections.append(asyncio.create_task(self._serve(reader, writer)))

    async def close(self) -> None:
        """Close all connections."""
        for connection in self.connections:
            connection.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            responses, server = await asyncio.open_unix_connection(str(self.path))
            try:
                await self._forward(reader, writer, responses, server)
            finally:
                await _closed(server)
        except OSError:
            pass  # the bot sees that the server is down, too
        finally:
            await _closed(writer)

    async def _forward(
        self,
        requests: asyncio.StreamReader,
        client: asyncio.StreamWriter,
        responses: asyncio.StreamReader,
        server: asyncio.StreamWriter,
    ) -> None:
        back = asyncio.create_task(self._pump(responses, client))
        try:
            while message := await requests.read(CHUNK_BYTES):
                self.messages += 1
                fault = self.fault()
                if fault is not None:
                    self.hits[fault] += 1
                    await self._inject(fault, message, requests, back, responses, server)
                    return
                await self.flowing.wait()
                server.write(message)
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)

    async def _inject(
        self,
        fault: Fault,
        message: bytes,
        requests: asyncio.StreamReader,
        back: "asyncio.Task[None]",
        responses: asyncio.StreamReader,
        server: asyncio.StreamWriter,
    ) -> None:
        back.cancel()
        await asyncio.gather(back, return_exceptions=True)
        if fault is Fault.CUT_AFTER:
            server.write(message)
            await responses.read(CHUNK_BYTES)
        elif fault is Fault.SILENT:
            while await requests.read(CHUNK_BYTES):
                pass

    async def _pump(self, responses: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while response := await responses.read(CHUNK_BYTES):
                await self.flowing.wait()
                client.write(response)
        client.close()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def running_wire(url: str) -> AsyncIterator[Wire]:
    """Run a wire to the server of `url`, which listens on a Unix socket only."""
    wire = Wire(Path(str(make_url(url).query["host"]), ".s.PGSQL.5432"))
    wire.flowing.set()
    async with await asyncio.start_server(wire.accept, "127.0.0.1", 0) as server:
        wire.port = server.sockets[0].getsockname()[1]
        yield wire
        await wire.close()


@dataclass(frozen=True)
class WiredDatabase(PostgresDatabase):
    """A database that the bot reaches over a wire, and the test directly."""

    direct: PostgresDatabase

    @classmethod
    def through(cls, wire: Wire, database: PostgresDatabase) -> "WiredDatabase":
        """Return the same database, reached through the wire."""
        wired = make_url(database.url).set(host="127.0.0.1", port=wire.port, query={})
        url = wired.render_as_string(hide_password=False)
        return cls(database.directory, url, database)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.direct.url, options="-c lock_timeout=5s")

    def _reader(self) -> psycopg.Connection[Any]:
        return self.direct._reader()
