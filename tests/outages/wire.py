"""The line between the bot and its PostgreSQL server, on which things go wrong as a test wants."""

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

AT_ONCE = 1 << 16


class Fault(Enum):
    """What befalls a message of the bot's to the server."""

    CUT = "the connection breaks before it arrives"
    LOST = "it arrives and is carried out, and the connection breaks before the answer"
    SILENT = "neither it nor anything later on this connection arrives, and nobody is told"


@dataclass
class Wire:
    """Carries bytes to the server at `path`, a Unix socket. `fault` is asked for each message."""

    path: Path
    fault: Callable[[], Fault | None] = lambda: None
    messages: int = 0
    hits: Counter[Fault] = field(default_factory=Counter)
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    connections: list[asyncio.Task[None]] = field(default_factory=list)
    port: int = 0

    @asynccontextmanager
    async def standing_still(self) -> AsyncIterator[None]:
        """Hold everything back, as a server does that is stopped; later it goes on with it."""
        self.flowing.clear()
        try:
            yield
        finally:
            self.flowing.set()

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take up a new connection of the bot's."""
        self.connections.append(asyncio.create_task(self._serve(reader, writer)))

    async def close(self) -> None:
        """Cut what is left."""
        for connection in self.connections:
            connection.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answers, server = await asyncio.open_unix_connection(str(self.path))
            try:
                await self._carry(reader, writer, answers, server)
            finally:
                await _closed(server)
        except OSError:
            pass  # the server is away, and so the bot finds it
        finally:
            await _closed(writer)

    async def _carry(
        self,
        questions: asyncio.StreamReader,
        client: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        server: asyncio.StreamWriter,
    ) -> None:
        back = asyncio.create_task(self._pump(answers, client))
        try:
            while message := await questions.read(AT_ONCE):
                self.messages += 1
                fault = self.fault()
                if fault is not None:
                    self.hits[fault] += 1
                    await self._go_wrong(fault, message, questions, back, answers, server)
                    return
                await self.flowing.wait()
                server.write(message)
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)

    async def _go_wrong(
        self,
        fault: Fault,
        message: bytes,
        questions: asyncio.StreamReader,
        back: "asyncio.Task[None]",
        answers: asyncio.StreamReader,
        server: asyncio.StreamWriter,
    ) -> None:
        back.cancel()
        await asyncio.gather(back, return_exceptions=True)
        if fault is Fault.LOST:
            server.write(message)
            await answers.read(AT_ONCE)
        elif fault is Fault.SILENT:
            while await questions.read(AT_ONCE):
                pass

    async def _pump(self, answers: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while answer := await answers.read(AT_ONCE):
                await self.flowing.wait()
                client.write(answer)
        client.close()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def run_wire(url: str) -> AsyncIterator[Wire]:
    """Lay a wire to the server of `url`, which listens on a Unix socket only."""
    wire = Wire(Path(str(make_url(url).query["host"]), ".s.PGSQL.5432"))
    wire.flowing.set()
    async with await asyncio.start_server(wire.take, "127.0.0.1", 0) as server:
        wire.port = server.sockets[0].getsockname()[1]
        yield wire
        await wire.close()


@dataclass(frozen=True)
class WiredDatabase(PostgresDatabase):
    """A database that the bot reaches over a wire, and the test past it."""

    past: str

    @classmethod
    def over(cls, wire: Wire, database: PostgresDatabase) -> "WiredDatabase":
        """Take another way to the same database."""
        there = make_url(database.url).set(host="127.0.0.1", port=wire.port, query={})
        url = there.render_as_string(hide_password=False)
        return cls(database.directory, url, database.url)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.past, options="-c lock_timeout=5s")
