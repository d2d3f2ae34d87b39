"""Runs the bot's command line, each command in a separate process."""

import asyncio
import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.bot_process import ROOT

# The bot under test is the one that this test was started with.
INHERITED = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
TIMEOUT_SECONDS = 60


class CommandResult(NamedTuple):
    """The result of a command."""

    status: int
    out: str
    err: str


class Fork:
    """A command in a process of its own, with what the tests use of asyncio's `Process`."""

    def __init__(
        self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = pid
        self._ended = asyncio.create_task(self._status(reader, writer))

    @property
    def returncode(self) -> int | None:
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        """Raises ProcessLookupError if it has ended."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def _status(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        try:
            return int(await reader.readline())
        finally:
            writer.close()


class CommandServer:
    """Runs commands as forks of a process that has everything imported."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._count = directory, 0

    @property
    def path(self) -> Path:
        return self._directory / "socket"

    async def run(self, directory: Path, *arguments: str, **settings: str) -> CommandResult:
        """Run a command in `directory` with nothing but these settings."""
        self._count += 1
        out, err = (self._directory / f"{self._count}.{name}" for name in ("out", "err"))
        fork = await self.start(directory, arguments, _environment(directory, settings), out, err)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            status = await fork.wait()
        return CommandResult(status, out.read_text("utf-8"), err.read_text("utf-8"))

    async def start(
        self,
        directory: Path,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        out: Path,
        err: Path,
        **more: Any,
    ) -> Fork:
        """Start a command whose output is appended to files; `more`: see command_server.py."""
        reader, writer = await asyncio.open_unix_connection(self.path)
        request = {
            "arguments": arguments,
            "directory": str(directory),
            "environment": dict(environment),
            "umask": _umask(),
            "out": str(out),
            "err": str(err),
            **more,
        }
        writer.write(json.dumps(request).encode() + b"\n")
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return Fork(int(await reader.readline()), reader, writer)


@contextmanager
def running_command_server() -> Iterator[CommandServer]:
    """Start one; it ends with the block."""
    with (
        tempfile.TemporaryDirectory(prefix="commands-") as directory,
        subprocess.Popen(
            [sys.executable, "-m", "tests.command_server", f"{directory}/socket"],
            cwd=ROOT,
            env={**INHERITED, "PYTHONUTF8": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == b"ready\n"
        yield CommandServer(Path(directory))
        process.stdin.close()


async def run_in_new_process(directory: Path, *arguments: str, **settings: str) -> CommandResult:
    """Run a command as an operator does, interpreter and all."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=directory,
        env=_environment(directory, settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    return CommandResult(process.returncode or 0, out.decode(), err.decode())


async def onboarding(directory: Path, *arguments: str, **settings: str) -> CommandResult:
    """Run a command in `directory` with nothing but these settings."""
    return await command_server().run(directory, *arguments, **settings)


@cache
def command_server() -> CommandServer:
    """The one of this process, started when it is first needed."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(running_command_server())


def _environment(directory: Path, settings: Mapping[str, str]) -> dict[str, str]:
    return {**INHERITED, "HOME": str(directory), **settings}


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
